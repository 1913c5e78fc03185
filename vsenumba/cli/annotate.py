"""``vsenumba annotate``: suggest labels for images."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vsenumba.cli import csv_table, options
from vsenumba.cli.output import counted, note, say, say_json, table
from vsenumba.printable import printable

if TYPE_CHECKING:
    from vsenumba.models import Annotator

_AT_A_TIME = 4096


@click.command(
    epilog=options.examples(
        "vsenumba annotate model.h5 food/fruit/apple",
        'vsenumba annotate model.h5 --labels "animal,farm" -n 5',
        "vsenumba annotate model.h5 --all -n 3 -o suggestions.csv",
    )
)
@options.model_argument
@click.argument("images", metavar="[IMAGE]...", nargs=-1)
@click.option(
    "--labels",
    "label_lists",
    multiple=True,
    metavar="LABEL,LABEL,...",
    help="The known labels of an image that the model has never seen; give it several times for several images. "
    "A label with a comma stands in quotes: '\"New York, NY\",city'.",
)
@click.option(
    "--all", "all_images", is_flag=True, help="Every image that the model knows; prints a table image,label,score."
)
@csv_table.output_option
@csv_table.excel_option
@options.count_option
@options.threads_option
@options.json_option
def command(
    model: Path,
    images: tuple[str, ...],
    label_lists: tuple[str, ...],
    all_images: bool,
    output: Path | None,
    excel: bool,
    n: int,
    threads: int | None,
    as_json: bool,
) -> None:
    """Suggest labels for images, best first.

    IMAGE is the id of an image that the model was trained on; the labels it was seen with are left out.
    Scores can be compared within an image only.
    """
    from vsenumba.models import Annotator, load_model

    options.limit_threads(threads)
    if all_images:
        if images or label_lists or as_json:
            raise click.UsageError("--all goes with -n, -o, --excel and --threads only")
        if output is not None:
            options.check_output(output, model, streams=True)
        _write_all(load_model(model, Annotator), n, output, excel)
        return
    if output is not None or excel:
        raise click.UsageError("-o and --excel go with --all")
    if not images and not label_lists:
        raise click.UsageError("name an IMAGE that the model knows, or give the labels of a new one with --labels")
    lists = [_names(one) for one in label_lists]
    if not all(lists):
        raise click.UsageError("--labels needs at least one label")
    loaded = load_model(model, Annotator)
    if "n_threads" in loaded.PARAMETERS:  # what folds new images in
        loaded.set_params(n_threads=threads)
    results = _of_known_images(loaded, images, n) + _of_new_images(loaded, lists, n)
    if as_json:
        say_json([{**result, "suggestions": [one._asdict() for one in result["suggestions"]]} for result in results])
        return
    for i, result in enumerate(results):
        if i:
            say()
        say(printable(result["image"] or "new image"))
        say(printable(f"has: {', '.join(result['known']) or 'nothing that the model has seen'}"))
        rows = [[name, f"{score:.3f}"] for name, score in result["suggestions"]]
        nothing = "there is no other label" if len(result["known"]) == len(loaded.label_names_) else "no suggestions"
        say(table(["suggested label", "score"], rows, "lr") if rows else nothing)


def _write_all(model: Annotator, n: int, output: Path | None, excel: bool) -> None:
    """Write the suggestions for all images as CSV."""
    images: set[str] = set()

    def rows() -> Iterator[tuple[str, str, float]]:
        for row in _suggestions(model, n):
            images.add(row[0])
            yield row

    n_rows = csv_table.write_csv(("image", "label", "score"), rows(), output, excel=excel)
    if output is not None:
        note(f"saved {output}: {counted(n_rows, 'suggestion')} for {counted(len(images), 'image')}")


def _suggestions(model: Annotator, n: int) -> Iterator[tuple[str, str, float]]:
    """Yield the suggestions for all images, found for a few thousand images at a time."""
    ids = list(model.image_ids_)
    for start in range(0, len(ids), _AT_A_TIME):
        some = ids[start : start + _AT_A_TIME]
        for image, suggestions in zip(some, model.annotate(some, n=n), strict=True):
            for label, score in suggestions:
                yield image, label, score


def _of_known_images(model: Annotator, images: tuple[str, ...], n: int) -> list[dict[str, Any]]:
    suggested = model.annotate(images, n=n)
    return [
        {"image": image, "known": model.seen_.labels_of(image), "suggestions": suggestions}
        for image, suggestions in zip(images, suggested, strict=True)
    ]


def _of_new_images(model: Annotator, lists: list[list[str]], n: int) -> list[dict[str, Any]]:
    suggested = model.annotate(lists, n=n) if lists else []
    return [
        {"image": None, "known": labels, "suggestions": suggestions}
        for labels, suggestions in zip(lists, suggested, strict=True)
    ]


def _names(text: str) -> list[str]:
    """Return the names in a line of comma-separated values, in which quotes keep a comma from dividing."""
    try:
        row = next(csv.reader([text], skipinitialspace=True))
    except csv.Error as error:
        raise click.UsageError(f"--labels takes labels with commas between them, on one line: {error}") from error
    return [name.strip() for name in row if name.strip()]
