"""Evaluation of word vectors by analogies: find d such that a is to b as c is to d."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from vsenumba import html
from vsenumba.checks import check_choice, is_whole
from vsenumba.data.compression import open_decompressed
from vsenumba.data.text.reading import check_text
from vsenumba.data.text.word_vectors import ANALOGIES, WordVectors
from vsenumba.data.vocabulary import as_names
from vsenumba.errors import FileFormatError, InputError
from vsenumba.evaluation.similarity import as_word_vectors, rows_of
from vsenumba.printable import printable

# Maximum number of scores in memory at once, 64 MB.
_BLOCK_CELLS = 8_000_000

Question = tuple[str, str, str, str]


@dataclass(frozen=True, repr=False)
class AnalogyScores:
    """The share of analogies that word vectors complete correctly.

    Attributes
    ----------
    accuracy : float
        Share of the asked questions whose answer ranks first; NaN if no question was asked.
    n_questions : int
        Number of questions in the set.
    n_missing : int
        Number of questions that were not asked, because a word is unknown or its vector is zero.
    sections : dict of str to AnalogyScores
        The same for each section of the set; empty for a set without sections.
    """

    accuracy: float
    n_questions: int
    n_missing: int
    sections: Mapping[str, AnalogyScores]

    def __repr__(self) -> str:
        sections = "".join(f"\n  {printable(name)}  {one._line()}" for name, one in self.sections.items())
        return f"<AnalogyScores: {self._line()}{sections}>"

    def _repr_html_(self) -> str:
        rows = [(name, one.accuracy, one.n_questions - one.n_missing) for name, one in self.sections.items()]
        return html.panel("AnalogyScores", self._line(), html.table(rows, ("section", "accuracy", "questions asked")))

    def _line(self) -> str:
        asked = f"{self.n_questions - self.n_missing:,} of {self.n_questions:,} questions"
        return f"accuracy {self.accuracy:.4f}, {asked}"


def evaluate_analogies(
    vectors: WordVectors | Any,
    questions: str | PathLike[str] | Iterable[Question] | Mapping[str, Iterable[Question]],
    *,
    method: str = "3cosadd",
    restrict_vocab: int | None = 30_000,
    case_insensitive: bool = False,
) -> AnalogyScores:
    """Evaluate word vectors by analogies "a is to b as c is to d": find d.

    Parameters
    ----------
    vectors : WordVectors, or a model with ``word_vectors_``
        The vectors to evaluate.
    questions : path, iterable of (a, b, c, d), or mapping of these by section
        The questions. A file has one question on each line. Lines ``: name`` begin a section, as in Google's
        ``questions-words.txt``.
    method : {"3cosadd", "3cosmul"}, default "3cosadd"
        How answers are scored; see `WordVectors.analogy`.
    restrict_vocab : int, optional
        Use only this many first words, which are the most frequent; None for all. The default is 30,000.
    case_insensitive : bool, default False
        Whether words that differ only in case count as one word, as in gensim:

        - the vector of "Paris" and "PARIS" is that of the first of them in the vocabulary;
        - either is a correct answer, unless the question contains the other.

        If False, a word is looked up as it is written, and then in lower case.

    Returns
    -------
    AnalogyScores
        The accuracy, and the number of questions. The words a, b and c are never the answer. If several words have the
        highest score, d counts as wrong.

    Raises
    ------
    InputError, FileFormatError
        If there are no questions, a question does not have four words, or a file is not text.

    References
    ----------
    Mikolov, Yih & Zweig, "Linguistic Regularities in Continuous Space Word Representations", NAACL 2013 (3CosAdd).

    Levy & Goldberg, "Linguistic Regularities in Sparse and Explicit Word Representations", CoNLL 2014 (3CosMul).

    Examples
    --------
    >>> vectors = WordVectors(["man", "king", "woman", "queen"], [[1, 0], [1, 1], [-1, 0.2], [-1, 1.2]])
    >>> evaluate_analogies(vectors, [("man", "king", "woman", "queen")]).accuracy
    1.0
    """
    vectors = as_word_vectors(vectors)
    check_choice("method", method, ANALOGIES)
    if restrict_vocab is not None and not is_whole(restrict_vocab):
        raise InputError(f"restrict_vocab must be a whole number of at least 1 or None, not {restrict_vocab!r}")
    if isinstance(questions, (str, PathLike)):
        questions = read_questions(questions)
    named = questions if isinstance(questions, Mapping) else {"": questions}
    sections = {name: rows_of(one, 4, "question", "four words") for name, one in named.items()}
    asked = [question for one in sections.values() for question in one]
    if not asked:
        raise InputError("there are no questions to evaluate")
    texts = [as_names(words, "word").tolist() for words in zip(*asked, strict=True)]
    n_known = min(restrict_vocab or len(vectors), len(vectors))
    if case_insensitive:
        # The first of several words that differ in case represents them all.
        first: dict[str, int] = {}
        same = np.array([first.setdefault(word.upper(), i) for i, word in enumerate(islice(vectors.words, n_known))])
        positions = np.array([[first.get(text.upper(), -1) for text in words] for words in texts]).T
    else:
        same = np.arange(n_known)
        positions = np.stack([vectors.find(words) for words in texts], axis=1)
        positions[positions >= n_known] = -1
    directions = vectors.directions()[:n_known]
    # The cosine with a vector of zeros is not defined.
    has_none: np.ndarray = np.all(directions == 0, axis=1)
    positions[has_none[positions]] = -1
    known: np.ndarray = np.all(positions >= 0, axis=1)
    right = np.zeros(len(asked), dtype=bool)
    right[known] = _answered(directions, has_none, same, positions[known], method)
    ends = np.cumsum([len(one) for one in sections.values()])
    parts = {
        name: _scores(right[end - len(one) : end], known[end - len(one) : end], {})
        for (name, one), end in zip(sections.items(), ends, strict=True)
    }
    return _scores(right, known, parts if named is questions else {})


def _scores(right: np.ndarray, known: np.ndarray, sections: Mapping[str, AnalogyScores]) -> AnalogyScores:
    accuracy = float(right.sum() / known.sum()) if known.any() else float("nan")
    return AnalogyScores(accuracy, len(right), int((~known).sum()), sections)


def _answered(
    directions: np.ndarray, has_none: np.ndarray, same: np.ndarray, positions: np.ndarray, method: str
) -> np.ndarray:
    """Return which questions, (n, 4) positions, are answered correctly.

    Parameters
    ----------
    directions : (n_words, k) float32 array
        Vectors of length 1.
    has_none : (n_words,) bool array
        Which vectors are zero. They are never the answer, as in `WordVectors.analogy`.
    same : (n_words,) int array
        For each word, the first word that counts as the same. `positions` contains only such first words.
    positions : (n, 4) int array
        The words of the questions.
    method : {"3cosadd", "3cosmul"}
        How answers are scored.
    """
    firsts, answers = np.unique(same, return_inverse=True)
    order = np.argsort(answers, kind="stable")
    starts = np.searchsorted(answers[order], np.arange(len(firsts)))
    step = max(1, _BLOCK_CELLS // (4 * len(directions)))
    right = np.zeros(len(positions), dtype=bool)
    for start in range(0, len(positions), step):
        block = positions[start : start + step]
        scores = ANALOGIES[method](*(directions[block[:, column]] @ directions.T for column in range(3)))
        scores[:, has_none] = -np.inf
        if len(firsts) < len(same):
            scores = np.maximum.reduceat(scores[:, order], starts, axis=1)
        rows, asked = np.arange(len(block)), answers[block]
        answer = scores[rows, asked[:, 3]].copy()
        # A word of the question itself cannot be the answer.
        is_own = (asked[:, 3:] == asked[:, :3]).any(axis=1)
        for column in range(4):
            scores[rows, asked[:, column]] = -np.inf
        right[start : start + step] = (scores.max(axis=1) < answer) & ~is_own
    return right


def read_questions(path: str | PathLike[str]) -> dict[str, list[Question]]:
    """Read analogies by section from a file; see `evaluate_analogies`.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    dict of str to list of (a, b, c, d)
        The questions of each section; the name of questions before the first section is empty.

    Raises
    ------
    FileFormatError
        If a line does not have four words, or the file is not text.
    """
    check_text(Path(path))
    sections: dict[str, list[Question]] = {}
    name = ""
    with open_decompressed(Path(path)) as stream:
        for number, line in enumerate(stream, start=1):
            text = line.decode("utf-8", "replace").strip()
            if text.startswith(":"):
                name = text[1:].strip()
            elif text and not text.startswith("#"):
                words = text.split()
                if len(words) != 4:
                    raise FileFormatError(f"{path}: line {number} must be four words, not {text!r:.80}")
                sections.setdefault(name, []).append((words[0], words[1], words[2], words[3]))
    if not sections:
        raise FileFormatError(f"{path}: no line has four words")
    return sections


def has_questions(path: str | PathLike[str]) -> bool:
    """Return whether a file contains analogies: its first line is a section, or four words without tabs or commas."""
    check_text(Path(path))
    with open_decompressed(Path(path)) as stream:
        for line in stream:
            text = line.decode("utf-8", "replace").strip()
            if text and not text.startswith("#"):
                return text.startswith(":") or (len(text.split()) == 4 and not {"\t", ",", ";"} & set(text))
    return False
