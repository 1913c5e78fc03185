"""``vsenumba sidecars``: list or remove the tags that vsenumba added to XMP sidecars."""

from __future__ import annotations

from pathlib import Path

import click

from vsenumba.cli import options
from vsenumba.cli.output import note, say, say_json
from vsenumba.cli.sheet_options import described, undo_sheets
from vsenumba.printable import counted


@click.command(epilog=options.examples("vsenumba sidecars photos/", "vsenumba sidecars photos/ --undo"))
@click.argument("places", metavar="PLACE...", nargs=-1, required=True, type=options.FILE)
@click.option("--undo", is_flag=True, help="Remove the added tags, and nothing else.")
@options.json_option
def command(places: tuple[Path, ...], undo: bool, as_json: bool) -> None:
    """List or remove the tags that vsenumba added to XMP sidecars.

    PLACE is a folder, which is searched with its subfolders, or a picture. 'vsenumba annotate --xmp --write' adds tags.

    --undo keeps the tags that a picture had before, and later changes by people. It deletes a sidecar that vsenumba
    created, if nothing else is in it.
    """
    from vsenumba.sidecars import undo_sidecars

    if undo:
        if as_json:
            raise click.UsageError("--undo and --json cannot be combined")
        undo_sheets(places)
        return
    found = list(undo_sidecars(places))
    if as_json:
        say_json([{"sidecar": str(one.sidecar), "tags": one.tags, "problem": one.problem or None} for one in found])
        return
    for one in found:
        if one.problem:
            note(f"skipped: {one.problem}")
        else:
            say(described(one))
    n_tags = sum(len(one.tags) for one in found)
    if n_tags:
        note(f"{counted(n_tags, 'tag')} added by vsenumba; remove them with --undo")
    else:
        note("no tags added by vsenumba")
