"""``vsenumba data pictures``: a folder of pictures becomes a set with features."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vsenumba.cli import options
from vsenumba.cli.output import counted, note, say, size_of
from vsenumba.cli.picture_options import network_options, network_settings, picture_progress

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
@click.option("--tags", metavar="SET", help="Which picture has which tags: any SET, see 'vsenumba data --help'.")
@options.table_options
@click.option(
    "--backbone",
    default="descriptors",
    show_default=True,
    metavar="NAME|FILE.onnx",
    help="What makes a vector of a picture: built-in descriptors, or an image network.",
)
@network_options
@options.threads_option
def command(folder: Path, output: Path, tags: str | None, backbone: str, threads: int | None) -> None:
    """Make a set of a folder of pictures, with features.

    All JPEG, PNG, WebP, GIF, TIFF and BMP files in FOLDER and the folders within it are read. Each becomes an image,
    called by its path within FOLDER, such as birds/a.jpg, with a vector of features. Broken pictures are named and left
    out.

    Images of --tags are found among the pictures by path, or by name where that is not ambiguous. Pictures without tags
    are kept, to be annotated.

    What is computed is kept beside FILE.h5, in FILE.h5.cache: when it is interrupted, or pictures were added, the same
    command goes on from there. The file may be deleted at any time.

    What is not said of a network is taken from its file, or else assumed as networks trained on ImageNet have it; a
    warning says what was.
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
    known = f", {described.n_known:,} known from before" if described.n_known else ""
    say(f"pictures: {new:,} described{known}, {counted(len(described.broken), 'broken one')} left out")
    if joined is None:
        return
    ways = ", ".join(f"{n:,} {way}" for way, n in joined.ways.items())
    lost = f"; {counted(len(joined.lost), 'image')} of the tags not found" if joined.lost else ""
    say(f"tags: {ways}{lost}; {counted(int((read.data.labels_per_image == 0).sum()), 'picture')} without tags")


@contextmanager
def _interruptible(cache: Path) -> Iterator[None]:
    """Say, where the block is interrupted, that nothing is lost; a termination interrupts it like Ctrl-C."""
    main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, signal.default_int_handler) if main else None
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"interrupted; what was computed is in {cache}, and the same command goes on") from None
    finally:
        if main:
            signal.signal(signal.SIGTERM, before)
