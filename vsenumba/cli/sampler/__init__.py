"""``vsenumba sampler``: the commands for negative samplers."""

from __future__ import annotations

import click

from vsenumba.cli import options
from vsenumba.cli.lazy import LazyGroup

MODULES = {"show": "vsenumba.cli.sampler.show"}


@click.group(cls=LazyGroup, modules=MODULES, epilog=options.examples("vsenumba sampler show adaptive"))
def command() -> None:
    """Inspect negative samplers.

    In each training step, a model learns to rank a known label of an image above a negative label, which the image does
    not have. The sampler draws this negative label. Every sampler can compute its exact distribution: the probability
    of drawing each label.
    """
