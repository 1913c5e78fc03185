"""``vsenumba data fetch``: download the files of a data set and verify them."""

from __future__ import annotations

import click

from vsenumba.cli import options
from vsenumba.cli.output import say


@click.command(epilog=options.examples("vsenumba data fetch openclipart"))
@click.argument("name", metavar="NAME", type=options.Member("data set", "vsenumba.data", "DATASETS"))
@options.catalogue_options
def command(name: str) -> None:
    """Download the files of a data set and verify them.

    NAME is one of the names that 'vsenumba data list' shows. Afterwards you can give NAME as SET in other commands,
    without a network.

    The files are stored in the user's cache folder, or in the folder that the environment variable VSENUMBA_DATA names.
    An interrupted download continues where it stopped. With --from, the command only verifies the files in DIR.
    """
    from vsenumba.data import DATASETS, fetch_dataset

    with options.fetching() as progress:
        path = fetch_dataset(name, **options.catalogue_choices(), progress=progress)
    entry = DATASETS[name]
    say(f"saved {name} in {path}")
    say(f"licence: {entry.licence}")
    if entry.citation:
        say(f"cite: {entry.citation}")
