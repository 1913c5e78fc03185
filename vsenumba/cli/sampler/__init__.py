"""``vsenumba sampler``: the commands for negative samplers."""

from __future__ import annotations

import click

from vsenumba.cli import options
from vsenumba.cli.lazy import LazyGroup

MODULES = {"show": "vsenumba.cli.sampler.show"}


@click.group(cls=LazyGroup, modules=MODULES, epilog=options.examples("vsenumba sampler show adaptive"))
def command() -> None:
    """Look into negative samplers.

    A sampler picks the label that an image's own label is trained against. Each has a law, the probability of every
    label, that is known exactly; training draws from it with compiled code.
    """
