"""``vsenumba demo``: a tour of the package on the built-in data set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vsenumba.cli import options
from vsenumba.cli.compare import run_and_write
from vsenumba.cli.output import note, say, say_json, suggest
from vsenumba.printable import counted, printable

if TYPE_CHECKING:
    from vsenumba.data import AnnotationSet
    from vsenumba.models import Annotator

SET = "openclipart"
# Only the demo writes here, so another run may replace the files.
FOLDER = Path("vsenumba-demo")
N_PICTURES = 3
N_SUGGESTIONS = 5
SEARCHED = "animal"
# These folders hold thousands of star polygons and icons with the same tags.
DULL_FOLDERS = ("computer", "shapes")


@click.command(epilog=options.examples("vsenumba demo --quick"))
@click.option(
    "--out",
    "folder",
    type=options.FILE,
    default=str(FOLDER),
    show_default=True,
    metavar="DIR",
    help="Folder to write to.",
)
@options.force_option
@click.option("--quick", is_flag=True, help="Train for fewer epochs and with one seed.")
@options.seed_option
@options.threads_option
@options.json_option
def command(folder: Path, force: bool, quick: bool, seed: int, threads: int | None, as_json: bool) -> None:
    """Compare six samplers on the built-in data set.

    The command prints a comparison table and writes a figure, the runs and the best model. It then uses that model to
    suggest labels for a few pictures and to find pictures by a label.

    The first run compiles the samplers for this machine, which takes a minute or two. Later runs take seconds.
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
        note("Training models with six negative samplers on tagged clip art. The first run also compiles them.")
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
    say(f"\nSuggestions of the best model, trained on all pairs, for {counted(len(pictures), 'picture')}:")
    for picture in pictures:
        say(f"\n  {printable(picture['image'] + _title(data, picture['image']))}")
        say(f"    known     {', '.join(picture['known'])}")
        say(f"    suggested {', '.join(one['name'] for one in picture['suggestions'])}")
    say(f"\nBest matches for '{SEARCHED}' among the pictures without this label:\n")
    for one in found:
        say(f"  {printable(one['name'] + _title(data, one['name']))}")


def _title(data: AnnotationSet, image: str) -> str:
    (row,) = data.image_ids.index([image])
    return f"  ({data.titles[row]})" if data.titles is not None and data.titles[row] else ""
