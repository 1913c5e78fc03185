"""``vsenumba retrieval search``: search images by a text, or captions by an image."""

from __future__ import annotations

from pathlib import Path

import click

from vsenumba.cli import options
from vsenumba.cli.output import say, say_json, table
from vsenumba.errors import InputError


@click.command(
    epilog=options.examples(
        'vsenumba retrieval search retriever.h5 pictures.h5 "a red car" --sheet found.png',
        "vsenumba retrieval search retriever.h5 pictures.h5 --image noto/1f697",
    )
)
@options.model_argument
@options.caption_set_argument
@click.argument("text", required=False)
@click.option("--image", help="Search captions for this image instead.")
@click.option("--sheet", type=options.OUTPUT, metavar="FIGURE", help="Draw the images found (.png, .svg or .pdf).")
@options.count_option
@options.threads_option
@options.json_option
def command(
    model: Path,
    source: str,
    text: str | None,
    image: str | None,
    sheet: Path | None,
    n: int,
    threads: int | None,
    as_json: bool,
) -> None:
    """Search images by a text, or captions by an image.

    SET is a native .h5 file or any layout that 'vsenumba retrieval import' reads.
    """
    from vsenumba.data import load_caption_set
    from vsenumba.models import CrossModalRetriever, load_model

    if (text is None) == (image is None):
        raise InputError("give either a TEXT, or an image with --image")
    if sheet is not None:
        options.check_output(sheet, source, model)
    retriever = load_model(model, CrossModalRetriever).set_params(n_threads=threads)
    options.limit_threads(threads)
    data = load_caption_set(source)
    found = retriever.find_images(text, data, n) if text is not None else retriever.find_captions(str(image), data, n)
    if sheet is not None:
        from vsenumba.plotting import contact_sheet, save_figure

        if data.thumbnails is None or text is None:
            raise InputError("--sheet needs a TEXT, and a SET with thumbnails")
        rows = data.image_ids.index([one.name for one in found])
        save_figure(
            contact_sheet(data.thumbnails[rows], [f"{one.name}\n{one.score:.2f}" for one in found], str(text)), sheet
        )
    if as_json:
        say_json([one._asdict() for one in found])
        return
    say(
        table(["image" if text is not None else "caption", "cosine"], [[o.name, f"{o.score:.3f}"] for o in found], "lr")
    )
    if sheet is not None:
        say(f"saved {sheet}")
