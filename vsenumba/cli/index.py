"""``vsenumba index``: build an approximate index of images, to search a million or more."""

from __future__ import annotations

from pathlib import Path

import click

from vsenumba.cli import options
from vsenumba.cli.output import say, say_json


@click.command(epilog=options.examples("vsenumba index model.h5 -o model.ann"))
@options.model_argument
@options.set_option("Index the images of this data set.  [default: the model's training images]")
@options.output_option("INDEX")
@options.json_option
def command(model: Path, source: str | None, output: Path, as_json: bool) -> None:
    """Build an approximate search index of a model's images.

    'vsenumba find --index' searches the index. An index needs at least a million images. With fewer, the exact search
    takes a tenth of a second, so the command refuses them.

    Loading an index takes seconds. For many searches, load it once in Python with vsenumba.models.ImageIndex.

    The index uses vectors only, so fit the model with '--set max_neighbours=0'. It needs faiss: pip install
    'vsenumba[ann]'.
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
        say(f"saved {output}: {index.n_images:,} images, recall@10 {index.recall:.2f}")
