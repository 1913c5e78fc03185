"""``vsenumba export``: write a model's vectors for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vsenumba.cli import options
from vsenumba.cli.output import counted, say
from vsenumba.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from vsenumba.data import Vocabulary
    from vsenumba.models import CrossModalRetriever


@click.command(
    epilog=options.examples(
        "vsenumba export model.h5 -o labels.vec",
        "vsenumba export words.h5 -o words.bin",
        "vsenumba export retriever.h5 --data pictures.h5 --what captions -o captions.npz",
    )
)
@options.model_argument
@options.output_option("FILE")
@click.option(
    "--what",
    type=click.Choice(["labels", "images", "captions"]),
    help="Whose vectors; of a model of words, it is theirs.  [labels; of a retriever images]",
)
@click.option("--data", metavar="SET", help="The set of a retriever, whose images or captions are embedded.")
def command(model: Path, output: Path, what: str | None, data: str | None) -> None:
    """Write the vectors of a model for other programs.

    FILE ends in .npz (NumPy arrays 'names' and 'factors'), in .txt or .vec (the text format of word2vec, in which
    blanks within names become underscores) or in .bin (its binary format). The dot product of an image's and a label's
    vector is the score; of a retriever's, which have length 1, the cosine.
    """
    from vsenumba.data.vector_files import check_format, export_factors
    from vsenumba.models import CrossModalRetriever, ImageAnnotator, WordEmbedder, load_model

    check_format(output)
    options.check_output(output, model)
    loaded = load_model(model)
    if isinstance(loaded, WordEmbedder):
        what, names, factors = "words", loaded.words_, loaded.word_factors_
    elif isinstance(loaded, CrossModalRetriever):
        what = what or "images"
        names, factors = _of_set(loaded, data, what)
    elif not isinstance(loaded, ImageAnnotator):
        raise InputError(f"{model} holds a model without vectors ({loaded.kind})")
    elif what == "captions":
        raise InputError(f"{model} holds a model of images and labels; captions are a retriever's")
    elif what is None or what == "labels":
        what, names, factors = "labels", loaded.label_names_, loaded.label_factors_
    else:
        names, factors = loaded.image_ids_, loaded.embed(loaded.seen_)
    export_factors(output, names, factors)
    say(f"saved {output}: the vectors of {counted(len(names), what[:-1])}, {factors.shape[1]} factors each")


def _of_set(model: CrossModalRetriever, data: str | None, what: str) -> tuple[Vocabulary, np.ndarray]:
    """Return the ids and the vectors of a set's images or captions."""
    from vsenumba.data import load_caption_set

    if data is None:
        raise InputError("a retriever embeds what it is given: name a set with --data")
    if what == "labels":
        raise InputError("a retriever has no labels: --what is images or captions")
    source = load_caption_set(data)
    if what == "images":
        return source.image_ids, model.embed_images(source)
    return source.caption_ids, model.embed_captions(source)
