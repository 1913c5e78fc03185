"""``vsenumba data pictures``: make a data set with image features from a folder of pictures."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vsenumba.cli import options
from vsenumba.cli.output import note, say, size_of
from vsenumba.cli.picture_options import network_options, network_settings, picture_progress
from vsenumba.printable import counted

if TYPE_CHECKING:
    from vsenumba.pictures import PicturesRead


@click.command(
    epilog=options.examples(
        "vsenumba data pictures photos -o photos.h5 --tags tags.csv",
        "vsenumba data pictures photos -o photos.h5",
    )
)
@click.argument("folder", type=options.FILE)
@options.output_option("FILE.h5")
@click.option("--tags", metavar="SET", help="Data set with the tags of the pictures; see 'vsenumba data --help'.")
@options.table_options
@click.option(
    "--backbone",
    default="descriptors",
    show_default=True,
    metavar="NAME|FILE.onnx",
    help="Backbone that computes the features: built-in descriptors, or an image network.",
)
@network_options
@options.threads_option
def command(folder: Path, output: Path, tags: str | None, backbone: str, threads: int | None) -> None:
    """Make a data set with image features from a folder of pictures.

    The command reads all JPEG, PNG, WebP, GIF, TIFF and BMP files in FOLDER and its subfolders. The id of a picture is
    its path within FOLDER, such as birds/a.jpg. Broken pictures are reported and skipped.

    The images of --tags are matched to the pictures by path, or by file name if that is unique. Pictures without tags
    are kept, so that a model can suggest tags for them.

    Computed features are cached in FILE.h5.cache. After an interruption, or if you add pictures, run the same command
    again; it continues from the cache. You can delete the cache at any time.

    Settings of an image network that you do not give are read from its file. Missing ones are assumed to be those of
    networks trained on ImageNet, with a warning.
    """
    from vsenumba.pictures import PictureFolder, read_pictures
    from vsenumba.storage import check_writable

    cache = Path(f"{output}.cache")
    options.check_native_output(output, *([tags] if tags is not None else []))
    check_writable(cache)
    tagged = None if tags is None else options.load_set(tags)
    if tags is None:
        options.refuse_table_options("--tags")
    pictures = PictureFolder(folder)
    with _interruptible(cache), picture_progress(len(pictures)) as show:
        read = read_pictures(
            pictures,
            tagged,
            backbone=backbone,
            cache=cache,
            n_threads=threads,
            after_batch=show,
            tags_name=tags or "",
            **network_settings(),
        )
    read.data.save(output)
    for remark in read.remarks:
        note(f"warning: {remark}")
    _report(output, read)


def _report(output: Path, read: PicturesRead) -> None:
    described, joined = read.described, read.joined
    say(f"saved {output}: {size_of(read.data)} ({described.backbone.name})")
    new = len(described.image_ids) - described.n_known
    known = f", {described.n_known:,} from the cache" if described.n_known else ""
    say(f"pictures: {new:,} computed{known}, {len(described.broken):,} broken and skipped")
    if joined is None:
        return
    ways = ", ".join(f"{n:,} {way}" for way, n in joined.ways.items())
    lost = f"; {counted(len(joined.lost), 'tagged image')} not found" if joined.lost else ""
    say(f"tags: {ways}{lost}; {counted(int((read.data.labels_per_image == 0).sum()), 'picture')} without tags")


@contextmanager
def _interruptible(cache: Path) -> Iterator[None]:
    """If the block is interrupted by Ctrl-C or a termination signal, report that the computed features are saved."""
    main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, signal.default_int_handler) if main else None
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"interrupted; computed features are saved in {cache}. Continue with the same command"
        ) from None
    finally:
        if main:
            signal.signal(signal.SIGTERM, before)
