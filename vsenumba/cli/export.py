"""``vsenumba export``: write a model's vectors for other programs."""

from __future__ import annotations

from pathlib import Path

import click

from vsenumba.cli import options
from vsenumba.cli.output import counted, say
from vsenumba.errors import InputError


@click.command(epilog=options.examples("vsenumba export model.h5 -o labels.vec"))
@options.model_argument
@options.output_option("FILE")
@click.option(
    "--what",
    type=click.Choice(["labels", "images"]),
    default="labels",
    show_default=True,
    help="Whose vectors.",
)
def command(model: Path, output: Path, what: str) -> None:
    """Write the vectors of labels or images for other programs.

    FILE ends in .npz (NumPy arrays 'names' and 'factors') or in .txt or .vec (the text format of word2vec, in which
    blanks within names become underscores). The dot product of an image's and a label's vector is the score.
    """
    from vsenumba.models import ImageAnnotator, load_model
    from vsenumba.models.export import check_format, export_factors

    check_format(output)
    options.check_output(output, model)
    loaded = load_model(model)
    if not isinstance(loaded, ImageAnnotator):
        raise InputError(f"{model} holds a model without vectors ({loaded.kind})")
    names = loaded.label_names_ if what == "labels" else loaded.image_ids_
    factors = loaded.label_factors_ if what == "labels" else loaded.embed(loaded.seen_)
    export_factors(output, names, factors)
    say(f"saved {output}: the vectors of {counted(len(names), what[:-1])}, {factors.shape[1]} factors each")
