"""``vsenumba words analogy``: answer an analogy question."""

from __future__ import annotations

from pathlib import Path

import click

from vsenumba.cli import options
from vsenumba.cli.output import say, say_json, table
from vsenumba.cli.words.vectors import load_vectors, vectors_argument

METHOD = options.Member("method", "vsenumba.data", "ANALOGIES")
method_option = click.option(
    "--method",
    type=METHOD,
    default="3cosadd",
    show_default=True,
    help="Score answers by a sum or a product of cosines.",
)


@click.command(epilog=options.examples("vsenumba words analogy words.h5 man king woman"))
@vectors_argument
@click.argument("a")
@click.argument("b")
@click.argument("c")
@method_option
@options.count_option
@options.json_option
def command(vectors: Path, a: str, b: str, c: str, method: str, n: int, as_json: bool) -> None:
    """Find the words that are to C as B is to A, best first."""
    found = load_vectors(vectors).analogy(a, b, c, n, method=method)
    if as_json:
        say_json({"a": a, "b": b, "c": c, "answers": [one._asdict() for one in found]})
        return
    say(table([f"{a} : {b} = {c} : ?", "score"], [[name, f"{score:.3f}"] for name, score in found], "lr"))
