"""``vsenumba data synth``: generate a synthetic data set of any size."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from vsenumba.cli import options
from vsenumba.cli.output import say
from vsenumba.printable import counted
from vsenumba.progress import progress_line


@click.command(epilog=options.examples("vsenumba data synth -o synth.h5 --images 2000 --labels 200 --pairs 10000"))
@options.output_option("FILE.h5")
@click.option("--images", type=options.POSITIVE, default=10_000, show_default=True, help="Number of images.")
@click.option("--labels", type=options.POSITIVE, default=1_000, show_default=True, help="Number of labels.")
@click.option("--pairs", type=options.POSITIVE, default=100_000, show_default=True, help="Number of pairs.")
@options.seed_option
def command(output: Path, images: int, labels: int, pairs: int, seed: int) -> None:
    """Generate a synthetic data set of any size.

    The labels have topics and a long tail of rare labels. The pairs are written as they are generated, so 60 million
    pairs of 9 million images need less than 1 GB of memory.
    """
    from vsenumba.data import save_synthetic

    options.check_native_output(output)
    with _progress(pairs) as show:
        save_synthetic(output, images, labels, pairs, rng=seed, after_block=show)
    sizes = [counted(n, what) for n, what in ((images, "image"), (labels, "label"), (pairs, "pair"))]
    say(f"saved {output}: {', '.join(sizes)}")


@contextmanager
def _progress(n_pairs: int) -> Iterator[Callable[[int], None]]:
    """Show the progress of generating pairs."""
    with progress_line("generating pairs", n_pairs) as line:
        yield lambda n_done: line.update(n_done, f"{n_done / max(line.seconds, 1e-9) / 1e6:.1f} M pairs/s")
