"""``vsenumba demo``: all there is to see, on the set that ships."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vsenumba.cli import options
from vsenumba.cli.compare import run_and_write
from vsenumba.cli.output import counted, note, say, say_json, suggest
from vsenumba.printable import printable

if TYPE_CHECKING:
    from vsenumba.data import AnnotationSet
    from vsenumba.models import Annotator

SET = "openclipart"
# The demo's own: another run may replace what is there.
FOLDER = Path("vsenumba-demo")
N_PICTURES = 3
N_SUGGESTIONS = 5
SEARCHED = "animal"
# Thousands of star polygons and icons that are tagged alike.
DULL_FOLDERS = ("computer", "shapes")


@click.command(epilog=options.examples("vsenumba demo --quick"))
@click.option(
    "--out",
    "folder",
    type=options.FILE,
    default=str(FOLDER),
    show_default=True,
    metavar="DIR",
    help="The folder to write to.",
)
@options.force_option
@click.option("--quick", is_flag=True, help="Fewer epochs and one seed: less to see, sooner.")
@options.seed_option
@options.threads_option
@options.json_option
def command(folder: Path, force: bool, quick: bool, seed: int, threads: int | None, as_json: bool) -> None:
    """Train six samplers on the set that ships, and show what for.

    Prints the table of a comparison and writes its figure, runs and best model, which then suggests labels for a few
    pictures and finds pictures by a label. The first time, every sampler is compiled for this machine, which takes a
    minute or two; after that it is a matter of seconds.
    """
    from vsenumba.data import load_dataset

    data = load_dataset(SET)
    settings = {
        "metric": "mrr",
        "n_epochs": 5 if quick else 20,
        "time_budget": None,
        "n_seeds": 1 if quick else 3,
        "random_state": seed,
        "n_threads": threads,
    }
    if not as_json:
        note("Six negative samplers learn which labels clip-art pictures have. The first time, each is compiled.")
    result = run_and_write(data, SET, folder, settings, force=force or folder == FOLDER)
    pictures, found = _pictures(data, result.model, seed), _found(result.model)
    if as_json:
        say_json(result.comparison.to_json() | {"pictures": pictures, "found": {SEARCHED: found}})
        return
    say()
    result.show()
    _show(data, pictures, found)
    model = str(folder / "model.h5")
    suggest(
        ["vsenumba", "annotate", model, pictures[0]["image"]],
        ["vsenumba", "find", model, "flower"],
        ["vsenumba", "plot", str(folder / "runs.h5"), "-o", "recall.png", "--metric", "recall@5"],
        ["vsenumba", "fit", "your-tags.csv", "-o", "your-model.h5"],
    )


def _pictures(data: AnnotationSet, model: Annotator, seed: int) -> list[dict[str, Any]]:
    """Return suggestions for some random pictures of different folders."""
    import numpy as np

    chosen: dict[str, str] = {}
    known = model.seen_.labels_per_image
    for row in np.random.default_rng(seed).permutation(np.flatnonzero(known >= 2)):
        image = data.image_ids[int(row)]
        folder = image.split("/")[0]
        if folder not in DULL_FOLDERS:
            chosen.setdefault(folder, image)
        if len(chosen) == N_PICTURES:
            break
    images = list(chosen.values())
    return [
        {
            "image": image,
            "known": model.seen_.labels_of(image),
            "suggestions": [one._asdict() for one in suggestions],
        }
        for image, suggestions in zip(images, model.annotate(images, n=N_SUGGESTIONS), strict=True)
    ]


def _found(model: Annotator) -> list[dict[str, Any]]:
    return [one._asdict() for one in model.find_images(SEARCHED, n=N_SUGGESTIONS)]


def _show(data: AnnotationSet, pictures: list[dict[str, Any]], found: list[dict[str, Any]]) -> None:
    say(f"\nThe best, trained on all pairs, suggests labels that {counted(len(pictures), 'picture')} lack:")
    for picture in pictures:
        say(f"\n  {printable(picture['image'] + _title(data, picture['image']))}")
        say(f"    has       {', '.join(picture['known'])}")
        say(f"    suggested {', '.join(one['name'] for one in picture['suggestions'])}")
    say(f"\nPictures without the label '{SEARCHED}' that it fits best:\n")
    for one in found:
        say(f"  {printable(one['name'] + _title(data, one['name']))}")


def _title(data: AnnotationSet, image: str) -> str:
    (row,) = data.image_ids.index([image])
    return f"  ({data.titles[row]})" if data.titles is not None and data.titles[row] else ""
