"""``vsenumba similar``: find labels similar to a label, or images similar to an image."""

from __future__ import annotations

from pathlib import Path

import click

from vsenumba.cli import csv_table, options
from vsenumba.cli.output import note, say, say_json, table
from vsenumba.printable import counted


@click.command(
    epilog=options.examples(
        "vsenumba similar model.h5 --label flower -n 5",
        "vsenumba similar model.h5 --image food/fruit/apple",
    )
)
@options.model_argument
@click.option("--label", metavar="LABEL", help="Find labels similar to this one.")
@click.option("--image", metavar="IMAGE", help="Find images similar to the image with this id.")
@options.set_option("Search the images of this data set.  [default: the model's training images]")
@csv_table.output_option
@csv_table.excel_option
@options.count_option
@options.threads_option
@options.scheduler_option
@options.json_option
def command(
    model: Path,
    label: str | None,
    image: str | None,
    source: str | None,
    output: Path | None,
    excel: bool,
    n: int,
    threads: int | None,
    scheduler: str | None,
    as_json: bool,
) -> None:
    """Find labels similar to a label, or images similar to an image.

    Similarity is the cosine of two vectors. For the labels of an EASE model it is their partial correlation.

    With --scheduler, the workers of a Dask cluster search the images.
    """
    from vsenumba.models import Annotator, load_model

    options.limit_threads(threads)
    if (label is None) == (image is None):
        raise click.UsageError("give either --label or --image")
    if label is not None and source is not None:
        raise click.UsageError("--set requires --image")
    if label is not None and scheduler is not None:
        raise click.UsageError("--scheduler requires --image")
    if excel and output is None:
        raise click.UsageError("--excel requires -o")
    if output is not None:
        if as_json:
            raise click.UsageError("-o and --json cannot be combined")
        options.check_output(output, model, *([source] if source else []), streams=True)
    client = options.client_of(scheduler)
    loaded = load_model(model, Annotator)
    if "n_threads" in loaded.PARAMETERS:
        loaded.set_params(n_threads=threads)
    if label is not None:
        kind, found = "label", loaded.similar_labels(label, n)
    else:
        images = None if source is None else options.known_set(source, loaded)
        kind, found = "image", loaded.similar_images(image, n, images=images, client=client)
    if output is not None:
        n_rows = csv_table.write_csv((kind, "likeness"), (tuple(one) for one in found), output, excel=excel)
        note(f"saved {output}: {counted(n_rows, kind)}")
    elif as_json:
        say_json({kind: label if image is None else image, "similar": [one._asdict() for one in found]})
    elif found:
        say(table([kind, "similarity"], [[name, f"{score:.3f}"] for name, score in found], "lr"))
    else:
        say(f"no similar {kind} found: no other {kind} has training data")
