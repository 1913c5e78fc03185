"""What captions are about: latent semantics by TF-IDF and truncated SVD."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from vsenumba.data.text.reading import words_of
from vsenumba.errors import InputError


def caption_semantics(texts: Iterable[str], n_components: int = 400, random_state: int = 0) -> np.ndarray:
    """Return a vector for each text by which texts of like words are alike, (n, r) float32.

    English stop words and what has no letter are left out; TF-IDF is smoothed, its rows have length 1. Words are not
    stemmed, which the LSEH paper does.

    Parameters
    ----------
    texts : iterable of str
        The captions, of training.
    n_components : int
        r at most; the number of different words and of texts less one bound it.
    random_state : int
        Of the randomised SVD.

    Raises
    ------
    InputError
        If the texts have fewer than two different words that count.
    """
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, TfidfVectorizer

    def words(text: str) -> list[str]:
        return [word for word in words_of(text) if _is_of_letters(word) and word not in ENGLISH_STOP_WORDS]

    texts = [str(text) for text in texts]
    try:
        weights = TfidfVectorizer(analyzer=words, dtype=np.float32).fit_transform(texts)
    except ValueError as error:
        raise InputError("the captions contain only stop words, so semantic margins cannot be computed") from error
    r = min(n_components, weights.shape[1] - 1, weights.shape[0] - 1)
    if r < 1:
        raise InputError("the captions have too few different words for semantic margins")
    return TruncatedSVD(r, random_state=random_state).fit_transform(weights).astype(np.float32)


def _is_of_letters(word: str) -> bool:
    # Not isalpha, which is false for the vowel signs of most words in Hindi.
    return not any(character.isnumeric() or character == "_" for character in word)
