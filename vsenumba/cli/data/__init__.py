"""``vsenumba data``: the commands for data sets."""

from __future__ import annotations

import click

from vsenumba.cli import options
from vsenumba.cli.lazy import LazyGroup

MODULES = {
    "list": "vsenumba.cli.data.catalogue",
    "info": "vsenumba.cli.data.info",
    "fetch": "vsenumba.cli.data.fetch",
    "import": "vsenumba.cli.data.importing",
    "pictures": "vsenumba.cli.data.pictures",
    "split": "vsenumba.cli.data.split",
    "synth": "vsenumba.cli.data.synth",
}


@click.group(cls=LazyGroup, modules=MODULES, epilog=options.examples("vsenumba data info openclipart"))
def command() -> None:
    """List, fetch, describe, convert, split and make data sets.

    A SET, here and in other commands, is the name of a set (see 'vsenumba data list'), or a file or a folder,
    recognised by its content: a table with a header and then one image and one label a row, all labels of an image in a
    cell, or a column for each label; JSON; Parquet; what exiftool writes; a folder of pictures with their tags in .txt
    or .xmp files beside them; a native .h5 file, which 'vsenumba data import' writes; or an .npz file of a matrix with
    a row per image and a column per label. The page docs/how-to/own-data.md shows each.

    A table has columns called, for example, "image" and "tag":  image,tag / cat-1.jpg,cat / cat-1.jpg,animal
    """
