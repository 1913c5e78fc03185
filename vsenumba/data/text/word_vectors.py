"""Word vectors: a table with one row per word, which finds neighbours and solves analogies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from os import PathLike
from typing import Self

import numpy as np

from vsenumba.checks import as_array, check_choice
from vsenumba.data.matches import Match, best_matches
from vsenumba.data.overviews import word_vectors_html
from vsenumba.data.text.word2vec_format import read_word2vec, write_word2vec
from vsenumba.data.vocabulary import Vocabulary, as_names
from vsenumba.errors import InputError

# Keep the quotient of 3CosMul finite, as in the paper.
_EPSILON = 0.001


def _sum_of_cosines(to_a: np.ndarray, to_b: np.ndarray, to_c: np.ndarray) -> np.ndarray:
    return to_b - to_a + to_c


def _product_of_cosines(to_a: np.ndarray, to_b: np.ndarray, to_c: np.ndarray) -> np.ndarray:
    # Shifted from -1..1 to 0..1, as in the paper, so that products can be ranked.
    return (1 + to_b) / 2 * (1 + to_c) / 2 / ((1 + to_a) / 2 + _EPSILON)


# Scoring functions for the analogy "a is to b as c is to d". Each scores every d from its cosines to a, b and c.
ANALOGIES: Mapping[str, Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]] = {
    "3cosadd": _sum_of_cosines,
    "3cosmul": _product_of_cosines,
}


class WordVectors:
    """Words and their vectors.

    Parameters
    ----------
    words : Vocabulary or iterable of str
        The words, most frequent first if that is known.
    factors : (n_words, k) array
        Their vectors, stored as float32.

    Raises
    ------
    InputError
        If `factors` does not have one row per word, or a value is not finite.

    Examples
    --------
    >>> vectors = WordVectors(["cat", "dog", "car"], [[1.0, 0.2], [1.0, 0.3], [-0.5, 1.0]])
    >>> vectors.neighbors("cat", n=1)[0].name
    'dog'
    """

    def __init__(self, words: Vocabulary | Iterable[str], factors: np.ndarray) -> None:
        self.words = words if isinstance(words, Vocabulary) else Vocabulary(words, "word")
        array = as_array("factors", factors)
        if array.dtype.kind not in "buif":
            raise InputError(f"factors must be numbers, not {array.dtype}")
        with np.errstate(over="ignore"):
            self.factors = np.ascontiguousarray(array, dtype=np.float32)
        if self.factors.ndim != 2 or len(self.factors) != len(self.words) or 0 in self.factors.shape:
            raise InputError(
                f"factors must have a row for each of the {len(self.words)} words, not {self.factors.shape}"
            )
        if not np.isfinite(self.factors).all():
            row = int(np.flatnonzero(~np.isfinite(self.factors).all(axis=1))[0])
            raise InputError(f"factors must be finite; the row of {self.words[row]!r} is not")

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: object) -> bool:
        return word in self.words

    def __getitem__(self, word: str) -> np.ndarray:
        """Return a word's vector."""
        return self.factors[self.words.index([word])[0]]

    def __repr__(self) -> str:
        return f"<WordVectors: {len(self):,} words, {self.factors.shape[1]} factors>"

    def _repr_html_(self) -> str:
        return word_vectors_html(self)

    def directions(self) -> np.ndarray:
        """Return the vectors scaled to length 1, (n_words, k) float32. Vectors of length 0 stay unchanged."""
        # Sum in float64 to avoid overflow and underflow, without a float64 copy of the factors.
        lengths = np.sqrt(np.einsum("ij,ij->i", self.factors, self.factors, dtype=np.float64))[:, np.newaxis]
        return np.divide(self.factors, lengths, out=np.zeros_like(self.factors), where=lengths > 0, casting="same_kind")

    def find(self, words: Iterable[str]) -> np.ndarray:
        """Return the position of each word as written, else in lower case, else -1."""
        texts = as_names(words, "word").tolist()
        exact = self.words.find(texts)
        return np.where(exact >= 0, exact, self.words.find([text.lower() for text in texts]))

    def neighbors(self, word: str | int | np.ndarray, n: int = 10) -> list[Match]:
        """Find the words whose vectors have the largest cosine with the vector of a word, or with a given vector.

        Parameters
        ----------
        word : str, int or (k,) array
            A word or a vector. A whole number means its decimal text. The results do not include the word itself.
        n : int
            The maximum number of results.

        Returns
        -------
        list of Match
            The nearest words first, without words whose vector is zero.

        Raises
        ------
        UnknownNameError
            If the word is unknown.
        InputError
            If `word` is neither a word nor a vector, its vector is zero, or `n` is below 1.
        """
        if isinstance(word, (str, bytes)) or not hasattr(word, "__len__"):
            own = self.words.index([word])
            vector = self.factors[own[0]]
        else:
            own = np.zeros(0, np.int64)
            try:
                vector = np.asarray(word, dtype=np.float32)
            except (ValueError, TypeError) as error:
                raise InputError(f"a vector must be {self.factors.shape[1]} finite numbers: {error}") from error
            if vector.shape != self.factors.shape[1:] or not np.isfinite(vector).all():
                raise InputError(f"a vector must be {self.factors.shape[1]} finite numbers, not {vector.shape}")
        length = np.linalg.norm(vector.astype(np.float64))
        if length == 0:
            raise InputError(_no_direction("the vector" if not len(own) else f"the vector of {self.words[own[0]]!r}"))
        directions = self.directions()
        return self._best(directions, directions @ (vector / length).astype(np.float32), own, n)

    def analogy(self, a: str, b: str, c: str, n: int = 10, *, method: str = "3cosadd") -> list[Match]:
        """Solve the analogy "a is to b as c is to ...".

        Parameters
        ----------
        a, b, c : str
            The words. The results do not include them.
        n : int
            The maximum number of results.
        method : {"3cosadd", "3cosmul"}
            Whether to score by the sum or the quotient of cosines (Levy & Goldberg, CoNLL 2014, eqs. 3 and 4).

        Returns
        -------
        list of Match
            The best words first, with their scores, without words whose vector is zero.

        Raises
        ------
        UnknownNameError
            If a word is unknown.
        InputError
            If the vector of a word is zero, `method` is unknown, or `n` is below 1.
        """
        check_choice("method", method, ANALOGIES)
        directions = self.directions()
        own = self.words.index([a, b, c])
        for row in own:
            if not directions[row].any():
                raise InputError(_no_direction(f"the vector of {self.words[row]!r}"))
        cosines = directions @ directions[own].T
        return self._best(directions, ANALOGIES[method](*cosines.T), own, n)

    def _best(self, directions: np.ndarray, scores: np.ndarray, own: np.ndarray, n: int) -> list[Match]:
        scores[own] = -np.inf
        # A zero vector has no neighbours.
        scores[~directions.any(axis=1)] = -np.inf
        return best_matches(scores, n, self.words)

    def save_word2vec(self, path: str | PathLike[str], *, binary: bool = False) -> None:
        """Write the vectors in word2vec's text or binary format, which most programs read.

        In this format a space ends a word, so spaces within words become underscores.
        """
        write_word2vec(path, self.words, self.factors, binary=binary)

    @classmethod
    def load_word2vec(cls, path: str | PathLike[str]) -> Self:
        """Read vectors in word2vec's text or binary format, or in GloVe's, and detect the format.

        Files may be compressed with gzip, xz or bzip2. In text files, words may contain spaces.

        Raises
        ------
        FileFormatError
            If the first line is neither two whole numbers nor a word and its values, or a row is missing, too short or
            not finite. The message names the line or the word.

        Warns
        -----
        UserWarning
            If words appear twice (the first is kept), are blank (they are skipped), or contain bytes that are not UTF-8
            (they become U+FFFD).
        """
        return cls(*read_word2vec(path))


def _no_direction(what: str) -> str:
    return f"{what} is zero, so it has no direction and no nearest words"
