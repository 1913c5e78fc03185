"""``vsenumba words neighbors``: show the nearest words of given words."""

from __future__ import annotations

from pathlib import Path

import click

from vsenumba.cli import options
from vsenumba.cli.output import say, say_json, table
from vsenumba.cli.words.vectors import load_vectors, vectors_argument


@click.command(epilog=options.examples("vsenumba words neighbors words.h5 river water -n 5"))
@vectors_argument
@click.argument("words", metavar="WORD...", nargs=-1, required=True)
@options.count_option
@options.json_option
def command(vectors: Path, words: tuple[str, ...], n: int, as_json: bool) -> None:
    """Show the nearest words of each WORD, by cosine similarity."""
    loaded = load_vectors(vectors)
    found = {word: loaded.neighbors(word, n) for word in words}
    if as_json:
        say_json([{"word": word, "neighbors": [one._asdict() for one in near]} for word, near in found.items()])
        return
    for i, (word, near) in enumerate(found.items()):
        if i:
            say()
        say(table([word, "cosine"], [[name, f"{cosine:.3f}"] for name, cosine in near], "lr"))
