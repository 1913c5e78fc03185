"""``vsenumba export``: write a model's vectors for other programs."""

from __future__ import annotations

from pathlib import Path

import click

from vsenumba.cli import options
from vsenumba.cli.output import counted, say
from vsenumba.errors import InputError


@click.command(
    epilog=options.examples("vsenumba export model.h5 -o labels.vec", "vsenumba export words.h5 -o words.bin")
)
@options.model_argument
@options.output_option("FILE")
@click.option(
    "--what",
    type=click.Choice(["labels", "images"]),
    default="labels",
    show_default=True,
    help="Whose vectors; of a model of words, it is theirs.",
)
def command(model: Path, output: Path, what: str) -> None:
    """Write vectors of labels, images or words for other programs.

    FILE ends in .npz (NumPy arrays 'names' and 'factors'), in .txt or .vec (the text format of word2vec, in which
    blanks within names become underscores) or in .bin (its binary format). The dot product
    of an image's and a label's vector is the score.
    """
    from vsenumba.models import ImageAnnotator, WordEmbedder, load_model
    from vsenumba.models.export import check_format, export_factors

    check_format(output)
    options.check_output(output, model)
    loaded = load_model(model)
    if isinstance(loaded, WordEmbedder):
        what, names, factors = "words", loaded.words_, loaded.word_factors_
    elif not isinstance(loaded, ImageAnnotator):
        raise InputError(f"{model} holds a model without vectors ({loaded.kind})")
    elif what == "labels":
        names, factors = loaded.label_names_, loaded.label_factors_
    else:
        names, factors = loaded.image_ids_, loaded.embed(loaded.seen_)
    export_factors(output, names, factors)
    say(f"saved {output}: the vectors of {counted(len(names), what[:-1])}, {factors.shape[1]} factors each")
