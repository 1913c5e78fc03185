"""Suggestions for the pictures in a folder: compute features, query the model, write the outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vsenumba.cli import options, sheet_options
from vsenumba.cli.output import note
from vsenumba.cli.picture_options import network_settings, picture_progress
from vsenumba.cli.suggestions_table import write_suggestions

if TYPE_CHECKING:
    from vsenumba.models import Annotator
    from vsenumba.sheets import Suggested


def annotate_pictures(
    model: Annotator, pictures: Path, backbone: str | None, tags: str | None, limits: Mapping[str, Any], *, excel: bool
) -> None:
    """Suggest labels for pictures, and write them to the outputs of `sheet_options`, or as CSV to stdout.

    Parameters
    ----------
    model : Annotator
        A model that uses image features.
    pictures : path
        A folder, or one picture.
    backbone : str or None
        The backbone for the features; by default the one that the model was trained with.
    tags : str or None
        A data set with known labels of the pictures.
    limits : mapping
        Keyword arguments for `Annotator.annotate_each`.
    excel : bool
        Whether to write tables for spreadsheets.
    """
    from vsenumba.models.asked_pictures import backbone_for
    from vsenumba.pictures import PictureFolder, read_pictures

    asked = sheet_options.wanted()
    made = backbone_for(model, backbone, **network_settings())
    folder = PictureFolder.of_file(pictures) if pictures.is_file() else PictureFolder(pictures)
    tagged = None if tags is None else options.known_set(tags, model)
    with picture_progress(len(folder)) as show:
        read = read_pictures(folder, tagged, backbone=made, after_batch=show, tags_name=tags or "")
    for remark in read.remarks:
        note(f"warning: {remark}")
    data = model.align(read.data)
    if asked:
        from vsenumba.sheets import Suggested

        suggested: Iterator[Suggested] = (
            Suggested(folder.path_of(image), image, data.labels_of(image), matches)
            for image, matches in model.annotate_each(data, **limits)
        )
        sheet_options.write_sheets(
            suggested, sheet=asked.sheet, html=asked.html, csv=asked.csv, xmp=asked.xmp, write=asked.write, excel=excel
        )
        return
    write_suggestions(model.annotate_each(data, **limits), None, excel=excel)


def check_picture_options(pictures: Path | None, tags: str | None, backbone: str | None) -> None:
    """Refuse options that require --pictures if it is missing."""
    if pictures is not None:
        return
    asked = sheet_options.wanted()
    given: dict[str, object] = {"--tags": tags, "--backbone": backbone, "--xmp": asked.xmp or None}
    given |= {"--sheet": asked.sheet, "--html": asked.html, "--csv": asked.csv}
    for option, value in given.items():
        if value is not None:
            hint = "; to write a table of the model's images, use -o" if option == "--csv" else ""
            raise click.UsageError(f"{option} requires --pictures{hint}")
