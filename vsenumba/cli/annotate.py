"""``vsenumba annotate``: suggest labels for images."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vsenumba.cli import csv_table, options, sheet_options, suggestions_table
from vsenumba.cli.annotated_pictures import annotate_pictures, check_picture_options
from vsenumba.cli.output import say, say_json, table
from vsenumba.cli.picture_options import network_options
from vsenumba.cli.suggestions_table import Destination, check_destination, write_suggestions
from vsenumba.printable import printable

if TYPE_CHECKING:
    from vsenumba.models import Annotator


@click.command(
    epilog=options.examples(
        "vsenumba annotate model.h5 food/fruit/apple",
        'vsenumba annotate model.h5 --labels "animal,farm" -n 5',
        'vsenumba annotate model.h5 --labels animal --without "farm,flower"',
        "vsenumba annotate model.h5 --all -n 3 -o suggestions.csv",
        "vsenumba annotate model.h5 --all -n 3 -o suggestions.parquet",
        "vsenumba annotate model.h5 --pictures new/ --html sheet.html --csv suggestions.csv",
    )
)
@options.model_argument
@click.argument("images", metavar="[IMAGE]...", nargs=-1)
@click.option(
    "--labels",
    "label_lists",
    multiple=True,
    metavar="LABEL,LABEL,...",
    help="Known labels of a new image. Repeat the option for several images. Quote a label that contains a comma: "
    "'\"New York, NY\",city'.",
)
@click.option("--all", "all_images", is_flag=True, help="Suggest for every image that the model knows, as a table.")
@options.set_option("Suggest for every image of this data set, using its labels and features, as a table.")
@click.option(
    "--pictures",
    type=options.FILE,
    metavar="FOLDER",
    help="Suggest for every picture in a folder, or for one picture, as a table. Needs a model that uses features.",
)
@click.option("--tags", metavar="SET", help="Data set with known labels of the pictures.")
@click.option(
    "--backbone",
    metavar="NAME|FILE.onnx",
    help="Backbone that computes the features of the pictures.  [default: the one that the model was trained with]",
)
@network_options
@sheet_options.sheet_options
@click.option("--only", metavar="LABEL,LABEL,...", help="Suggest from these labels only.")
@click.option("--without", metavar="LABEL,LABEL,...", help="Never suggest these labels.")
@click.option("--least-score", type=float, metavar="X", help="Suggest no label with a lower score.")
@suggestions_table.output_option
@csv_table.excel_option
@options.count_option
@options.threads_option
@options.scheduler_option
@options.json_option
def command(
    model: Path,
    images: tuple[str, ...],
    label_lists: tuple[str, ...],
    all_images: bool,
    source: str | None,
    pictures: Path | None,
    tags: str | None,
    backbone: str | None,
    only: str | None,
    without: str | None,
    least_score: float | None,
    output: Destination | None,
    excel: bool,
    n: int,
    threads: int | None,
    scheduler: str | None,
    as_json: bool,
) -> None:
    """Suggest labels for images, best first.

    IMAGE is the id of an image that the model was trained on. Labels that the image already has are not suggested.
    Compare scores only within one image.

    --all, --set and --pictures print a table with the columns image,label,score. -o writes the table of --all or --set
    as CSV, or as Parquet if the name ends in .parquet. If the name ends in /, it is a folder for part-00000.parquet,
    part-00001.parquet and so on.

    With --scheduler, the workers of a Dask cluster compute the suggestions.
    """
    options.limit_threads(threads)
    limits: dict[str, Any] = {
        "n": n,
        "only": None if only is None else options.names_in(only, "--only"),
        "without": None if without is None else options.names_in(without, "--without"),
        "least_score": least_score,
    }
    check_picture_options(pictures, tags, backbone)
    if scheduler is not None and not (all_images or source is not None):
        raise click.UsageError("--scheduler requires --all or --set")
    if pictures is not None:
        if all_images or source is not None or images or label_lists or as_json or output is not None:
            raise click.UsageError(
                "--pictures cannot be combined with IMAGE, --labels, --all, --set, --json or -o (use --csv)"
            )
        asked = sheet_options.wanted()
        if asked.undo:
            sheet_options.undo_sheets([pictures])
            return
        if excel and asked and asked.csv is None:
            raise click.UsageError("--excel requires a table; add --csv")
        sheet_options.check_sheets(asked, model)
        annotate_pictures(_loaded(model, threads), pictures, backbone, tags, limits, excel=excel)
        return
    if all_images or source is not None:
        if all_images and source is not None:
            raise click.UsageError("--all and --set cannot be combined")
        if images or label_lists or as_json:
            raise click.UsageError(
                f"{'--all' if all_images else '--set'} cannot be combined with IMAGE, --labels or --json"
            )
        check_destination(output, [model, *([source] if source else [])], excel=excel)
        client = options.client_of(scheduler)
        loaded = _loaded(model, threads)
        asked_about = loaded.seen_ if source is None else options.known_set(source, loaded)
        write_suggestions(loaded.annotate_each(asked_about, **limits, client=client), output, excel=excel)
        return
    if output is not None or excel:
        raise click.UsageError("-o and --excel require --all or --set")
    if not images and not label_lists:
        raise click.UsageError("give an IMAGE that the model knows, or the labels of a new image with --labels")
    lists = [options.names_in(one, "--labels") for one in label_lists]
    if not all(lists):
        raise click.UsageError("--labels needs at least one label")
    loaded = _loaded(model, threads)
    results = _of_known_images(loaded, images, limits) + _of_new_images(loaded, lists, limits)
    if as_json:
        say_json([{**result, "suggestions": [one._asdict() for one in result["suggestions"]]} for result in results])
        return
    for i, result in enumerate(results):
        if i:
            say()
        say(printable(result["image"] or "new image"))
        say(printable(f"known labels: {', '.join(result['known']) or 'none'}"))
        rows = [[name, f"{score:.3f}"] for name, score in result["suggestions"]]
        nothing = (
            "no suggestions: the image has every label"
            if len(result["known"]) == len(loaded.label_names_)
            else "no suggestions"
        )
        say(table(["suggested label", "score"], rows, "lr") if rows else nothing)


def _loaded(path: Path, threads: int | None) -> Annotator:
    from vsenumba.models import Annotator, load_model

    model = load_model(path, Annotator)
    if "n_threads" in model.PARAMETERS:
        model.set_params(n_threads=threads)
    return model


def _of_known_images(model: Annotator, images: tuple[str, ...], limits: Mapping[str, Any]) -> list[dict[str, Any]]:
    suggested = model.annotate(images, **limits) if images else []
    return [
        {"image": image, "known": model.seen_.labels_of(image), "suggestions": suggestions}
        for image, suggestions in zip(images, suggested, strict=True)
    ]


def _of_new_images(model: Annotator, lists: list[list[str]], limits: Mapping[str, Any]) -> list[dict[str, Any]]:
    suggested = model.annotate(lists, **limits) if lists else []
    return [
        {"image": None, "known": labels, "suggestions": suggestions}
        for labels, suggestions in zip(lists, suggested, strict=True)
    ]
