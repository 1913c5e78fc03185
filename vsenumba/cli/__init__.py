"""The command line: one file per command, imported when the command is used."""

from __future__ import annotations


def main() -> None:
    """Run the command line; the entry point of ``vsenumba``."""
    from vsenumba.cli.app import cli

    cli()
