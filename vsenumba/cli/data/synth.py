"""``vsenumba data synth``: make a set of any size."""

from __future__ import annotations

from pathlib import Path

import click

from vsenumba.cli import options
from vsenumba.cli.output import say, size_of


@click.command(epilog=options.examples("vsenumba data synth -o synth.h5 --images 2000 --labels 200 --pairs 10000"))
@options.output_option("FILE.h5")
@click.option("--images", type=options.POSITIVE, default=10_000, show_default=True, help="How many images.")
@click.option("--labels", type=options.POSITIVE, default=1_000, show_default=True, help="How many labels.")
@click.option("--pairs", type=options.POSITIVE, default=100_000, show_default=True, help="How many pairs.")
@options.seed_option
def command(output: Path, images: int, labels: int, pairs: int, seed: int) -> None:
    """Make a set of any size, with topics and a long tail."""
    from vsenumba.data import synthetic

    options.check_output(output)
    data = synthetic(images, labels, pairs, rng=seed)
    data.save(output)
    say(f"saved {output}: {size_of(data)}")
