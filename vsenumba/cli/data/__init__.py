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
    """List, download, convert, split and generate data sets.

    In all commands, SET is the name of a data set (see 'vsenumba data list'), a file, or a folder. The format is
    detected from the content:

    \b
      table      a header, then one image and one label per row,
                 or all labels of an image in one cell,
                 or one column per label
      JSON       records of images with their labels
      Parquet    the same columns as a table
      exiftool   its CSV or JSON output
      folder     pictures with their tags in .txt or .xmp files
      .npz       a matrix with a row per image and a column per label
      .h5        a native file, written by 'vsenumba data import'

    \b
    Example of a table:
      image,tag
      cat-1.jpg,cat
      cat-1.jpg,animal

    docs/how-to/own-data.md shows an example of each format.
    """  # noqa: D301  # click reads the backspace
