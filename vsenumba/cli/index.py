"""``vsenumba index``: an approximate index of images, for searches among a million and more."""

from __future__ import annotations

from pathlib import Path

import click

from vsenumba.cli import options
from vsenumba.cli.output import say, say_json


@click.command(epilog=options.examples("vsenumba index model.h5 -o model.ann"))
@options.model_argument
@options.set_option("Index the images of this set; by default those that the model was trained on.")
@options.output_option("INDEX")
@options.json_option
def command(model: Path, source: str | None, output: Path, as_json: bool) -> None:
    """Index the images of a model, for 'vsenumba find --index'.

    An index pays from a million images on, and fewer are refused: there the exact search takes a tenth of a second. To
    read one takes seconds, so that it is for many questions, as in Python: vsenumba.models.ImageIndex. It needs faiss:
    pip install 'vsenumba[ann]'. And it goes by vectors alone: fit the model with '--set max_neighbours=0'.
    """
    from vsenumba.models import ImageAnnotator, load_model
    from vsenumba.models.image_index import ImageIndex

    options.check_output(output, model, *([source] if source else []))
    loaded = load_model(model, ImageAnnotator)
    index = ImageIndex.build(loaded, None if source is None else options.known_set(source, loaded))
    index.save(output)
    if as_json:
        say_json({"index": str(output), "images": index.n_images, "recall@10": index.recall})
    else:
        say(f"saved {output}: {index.n_images:,} images, recall@10 {index.recall:.2f} when it was built")
