"""``vsenumba data import``: read a set of any format, leave out what is rare, write a native file."""

from __future__ import annotations

from pathlib import Path

import click

from vsenumba.cli import options
from vsenumba.cli.output import counted, say, size_of


@click.command(
    "import",
    epilog=options.examples("vsenumba data import tags.csv -o tags.h5 --image-column image --label-column tag"),
)
@options.set_argument
@options.output_option("FILE.h5")
@click.option(
    "--min-images-per-label",
    type=options.POSITIVE,
    default=1,
    show_default=True,
    help="Leave out rarer labels.",
)
@click.option(
    "--min-labels-per-image",
    type=options.POSITIVE,
    default=1,
    show_default=True,
    help="Leave out images with fewer labels.",
)
def command(
    source: str,
    output: Path,
    min_images_per_label: int,
    min_labels_per_image: int,
) -> None:
    """Convert a set to a native .h5 file, quick to read.

    SET is a set's name or a file, see 'vsenumba data --help'. Labels with too few images and images with too few labels
    are left out, again and again until all that is left has enough.
    """
    from vsenumba.data import prune

    options.check_native_output(output, source)
    data = options.load_set(source)
    pruned = prune(data, min_images_per_label, min_labels_per_image)
    pruned.save(output)
    say(f"saved {output}: {size_of(pruned)}")
    if pruned.n_pairs < data.n_pairs:
        say(
            f"left out: {counted(data.n_images - pruned.n_images, 'image')}, "
            f"{counted(data.n_labels - pruned.n_labels, 'label')}, {counted(data.n_pairs - pruned.n_pairs, 'pair')}"
        )
