"""``vsenumba data pictures``: a folder of pictures becomes a set with features."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vsenumba.cli import options
from vsenumba.cli.output import counted, note, say, size_of

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
@click.option("--size", type=options.POSITIVE, help="Of a network: the pixels along each side of its input.")
@click.option("--mean", metavar="X|X,X,X", help="Of a network: what is subtracted from each channel.")
@click.option("--std", metavar="X|X,X,X", help="Of a network: what each channel is then divided by.")
@click.option("--scale", type=float, metavar="X", help="Of a network: what bytes are multiplied by before that.")
@click.option("--layout", metavar="NCHW|NHWC", help="Of a network: whether channels come before rows and columns.")
@click.option("--channels", metavar="RGB|BGR", help="Of a network: the order of the channels.")
@click.option("--resize", metavar="crop|pad|squash", help="Of a network: how pictures get its size.")
@click.option("--network-output", "output_name", metavar="NAME", help="Of a network: which of its outputs to take.")
@click.option("--pooling", metavar="mean|first", help="Of a network: which of many vectors a picture to take.")
@options.threads_option
def command(folder: Path, output: Path, tags: str | None, backbone: str, threads: int | None, **settings: Any) -> None:
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
    settings["output"] = settings.pop("output_name")
    pictures = PictureFolder(folder)
    with _interruptible(cache), _progress(len(pictures)) as show:
        read = read_pictures(
            pictures,
            tagged,
            backbone=backbone,
            cache=cache,
            n_threads=threads,
            after_batch=show,
            tags_name=tags or "",
            **settings,
        )
    read.data.save(output)
    for remark in read.remarks:
        note(f"warning: {remark}")
    _report(output, read)


def _report(output: Path, read: PicturesRead) -> None:
    described, joined = read.described, read.joined
    say(f"saved {output}: {size_of(read.data)}, {described.features.shape[1]:,} features ({described.backbone.name})")
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


@contextmanager
def _progress(n_pictures: int) -> Iterator[Callable[[int, int], None]]:
    """Show how far the pictures are, while stderr is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), TextColumn("{task.fields[note]}"))
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("pictures", total=n_pictures, note="")
        first: list[int] = []

        def show(n_done: int, n_broken: int) -> None:
            first[:] = first or [n_done + n_broken]  # those that were known took no time
            rate = (n_done + n_broken - first[0]) / max(bar.tasks[task].elapsed or 0, 1e-9)
            broken = f", {n_broken:,} broken" if n_broken else ""
            bar.update(task, completed=n_done + n_broken, note=f"{n_done:,} ({rate:.0f}/s){broken}")

        yield show
