"""``vsenumba data import``: read a set of any format, leave out what is rare, write a native file."""

from __future__ import annotations

from pathlib import Path

import click

from vsenumba.cli import options
from vsenumba.cli.output import counted, note, say, size_of


@click.command(
    "import",
    epilog=options.examples(
        "vsenumba data import tags.csv -o tags.h5 --image-column image --label-column tag",
        "vsenumba data import tags.csv --features vectors.npy --feature-ids ids.txt --backbone clip -o tags.h5",
    ),
)
@options.set_argument
@options.catalogue_options
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
    type=click.IntRange(min=0),
    metavar="N",
    default=0,
    show_default=True,
    help="Leave out images with fewer labels.",
)
@click.option("--features", type=options.FILE, metavar="FILE", help="A file of feature vectors of the images.")
@click.option(
    "--feature-ids", type=options.FILE, metavar="FILE.txt", help="Their images' ids, one a line, where FILE has none."
)
@click.option("--feature-dataset", metavar="NAME", help="The array of FILE, where it has several.")
@click.option("--backbone", metavar="NAME", help="What the features were computed with; models keep it and check it.")
def command(
    source: str,
    output: Path,
    min_images_per_label: int,
    min_labels_per_image: int,
    features: Path | None,
    feature_ids: Path | None,
    feature_dataset: str | None,
    backbone: str | None,
) -> None:
    """Convert a set to a native .h5 file, quick to read.

    SET is a set's name or a file, see 'vsenumba data --help'. Labels with too few images and images with too few labels
    are left out, again and again until all that is left has enough.

    Features are .npy, .npz, HDF5, Parquet, .fvecs, or a table of numbers with a column of ids. Images without features,
    and features of no image, are counted and left out; without ids, the first row is the first image's.
    """
    from vsenumba.data import join_features, load_features, prune

    options.check_native_output(output, source, *filter(None, (features, feature_ids)))
    if features is None:
        for option in ("feature_ids", "feature_dataset", "backbone"):
            if options.is_given(option):
                raise click.UsageError(f"--{option.replace('_', '-')} goes with --features")
    data = options.load_set(source)
    if features is not None:
        table = load_features(features, feature_ids, dataset=feature_dataset)
        if table.ids is None:
            note(
                f"{features} has no ids: its rows are taken for the images in the order in which they first appear in "
                f"{source}; --feature-ids names them"
            )
        data = join_features(data, *table, backbone=backbone)
    pruned = prune(data, min_images_per_label, min_labels_per_image)
    pruned.save(output)
    say(f"saved {output}: {size_of(pruned)}")
    if pruned.n_pairs < data.n_pairs or pruned.n_images < data.n_images:
        say(
            f"left out: {counted(data.n_images - pruned.n_images, 'image')}, "
            f"{counted(data.n_labels - pruned.n_labels, 'label')}, {counted(data.n_pairs - pruned.n_pairs, 'pair')}"
        )
