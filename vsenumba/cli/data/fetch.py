"""``vsenumba data fetch``: get the files of a set of the catalogue, and check them."""

from __future__ import annotations

import click

from vsenumba.cli import options
from vsenumba.cli.output import say


@click.command(epilog=options.examples("vsenumba data fetch openclipart"))
@click.argument("name", metavar="NAME", type=options.Member("data set", "vsenumba.data", "DATASETS"))
@options.catalogue_options
def command(name: str) -> None:
    """Get the files of a set that has a name, and check them.

    They are kept in the platform's folder for caches, or in the one that VSENUMBA_DATA names; a transfer that broke off
    goes on where it was. From then on NAME can be given for SET, without a network. With --from nothing is fetched:
    files are looked at where they are.
    """
    from vsenumba.data import DATASETS, fetch_dataset

    with options.fetching() as progress:
        path = fetch_dataset(name, **options.catalogue_choices(), progress=progress)
    entry = DATASETS[name]
    say(f"{name} is in {path}")
    say(f"licence: {entry.licence}")
    if entry.citation:
        say(f"cite: {entry.citation}")
