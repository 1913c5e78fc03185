"""``vsenumba data import``: read a data set in any format and write a native file."""

from __future__ import annotations

from pathlib import Path

import click

from vsenumba.cli import options
from vsenumba.cli.output import note, say, size_of
from vsenumba.printable import counted


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
    help="Drop labels with fewer than N images.",
)
@click.option(
    "--min-labels-per-image",
    type=click.IntRange(min=0),
    metavar="N",
    default=0,
    show_default=True,
    help="Drop images with fewer than N labels.",
)
@click.option("--features", type=options.FILE, metavar="FILE", help="File with feature vectors of the images.")
@click.option(
    "--feature-ids",
    type=options.FILE,
    metavar="FILE.txt",
    help="Image ids of the feature vectors, one per line, if the --features file has no ids.",
)
@click.option("--feature-dataset", metavar="NAME", help="Array to read, if the --features file has several.")
@click.option("--backbone", metavar="NAME", help="Name of the network that computed the features; models check it.")
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
    """Convert a data set to a native .h5 file, which is fast to read.

    SET is the name of a data set or a file; see 'vsenumba data --help'.

    --min-images-per-label and --min-labels-per-image are applied repeatedly, until all remaining labels and images have
    enough.

    The --features file can be .npy, .npz, HDF5, Parquet, .fvecs, or a table of numbers with a column of ids. Images
    without features, and features without an image, are counted and dropped. Without ids, the rows must be in the order
    of the images.
    """
    from vsenumba.data import join_features, load_features, prune

    options.check_native_output(output, source, *filter(None, (features, feature_ids)))
    if features is None:
        for option in ("feature_ids", "feature_dataset", "backbone"):
            if options.is_given(option):
                raise click.UsageError(f"--{option.replace('_', '-')} requires --features")
    data = options.load_set(source)
    if features is not None:
        table = load_features(features, feature_ids, dataset=feature_dataset)
        if table.ids is None:
            note(
                f"warning: {features} has no ids; assuming that its rows are in the order in which images first appear "
                f"in {source}. Use --feature-ids to give the ids"
            )
        data = join_features(data, *table, backbone=backbone)
    pruned = prune(data, min_images_per_label, min_labels_per_image)
    pruned.save(output)
    say(f"saved {output}: {size_of(pruned)}")
    if pruned.n_pairs < data.n_pairs or pruned.n_images < data.n_images:
        say(
            f"dropped: {counted(data.n_images - pruned.n_images, 'image')}, "
            f"{counted(data.n_labels - pruned.n_labels, 'label')}, {counted(data.n_pairs - pruned.n_pairs, 'pair')}"
        )
