"""Evaluation of word vectors by word similarity, as judged by people."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from vsenumba import html
from vsenumba.checks import is_number
from vsenumba.data.compression import open_decompressed
from vsenumba.data.text.reading import check_text
from vsenumba.data.text.word_vectors import WordVectors
from vsenumba.errors import FileFormatError, InputError

# Python's whole numbers can be larger than any float.
_LARGEST = float(np.finfo(np.float64).max)


@dataclass(frozen=True, repr=False)
class SimilarityScores:
    """The correlation of cosines with people's judgements.

    Attributes
    ----------
    spearman, pearson : float
        Rank correlation and linear correlation of cosines and judgements. NaN for fewer than two pairs, or if the
        cosines or the judgements are all equal.
    n_pairs : int
        Number of pairs in the set.
    n_missing : int
        Number of pairs that were left out, because a word is unknown or its vector is zero.
    """

    spearman: float
    pearson: float
    n_pairs: int
    n_missing: int

    def __repr__(self) -> str:
        correlations = f"spearman {self.spearman:.4f}, pearson {self.pearson:.4f}"
        return f"<SimilarityScores: {correlations}, over {self._pairs()}>"

    def _repr_html_(self) -> str:
        rows = [("spearman", self.spearman), ("pearson", self.pearson)]
        return html.panel("SimilarityScores", f"over {self._pairs()}", html.table(rows, ("correlation", "")))

    def _pairs(self) -> str:
        return f"{self.n_pairs - self.n_missing:,} of {self.n_pairs:,} pairs"


def evaluate_similarity(
    vectors: WordVectors | Any, pairs: str | PathLike[str] | Iterable[tuple[str, str, float]]
) -> SimilarityScores:
    """Compare the cosines of pairs of words with people's judgements of their similarity.

    Parameters
    ----------
    vectors : WordVectors, or a model with ``word_vectors_``
        The vectors to evaluate. A word is looked up as it is written, and then in lower case.
    pairs : path or iterable of (str, str, float)
        Pairs of words with their judged similarity. A file has one pair on each line, with its parts separated by tabs,
        commas or blanks.

    Returns
    -------
    SimilarityScores
        The two correlations, and the numbers of pairs.

    Raises
    ------
    InputError
        If there are no pairs, or one is not two words and a finite number.
    FileFormatError
        If a file is not text, or a line does not have two words and a number.

    Examples
    --------
    >>> vectors = WordVectors(["cat", "dog", "car"], [[1.0, 0.2], [1.0, 0.3], [-0.5, 1.0]])
    >>> pairs = [("cat", "dog", 9), ("cat", "car", 2), ("Dog", "car", 3), ("cat", "ox", 5)]
    >>> scores = evaluate_similarity(vectors, pairs)
    >>> scores.spearman, scores.n_pairs, scores.n_missing
    (1.0, 4, 1)
    """
    from scipy.stats import rankdata

    vectors = as_word_vectors(vectors)
    rows = (
        read_pairs(pairs) if isinstance(pairs, (str, PathLike)) else rows_of(pairs, 3, "pair", "two words and a number")
    )
    if not rows:
        raise InputError("there are no pairs of words to evaluate")
    wrong = [row for row in rows if not is_number(row[2])]
    if wrong:
        raise InputError(f"a pair must be two words and a number, not {wrong[0]!r:.80}")
    unclear = [row for row in rows if not abs(row[2]) <= _LARGEST]
    if unclear:
        raise InputError(f"a judgement must be a finite number; found {unclear[0]!r:.80}")
    left, right, judged = zip(*rows, strict=True)
    ends = np.stack([vectors.find(left), vectors.find(right)])
    directions = vectors.directions()
    first, second = (directions[some].astype(np.float64) for some in ends)
    # The cosine with a vector of zeros is not defined.
    known = (ends >= 0).all(axis=0) & first.any(axis=1) & second.any(axis=1)
    cosines = (first[known] * second[known]).sum(axis=1)
    judgements = np.asarray(judged, dtype=np.float64)[known]
    return SimilarityScores(
        spearman=_correlation(rankdata(cosines), rankdata(judgements)),
        pearson=_correlation(cosines, judgements),
        n_pairs=len(rows),
        n_missing=int((~known).sum()),
    )


def _correlation(x: np.ndarray, y: np.ndarray) -> float:
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan")
    return float(np.corrcoef(x, y)[0, 1])


def as_word_vectors(vectors: Any) -> WordVectors:
    """Return word vectors unchanged, or those of a model."""
    found = getattr(vectors, "word_vectors_", vectors)
    if not isinstance(found, WordVectors):
        raise InputError(f"vectors must be WordVectors or a model with word vectors, not {type(vectors).__name__}")
    return found


def rows_of(rows: Any, length: int, kind: str, content: str) -> list[Any]:
    """Return rows of a fixed length as a list.

    Parameters
    ----------
    rows : iterable of sequences
        The rows.
    length : int
        Number of values in a row.
    kind, content : str
        Name and content of a row, for error messages: ``"pair"``, ``"two words and a number"``.

    Raises
    ------
    InputError
        If it is not an iterable of rows, is a table that iterates over its columns, or a row has another length.
    """
    if isinstance(rows, (str, bytes)) or not isinstance(rows, Iterable) or hasattr(rows, "columns"):
        hint = ", such as df.itertuples(index=False, name=None) gives" if hasattr(rows, "columns") else ""
        raise InputError(f"{kind}s must be a list of rows of {content}{hint}, not {type(rows).__name__}")
    found = list(rows)
    wrong = [row for row in found if not _is_row(row, length)]
    if wrong:
        raise InputError(f"a {kind} must be {content}, not {wrong[0]!r:.80}")
    return found


def _is_row(row: Any, length: int) -> bool:
    ordered = isinstance(row, Sequence) or (isinstance(row, np.ndarray) and row.ndim == 1)
    return ordered and not isinstance(row, (str, bytes)) and len(row) == length


def read_pairs(path: str | PathLike[str]) -> list[tuple[str, str, float]]:
    """Read pairs of words and their judged similarity from a file; see `evaluate_similarity`.

    A first line without a number is skipped as a header. Lines that begin with "#" are comments.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    list of (str, str, float)
        The pairs.

    Raises
    ------
    FileFormatError
        If a line does not have two words and a number, or the file is not text.
    """
    check_text(Path(path))
    rows: list[tuple[str, str, float]] = []
    for number, fields in _fields_of(path):
        try:
            left, right, judged = fields[0], fields[1], float(fields[2])
            if not (left and right and math.isfinite(judged)):
                raise ValueError
        except (IndexError, ValueError):
            if number == 1:
                continue
            raise FileFormatError(
                f"{path}: line {number} must be two words and a number, not {' '.join(fields)!r:.80}"
            ) from None
        rows.append((left, right, judged))
    if not rows:
        raise FileFormatError(f"{path}: no line has two words and a number")
    return rows


def _fields_of(path: str | PathLike[str]) -> Iterable[tuple[int, list[str]]]:
    with open_decompressed(Path(path)) as stream:
        for number, line in enumerate(stream, start=1):
            text = line.decode("utf-8", "replace").strip()
            if text and not text.startswith("#"):
                separator = next((one for one in "\t,;" if one in text), None)
                yield number, [field.strip() for field in text.split(separator)]
