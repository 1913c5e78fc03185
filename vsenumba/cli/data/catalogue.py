"""``vsenumba data list``: list the data sets that can be used by name."""

from __future__ import annotations

import click

from vsenumba.cli import options
from vsenumba.cli.output import say, say_json, table


@click.command(epilog=options.examples("vsenumba data list"))
@options.json_option
def command(as_json: bool) -> None:
    """List the data sets that can be used by name.

    "built-in" data sets are part of the package. Others are downloaded when they are first used, or with 'vsenumba data
    fetch'. Data sets marked "manual" may not be downloaded by a program: download them from their page and give the
    folder with --from.
    """
    from dataclasses import asdict

    from vsenumba.data import DATASETS

    if as_json:
        say_json([asdict(entry) for entry in DATASETS.values()])
        return
    rows = []
    for entry in DATASETS.values():
        size = "built-in" if entry.shipped else f"{entry.n_bytes / 1e6:,.1f} MB" if entry.n_bytes else "?"
        unchecked = any(file.checksum is None for file in entry.files)
        rows.append(
            [
                entry.name,
                entry.description,
                size if entry.shipped or entry.files else "manual",
                "--trust" if unchecked else "",
                entry.licence,
            ]
        )
    say(table(["name", "description", "size", "requires", "licence"], rows, "llrll"))
