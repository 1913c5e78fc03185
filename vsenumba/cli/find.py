"""``vsenumba find``: search images by a label, or by several."""

from __future__ import annotations

from pathlib import Path

import click

from vsenumba.cli import csv_table, options
from vsenumba.cli.output import counted, note, say, say_json, table


@click.command(epilog=options.examples("vsenumba find model.h5 flower -n 5", "vsenumba find model.h5 animal farm"))
@options.model_argument
@click.argument("labels", metavar="LABEL...", nargs=-1, required=True)
@click.option("--include-known", is_flag=True, help="Show images that have all of the labels already, too.")
@click.option("--least-score", type=float, metavar="X", help="Show no image with a lower score.")
@options.set_option("Search the images of this set; by default those that the model was trained on.")
@click.option(
    "--index", type=options.FILE, metavar="INDEX", help="Search by an index that 'vsenumba index' made of these images."
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
    """Find images that lack a label and that it fits best.

    Of several labels the mean of the scores counts, and images that have all of them are left out. With --scheduler the
    workers of a cluster search.
    """
    from vsenumba.models import Annotator, load_model

    options.limit_threads(threads)
    if excel and output is None:
        raise click.UsageError("--excel goes with -o")
    if index is not None and least_score is not None:
        raise click.UsageError("--least-score and --index exclude each other")
    if index is not None and scheduler is not None:
        raise click.UsageError("--scheduler and --index exclude each other")
    if output is not None:
        if as_json:
            raise click.UsageError("-o and --json exclude each other")
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
        say(f"no image that lacks what is searched has a score of {least_score:g} or more")
    else:
        what = f"the label {labels[0]!r}" if len(labels) == 1 else f"the labels {', '.join(map(repr, labels))}"
        say(f"every image has {what}; --include-known shows them")
