"""``vsenumba words evaluate``: test word vectors on similarity judgements and analogies."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from vsenumba.cli import options
from vsenumba.cli.measured import value_text
from vsenumba.cli.output import say, say_json, table
from vsenumba.cli.words.analogy import method_option
from vsenumba.cli.words.vectors import load_vectors, vectors_argument


@click.command(epilog=options.examples("vsenumba words evaluate words.h5 EN-SIMLEX-999.txt questions-words.txt"))
@vectors_argument
@click.argument("tests", metavar="TEST...", nargs=-1, required=True, type=options.FILE)
@method_option
@click.option(
    "--restrict-vocab",
    cls=options.DefaultOf,
    module="vsenumba.evaluation",
    function="evaluate_analogies",
    type=options.POSITIVE,
    help="In analogies, use only the first N words of VECTORS.",
)
@click.option("--case-insensitive", is_flag=True, help="In analogies, ignore case.")
@click.option("--sections", is_flag=True, help="Show the accuracy of every section of the analogies.")
@options.threads_option
@options.json_option
def command(
    vectors: Path,
    tests: tuple[Path, ...],
    method: str,
    restrict_vocab: int,
    case_insensitive: bool,
    sections: bool,
    threads: int | None,
    as_json: bool,
) -> None:
    """Evaluate word vectors on word similarities and analogies.

    TEST is a file of word similarities or of analogies. A similarity file has two words and their similarity rating on
    each line. An analogy file has four words on each line, and lines ': name' between sections.

    A word that VECTORS does not have is looked up in lower case. If that fails too, its line is skipped and counted.
    """
    from vsenumba.evaluation import evaluate_analogies, evaluate_similarity, has_questions

    loaded = load_vectors(vectors)
    options.limit_threads(threads)
    similarities: dict[str, Any] = {}
    analogies: dict[str, Any] = {}
    for path in tests:
        if has_questions(path):
            analogies[path.name] = evaluate_analogies(
                loaded, path, method=method, restrict_vocab=restrict_vocab, case_insensitive=case_insensitive
            )
        else:
            similarities[path.name] = evaluate_similarity(loaded, path)
    if as_json:
        results = {"similarity": similarities, "analogies": analogies}
        say_json({kind: {name: asdict(scores) for name, scores in one.items()} for kind, one in results.items()})
        return
    if similarities:
        rows = [
            [name, value_text(one.spearman, 3), value_text(one.pearson, 3), *_used(one.n_pairs, one.n_missing)]
            for name, one in similarities.items()
        ]
        say(table(["similarity", "spearman", "pearson", "pairs", "skipped"], rows, "lrrrr"))
    if analogies:
        if similarities:
            say()
        rows = []
        for name, scores in analogies.items():
            parts = {f"  {section}": one for section, one in scores.sections.items()} if sections else {}
            for title, one in {name: scores, **parts}.items():
                rows.append([title, value_text(one.accuracy, 3), *_used(one.n_questions, one.n_missing)])
        say(table(["analogies", "accuracy", "questions", "skipped"], rows, "lrrr"))


def _used(n_in_set: int, n_missing: int) -> list[str]:
    """Return the number of used items out of all, and the number of skipped ones."""
    return [f"{n_in_set - n_missing:,} of {n_in_set:,}", f"{n_missing:,}"]
