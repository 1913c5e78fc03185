"""``vsenumba export``: write a model's vectors for other programs."""

from __future__ import annotations

from pathlib import Path

import click

from vsenumba.cli import options
from vsenumba.cli.output import say
from vsenumba.errors import InputError
from vsenumba.printable import counted

KINDS = ("labels", "images", "captions", "words")


@click.command(
    epilog=options.examples(
        "vsenumba export model.h5 -o labels.vec",
        "vsenumba export model.h5 --what images -o images.parquet",
        "vsenumba export model.h5 -o model.safetensors",
        "vsenumba export words.h5 -o words.bin",
        "vsenumba export retriever.h5 --data pictures.h5 --what captions -o captions.npz",
    )
)
@options.model_argument
@options.output_option("FILE")
@click.option(
    "--what",
    type=click.Choice(KINDS),
    help="Vectors to write.  [default: labels, words, or the images of a retriever]",
)
@click.option("--data", metavar="SET", help="Data set whose images or captions to embed; required for a retriever.")
@options.threads_option
@options.scheduler_option
def command(
    model: Path, output: Path, what: str | None, data: str | None, threads: int | None, scheduler: str | None
) -> None:
    """Write the vectors of a model for other programs.

    The ending of FILE selects the format:

    \b
      .npz          NumPy arrays 'factors' and 'names' (padded to equal length)
      .txt, .vec    text format of word2vec (spaces in names become underscores)
      .bin          binary format of word2vec
      .h5           HDF5 datasets 'factors' and 'names'
      .parquet      columns 'factors' and 'names'
      .safetensors  one tensor for each kind of name; names in the metadata

    The score of an image and a label is the dot product of their vectors. Vectors of a retriever have length 1, so
    their dot product is the cosine.

    Vectors of images and captions are written to .h5 and .parquet in blocks. With --scheduler, the workers of a Dask
    cluster compute these blocks. A .safetensors file contains all vectors of the model, unless --what selects one kind.
    """  # noqa: D301  # click reads the backspace
    from vsenumba.data.parquet_tables import check_parquet
    from vsenumba.data.safetensors_files import write_safetensors
    from vsenumba.data.vector_files import STREAMED, check_format, write_vector_blocks, write_vectors
    from vsenumba.models import encode_each, load_model

    ending = check_format(output)
    if ending == ".parquet":
        check_parquet(output)
    if scheduler is not None and (what not in ("images", "captions") or ending not in STREAMED):
        raise click.UsageError(
            "--scheduler requires '--what images' or '--what captions', and a FILE that ends in .h5 or .parquet"
        )
    options.check_output(output, model, streams=ending not in (".npz", *STREAMED))
    client = options.client_of(scheduler)
    loaded = load_model(model)
    if not loaded.exports:
        raise InputError(f"{model} has no vectors to export: it is a model of type {loaded.kind}")
    kinds = (what or loaded.exports[0],) if what or ending != ".safetensors" else loaded.exports
    if kinds[0] not in loaded.exports:
        known = " or ".join(loaded.exports)
        raise InputError(f"{model} is a model of {loaded.subject} and has no vectors of {what}; use --what {known}")
    if data is not None and not {"images", "captions"} & set(kinds):
        raise click.UsageError(
            f"--data requires '--what images' or '--what captions'; the vectors of {kinds[0]} are in the model"
        )
    if "n_threads" in loaded.PARAMETERS:
        loaded.set_params(n_threads=threads)
    if ending in STREAMED and kinds[0] in ("images", "captions"):
        n_names = write_vector_blocks(output, encode_each(loaded, kinds[0], data, client=client))
        say(_saved(output, kinds[0], n_names, loaded.n_factors))
        return
    tables = [loaded.vectors(kind, data) for kind in kinds]
    if ending == ".safetensors":
        write_safetensors(output, tables)
    else:
        write_vectors(output, *tables[0])
    for kind, (names, factors) in zip(kinds, tables, strict=True):
        say(_saved(output, kind, len(names), factors.shape[1]))


def _saved(output: Path, kind: str, n_names: int, n_factors: int) -> str:
    return f"saved {output}: the vectors of {counted(n_names, kind[:-1])}, {n_factors} factors each"
