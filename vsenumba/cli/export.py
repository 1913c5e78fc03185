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
        "vsenumba export model.h5 --what images -o images.parquet",
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
@options.scheduler_option
def command(
    model: Path, output: Path, what: str | None, data: str | None, threads: int | None, scheduler: str | None
) -> None:
    """Write the vectors of a model for other programs.

    FILE ends in .npz (NumPy arrays 'factors' and 'names', in which each name takes the room of the longest), in .txt or
    .vec (the text format of word2vec, in which blanks within names become underscores), in .bin (its binary format), in
    .h5 (HDF5 datasets 'factors' and 'names') or in .parquet (columns of these names). To .h5 and .parquet the vectors
    of images and captions are written as they are made, with --scheduler by the workers of a cluster.
    The dot product of an image's and a label's vector is the score; of a retriever's, which have length 1, the cosine.
    """
    from vsenumba.data.parquet_tables import check_parquet
    from vsenumba.data.vector_files import STREAMED, check_format, write_vector_blocks, write_vectors
    from vsenumba.models import encode_each, load_model

    ending = check_format(output)
    if ending == ".parquet":
        check_parquet(output)
    if scheduler is not None and (what not in ("images", "captions") or ending not in STREAMED):
        raise click.UsageError("--scheduler goes with '--what images' or captions, and -o FILE.h5 or FILE.parquet")
    options.check_output(output, model, streams=ending not in (".npz", *STREAMED))
    client = options.client_of(scheduler)
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
    if what in ("images", "captions") and ending in STREAMED:
        n_names = write_vector_blocks(output, encode_each(loaded, what, data, client=client))
        n_factors = loaded.n_factors
    else:
        names, factors = loaded.vectors(what, data)
        write_vectors(output, names, factors)
        n_names, n_factors = len(names), factors.shape[1]
    say(f"saved {output}: the vectors of {counted(n_names, what[:-1])}, {n_factors} factors each")
