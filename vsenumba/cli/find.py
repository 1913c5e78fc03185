"""``vsenumba find``: search images by one or more labels."""

from __future__ import annotations

from pathlib import Path

import click

from vsenumba.cli import csv_table, options
from vsenumba.cli.output import note, say, say_json, table
from vsenumba.printable import counted


@click.command(epilog=options.examples("vsenumba find model.h5 flower -n 5", "vsenumba find model.h5 animal farm"))
@options.model_argument
@click.argument("labels", metavar="LABEL...", nargs=-1, required=True)
@click.option("--include-known", is_flag=True, help="Also show images that already have all the labels.")
@click.option("--least-score", type=float, metavar="X", help="Show only images with a score of at least X.")
@options.set_option("Search the images of this data set.  [default: the model's training images]")
@click.option(
    "--index", type=options.FILE, metavar="INDEX", help="Search an index of these images, made by 'vsenumba index'."
)
@csv_table.output_option
@csv_table.excel_option
@options.count_option
@options.threads_option
@options.scheduler_option
@options.json_option
def command(
    model: Path,
    labels: tuple[str, ...],
    include_known: bool,
    least_score: float | None,
    source: str | None,
    index: Path | None,
    output: Path | None,
    excel: bool,
    n: int,
    threads: int | None,
    scheduler: str | None,
    as_json: bool,
) -> None:
    """Find the images that fit a label best but do not have it yet.

    With several labels, images are ranked by their mean score, and images that have all the labels are excluded.

    With --scheduler, the workers of a Dask cluster search.
    """
    from vsenumba.models import Annotator, load_model

    options.limit_threads(threads)
    if excel and output is None:
        raise click.UsageError("--excel requires -o")
    if index is not None and least_score is not None:
        raise click.UsageError("--least-score and --index cannot be combined")
    if index is not None and scheduler is not None:
        raise click.UsageError("--scheduler and --index cannot be combined")
    if output is not None:
        if as_json:
            raise click.UsageError("-o and --json cannot be combined")
        options.check_output(output, model, *([source] if source else []), streams=True)
    client = options.client_of(scheduler)
    loaded = load_model(model, Annotator)
    if "n_threads" in loaded.PARAMETERS:
        loaded.set_params(n_threads=threads)
    images = None if source is None else options.known_set(source, loaded)
    if index is None:
        found = loaded.find_images(
            labels, n=n, include_known=include_known, images=images, least_score=least_score, client=client
        )
    else:
        from vsenumba.models.image_index import ImageIndex

        found = ImageIndex.load(index, loaded, images).find_images(labels, n, include_known=include_known)
    if output is not None:
        n_rows = csv_table.write_csv(("image", "score"), ((one.name, one.score) for one in found), output, excel=excel)
        note(f"saved {output}: {counted(n_rows, 'image')}")
    elif as_json:
        say_json({"labels": list(labels), "images": [one._asdict() for one in found]})
    elif found:
        say(table(["image", "score"], [[name, f"{score:.3f}"] for name, score in found], "lr"))
    elif least_score is not None:
        say(f"no image found with a score of at least {least_score:g}")
    else:
        what = f"the label {labels[0]!r}" if len(labels) == 1 else f"the labels {', '.join(map(repr, labels))}"
        say(f"every image already has {what}; use --include-known to show them")
