"""``vsenumba retrieval evaluate``: measure the quality of image-caption retrieval."""

from __future__ import annotations

from pathlib import Path

import click

from vsenumba.cli import options
from vsenumba.cli.output import say, say_json, table
from vsenumba.cli.retrieval.parts import part_of
from vsenumba.printable import counted


@click.command(epilog=options.examples("vsenumba retrieval evaluate retriever.h5 pictures.h5 --part test"))
@options.model_argument
@options.caption_set_argument
@click.option("--part", help="Part to evaluate on.  [default: test if it exists, else all]")
@click.option(
    "--folds",
    type=options.POSITIVE,
    default=1,
    show_default=True,
    help="Split the images into N consecutive folds and report the mean over the folds.",
)
@options.threads_option
@options.json_option
def command(model: Path, source: str, part: str | None, folds: int, threads: int | None, as_json: bool) -> None:
    """Measure the quality of image-caption retrieval.

    SET is a native .h5 file or any layout that 'vsenumba retrieval import' reads. The model ranks all captions for
    every image, and all images for every caption.
    """
    from vsenumba.data import load_caption_set
    from vsenumba.models import CrossModalRetriever, load_model

    retriever = load_model(model, CrossModalRetriever).set_params(n_threads=threads)
    options.limit_threads(threads)
    data = load_caption_set(source)
    data = part_of(data, part, ("test",)) or data
    scores = retriever.evaluate(data, n_folds=folds)
    if as_json:
        say_json({"n_images": scores.n_images, "n_captions": scores.n_captions, "folds": folds, **scores.mean})
        return
    say(f"{counted(scores.n_images, 'image')}, {counted(scores.n_captions, 'caption')}, rsum {scores.mean['rsum']:.3f}")
    columns = [name.removeprefix("i2t_") for name in scores.mean if name.startswith("i2t_")]
    rows = [
        [title, *(_shown(name, scores.mean[f"{way}_{name}"]) for name in columns)]
        for way, title in (("i2t", "image to captions"), ("t2i", "caption to images"))
    ]
    say(table(["direction", *(name.replace("_", " ") for name in columns)], rows, "l" + "r" * len(columns)))


def _shown(name: str, value: float) -> str:
    return f"{value:.1f}" if name.endswith("rank") else f"{value:.3f}"
