"""``vsenumba sidecars``: the tags that were added to XMP sidecars, and how they go away again."""

from __future__ import annotations

from pathlib import Path

import click

from vsenumba.cli import options
from vsenumba.cli.output import counted, note, say, say_json
from vsenumba.cli.sheet_options import described, undo_sheets


@click.command(epilog=options.examples("vsenumba sidecars photos/", "vsenumba sidecars photos/ --undo"))
@click.argument("places", metavar="PLACE...", nargs=-1, required=True, type=options.FILE)
@click.option("--undo", is_flag=True, help="Take the tags back, and nothing else.")
@options.json_option
def command(places: tuple[Path, ...], undo: bool, as_json: bool) -> None:
    """Show the tags that were added to sidecars, or take them back.

    PLACE is a folder, with all that is below it, or a picture. Tags are added by 'annotate --xmp --write'. A tag that a
    picture had before stays, and so does what people changed since; a sidecar that was made for tags, and has nothing
    else, is removed with them.
    """
    from vsenumba.sidecars import undo_sidecars

    if undo:
        if as_json:
            raise click.UsageError("--undo and --json exclude each other")
        undo_sheets(places)
        return
    found = list(undo_sidecars(places))
    if as_json:
        say_json([{"sidecar": str(one.sidecar), "tags": one.tags, "problem": one.problem or None} for one in found])
        return
    for one in found:
        if one.problem:
            note(f"left alone: {one.problem}")
        else:
            say(described(one))
    n_tags = sum(len(one.tags) for one in found)
    if n_tags:
        note(f"{counted(n_tags, 'tag')} added by vsenumba; --undo takes them back")
    else:
        note("no sidecar has tags that vsenumba added")
