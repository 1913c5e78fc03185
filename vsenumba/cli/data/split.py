"""``vsenumba data split``: split the pairs of a data set."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vsenumba.cli import options
from vsenumba.cli.output import say
from vsenumba.printable import counted

if TYPE_CHECKING:
    from vsenumba.data import AnnotationSet


@click.command(epilog=options.examples("vsenumba data split openclipart --out parts --method holdout --fraction 0.1"))
@options.set_argument
@click.option("--out", "folder", type=options.FILE, required=True, metavar="DIR", help="Folder to write to.")
@options.force_option
@click.option(
    "--method",
    type=click.Choice(["leave-one-out", "holdout", "kfold"]),
    default="leave-one-out",
    show_default=True,
    help="Test on one pair of every image with several labels, on a fraction of all pairs, or on each fold in turn.",
)
@click.option(
    "--fraction", type=float, default=0.2, show_default=True, help="Fraction of test pairs, for '--method holdout'."
)
@click.option(
    "--folds", type=options.POSITIVE, default=5, show_default=True, help="Number of folds, for '--method kfold'."
)
@options.seed_option
def command(source: str, folder: Path, force: bool, method: str, fraction: float, folds: int, seed: int) -> None:
    """Split the pairs of a data set into training and test sets.

    SET is the name of a data set or a file; see 'vsenumba data --help'.

    The command writes train.h5 and test.h5, or train-1.h5, test-1.h5, train-2.h5 and so on for folds. Every file has
    all images and all labels; only the pairs are split.
    """
    for option, its_method in (("fraction", "holdout"), ("folds", "kfold")):
        if options.is_given(option) and method != its_method:
            raise click.UsageError(f"--{option} requires '--method {its_method}'")
    parts = _parts(options.load_set(source), method, fraction, folds, seed)
    numbers = [f"-{i + 1}" for i in range(folds)] if method == "kfold" else [""]
    names = [f"{role}{n}.h5" for n in numbers for role in ("train", "test")]
    paths = options.prepare_folder(folder, names, force=force)
    for (train, test), train_path, test_path in zip(parts, paths[::2], paths[1::2], strict=True):
        for path, part in ((train_path, train), (test_path, test)):
            part.save(path)
            say(f"saved {path}: {counted(part.n_pairs, 'pair')}")


def _parts(
    data: AnnotationSet, method: str, fraction: float, folds: int, seed: int
) -> Iterator[tuple[AnnotationSet, AnnotationSet]]:
    from vsenumba.data import holdout, kfold, leave_one_out

    if method == "kfold":
        return kfold(data, folds, rng=seed)
    return iter([holdout(data, fraction, rng=seed) if method == "holdout" else leave_one_out(data, rng=seed)])
