"""The option ``--report``, which writes a report of the results of a command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from vsenumba.cli import options
from vsenumba.cli.output import note

report_option = click.option(
    "--report",
    type=options.OUTPUT,
    metavar="FILE.html",
    help="Also write a report: one HTML file with results, figures and examples.",
)


def check_report(report: Path | None, *inputs: str | Path) -> None:
    """Check, before the work starts, that the report can be written; see `options.check_output`."""
    if report is None:
        return
    from vsenumba.reports import check_report_name

    check_report_name(report)
    options.check_output(report, *inputs)


def save_report(report: Path | None, run: Path, **settings: Any) -> None:
    """Write the report if it is requested; see `vsenumba.write_report`."""
    if report is None:
        return
    from vsenumba.reports import write_report

    write_report(run, report, **settings)
    note(f"saved {report}")
