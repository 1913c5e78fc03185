"""The option ``--report``: a report of what a command has done."""

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
    """Make sure, before the work, that the report can be written; see `options.check_output`."""
    if report is None:
        return
    from vsenumba.reports import check_report_name

    check_report_name(report)
    options.check_output(report, *inputs)


def save_report(report: Path | None, run: Path, **settings: Any) -> None:
    """Write the report if it is asked for; see `vsenumba.write_report`."""
    if report is None:
        return
    from vsenumba.reports import write_report

    write_report(run, report, **settings)
    note(f"saved {report}")
