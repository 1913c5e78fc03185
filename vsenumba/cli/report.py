"""``vsenumba report``: write a report of a run as one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from vsenumba.cli import options
from vsenumba.cli.output import say, say_json
from vsenumba.cli.report_option import check_report


@click.command(
    epilog=options.examples(
        "vsenumba report model.h5 -o report.html",
        "vsenumba report model.h5 openclipart -o report.html",
    )
)
@click.argument("run", metavar="RUN", type=options.FILE)
@options.optional_set_argument
@options.output_option("REPORT.html")
@click.option(
    "--pictures",
    type=options.FILE,
    metavar="FOLDER",
    help="Folder with the pictures of the images, for thumbnails.",
)
@options.threads_option
@options.json_option
def command(
    run: Path, source: str | None, output: Path, pictures: Path | None, threads: int | None, as_json: bool
) -> None:
    """Write a report of a run: results, figures and examples.

    RUN is a folder that 'vsenumba compare' wrote, a file of runs, or a model. The report is one HTML file that works
    offline.

    With SET, the report includes scores by label, measured on the pairs of SET that the model was not trained on. If it
    was trained on all of them, the command trains it again without the pairs that were held out originally.
    """
    from vsenumba.reports import write_report

    check_report(output, run, *([source] if source else []))
    options.limit_threads(threads)
    settings: dict[str, Any] = {"pictures": pictures, "n_threads": threads}
    if source is not None:
        settings["data"] = options.load_set(source)
        if pictures is None and Path(source).is_dir():
            settings["pictures"] = Path(source)
    sections = write_report(run, output, **settings)
    n_bytes = output.stat().st_size
    if as_json:
        say_json({"report": str(output), "n_bytes": n_bytes, "sections": sections})
        return
    say(f"saved {output}, {n_bytes / 1e3:,.0f} kB: {', '.join(sections)}")
