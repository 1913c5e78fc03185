"""``vsenumba data list``: the sets that have a name."""

from __future__ import annotations

import click

from vsenumba.cli import options
from vsenumba.cli.output import say, say_json, table


@click.command(epilog=options.examples("vsenumba data list"))
@options.json_option
def command(as_json: bool) -> None:
    """List the sets that can be used by name."""
    from dataclasses import asdict

    from vsenumba.data import DATASETS

    if as_json:
        say_json([asdict(entry) for entry in DATASETS.values()])
        return
    rows = [[entry.name, entry.description, entry.licence] for entry in DATASETS.values()]
    say(table(["name", "what it is", "licence"], rows, "lll"))
