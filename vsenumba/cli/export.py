"""``vsenumba export``: write a model's vectors for other programs."""

from __future__ import annotations

from pathlib import Path

import click

from vsenumba.cli import options
from vsenumba.cli.output import counted, say
from vsenumba.errors import InputError

KINDS = ("labels", "images", "captions", "words")


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
    type=click.Choice(KINDS),
    help="Whose vectors; by default those that the model has first: labels, words, or a retriever's images.",
)
@click.option("--data", metavar="SET", help="The set whose images or captions are embedded; a retriever needs one.")
@options.threads_option
def command(model: Path, output: Path, what: str | None, data: str | None, threads: int | None) -> None:
    """Write the vectors of a model for other programs.

    FILE ends in .npz (NumPy arrays 'factors' and 'names', in which each name takes the room of the longest), in .txt or
    .vec (the text format of word2vec, in which blanks within names become underscores) or in .bin (its binary format).
    The dot product of an image's and a label's vector is the score; of a retriever's, which have length 1, the cosine.
    """
    from vsenumba.data.vector_files import check_format, write_vectors
    from vsenumba.models import load_model

    options.check_output(output, model, streams=check_format(output) != ".npz")
    loaded = load_model(model)
    if not loaded.exports:
        raise InputError(f"{model} holds a model without vectors ({loaded.kind})")
    what = what or loaded.exports[0]
    if what not in loaded.exports:
        known = " or ".join(loaded.exports)
        raise InputError(f"{model} holds a model of {loaded.subject}: --what is {known}, not {what}")
    if data is not None and what in ("labels", "words"):
        raise click.UsageError(
            f"--data goes with '--what images' or captions; the vectors of {what} are the model's own"
        )
    if "n_threads" in loaded.PARAMETERS:
        loaded.set_params(n_threads=threads)
    names, factors = loaded.vectors(what, data)
    write_vectors(output, names, factors)
    say(f"saved {output}: the vectors of {counted(len(names), what[:-1])}, {factors.shape[1]} factors each")
