"""``vsenumba retrieval``: the commands for images and captions."""

from __future__ import annotations

import click

from vsenumba.cli import options
from vsenumba.cli.lazy import LazyGroup

MODULES = {
    "import": "vsenumba.cli.retrieval.importing",
    "fit": "vsenumba.cli.retrieval.fit",
    "evaluate": "vsenumba.cli.retrieval.evaluate",
    "search": "vsenumba.cli.retrieval.search",
}


@click.group(
    cls=LazyGroup,
    modules=MODULES,
    epilog=options.examples(
        "vsenumba retrieval import f30k_precomp/ -o f30k.h5",
        "vsenumba retrieval fit f30k.h5 -o retriever.h5",
    ),
)
def command() -> None:
    """Search images by captions and captions by images.

    In these commands, SET is a native .h5 file that 'vsenumba retrieval import' wrote, or any layout that it reads.
    """
