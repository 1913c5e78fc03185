"""``vsenumba words``: the commands for word vectors."""

from __future__ import annotations

import click

from vsenumba.cli import options
from vsenumba.cli.lazy import LazyGroup

MODULES = {
    "fit": "vsenumba.cli.words.fit",
    "evaluate": "vsenumba.cli.words.evaluate",
    "neighbors": "vsenumba.cli.words.neighbors",
    "analogy": "vsenumba.cli.words.analogy",
}


@click.group(
    cls=LazyGroup,
    modules=MODULES,
    epilog=options.examples("vsenumba words fit notes.txt -o words.h5", "vsenumba words neighbors words.h5 river"),
)
def command() -> None:
    """Train word vectors on text and query them.

    In these commands, VECTORS is a model that 'vsenumba words fit' wrote, or a file in word2vec's text or binary
    format. The format is detected from the content.
    """
