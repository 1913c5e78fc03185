"""``vsenumba find``: search images by a label."""

from __future__ import annotations

from pathlib import Path

import click

from vsenumba.cli import csv_table, options
from vsenumba.cli.output import counted, note, say, say_json, table


@click.command(epilog=options.examples("vsenumba find model.h5 flower -n 5"))
@options.model_argument
@click.argument("label")
@click.option("--include-known", is_flag=True, help="Show images that have the label already, too.")
@csv_table.output_option
@csv_table.excel_option
@options.count_option
@options.threads_option
@options.json_option
def command(
    model: Path,
    label: str,
    include_known: bool,
    output: Path | None,
    excel: bool,
    n: int,
    threads: int | None,
    as_json: bool,
) -> None:
    """Find images that lack a label and that it fits best."""
    from vsenumba.models import Annotator, load_model

    options.limit_threads(threads)
    if excel and output is None:
        raise click.UsageError("--excel goes with -o")
    if output is not None:
        if as_json:
            raise click.UsageError("-o and --json exclude each other")
        options.check_output(output, model, streams=True)
    loaded = load_model(model, Annotator)
    found = loaded.find_images(label, n=n, include_known=include_known)
    if output is not None:
        n_rows = csv_table.write_csv(("image", "score"), ((one.name, one.score) for one in found), output, excel=excel)
        note(f"saved {output}: {counted(n_rows, 'image')}")
    elif as_json:
        say_json({"label": label, "images": [one._asdict() for one in found]})
    elif found:
        say(table(["image", "score"], [[name, f"{score:.3f}"] for name, score in found], "lr"))
    else:
        say(f"every image has the label {label!r}; --include-known shows them")
