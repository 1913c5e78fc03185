"""A corpus in several files, each with a part of the text."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np

from vsenumba.checks import paths_of
from vsenumba.data.text.corpus import Corpus
from vsenumba.data.text.reading import text_files
from vsenumba.data.vocabulary import Vocabulary
from vsenumba.errors import InputError
from vsenumba.storage import exists, is_native


def whole_corpus(parts: Any) -> Any:
    """Return the corpus made of some files, or `parts` itself if it is not a path or a sequence of paths.

    Parameters
    ----------
    parts : path, or list of paths
        Either token files, such as `Corpus.save` writes, or text files and folders, which `Corpus.from_text` reads as
        one text. Token files are merged: words are matched by name, their counts are added, and the most frequent word
        comes first. A single token file is memory-mapped; otherwise the tokens are in memory.

    Raises
    ------
    InputError
        If a part has no words, or token files and texts are mixed. The message names the files.
    """
    paths = paths_of(parts)
    if paths is None:
        return parts
    saved = [path for path in map(Path, paths) if exists(path) and path.is_file() and is_native(path)]
    if not saved:
        return _from_texts(paths)
    if len(saved) < len(paths):
        other = next(path for path in map(Path, paths) if path not in saved)
        raise InputError(f"{saved[0]} is a token file and {other} is not; give either token files or texts")
    corpora = [Corpus.load(path) for path in saved]
    for path, corpus in zip(saved, corpora, strict=True):
        if not corpus.n_tokens:
            raise InputError(f"the part {path} has no text")
    return corpora[0] if len(corpora) == 1 else joined(corpora)


def joined(corpora: Sequence[Corpus]) -> Corpus:
    """Return the concatenated text of several corpora, in memory.

    Examples
    --------
    >>> one, other = Corpus.from_sentences([["a", "b"]]), Corpus.from_sentences([["c", "b"]])
    >>> both = joined([one, other])
    >>> both.sentence(1), list(both.words), both.counts.tolist()
    (['c', 'b'], ['b', 'a', 'c'], [2, 1, 1])
    """
    numbers: dict[str, int] = {}
    own = [np.array([numbers.setdefault(word, len(numbers)) for word in one.words], np.int64) for one in corpora]
    counts = np.zeros(len(numbers), np.int64)
    for places, one in zip(own, corpora, strict=True):
        counts[places] += one.counts
    # As everywhere, the most frequent word comes first, and equally frequent words are in order of first use.
    order = np.argsort(-counts, kind="stable")
    final = np.empty(len(order), np.int32)
    final[order] = np.arange(len(order))
    starts = np.cumsum([0, *(one.n_tokens for one in corpora)])
    return Corpus(
        np.concatenate([final[places][one.tokens] for places, one in zip(own, corpora, strict=True)]),
        np.concatenate([[0], *(one.offsets[1:] + start for one, start in zip(corpora, starts[:-1], strict=True))]),
        Vocabulary(np.array(list(numbers))[order].tolist(), "word"),
        counts[order],
    )


def _from_texts(paths: Sequence[str | PathLike[str]]) -> Corpus:
    files = text_files(paths)
    ends: dict[int, int] = {}

    def note(n_tokens: int, n_files: int) -> None:
        ends[n_files] = n_tokens

    with tempfile.TemporaryDirectory() as folder:
        corpus = Corpus.from_text(files, Path(folder) / "corpus.h5", progress=note)
        # Copy to memory, because the temporary folder is deleted.
        corpus.tokens, corpus.offsets = np.array(corpus.tokens), np.array(corpus.offsets)
    before = 0
    for number, file in enumerate(files):
        if ends.get(number, 0) <= before:
            raise InputError(f"the part {fspath(file)} has no text")
        before = ends[number]
    return corpus
