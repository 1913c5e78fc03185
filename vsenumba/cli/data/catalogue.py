"""``vsenumba data list``: the sets that have a name."""

from __future__ import annotations

import click

from vsenumba.cli import options
from vsenumba.cli.output import say, say_json, table


@click.command(epilog=options.examples("vsenumba data list"))
@options.json_option
def command(as_json: bool) -> None:
    """List the sets that can be used by name.

    Those that do not ship are fetched when they are first used, or by 'vsenumba data fetch'. "by hand" are those that
    no program may fetch: get them from their page and say --from DIR.
    """
    from dataclasses import asdict

    from vsenumba.data import DATASETS

    if as_json:
        say_json([asdict(entry) for entry in DATASETS.values()])
        return
    rows = []
    for entry in DATASETS.values():
        size = "ships" if entry.shipped else f"{entry.n_bytes / 1e6:,.1f} MB" if entry.n_bytes else "?"
        unchecked = any(file.checksum is None for file in entry.files)
        rows.append(
            [
                entry.name,
                entry.description,
                size if entry.shipped or entry.files else "by hand",
                "--trust" if unchecked else "",
                entry.licence,
            ]
        )
    say(table(["name", "what it is", "size", "takes", "licence"], rows, "llrll"))
