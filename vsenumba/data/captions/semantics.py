"""Caption semantics: latent semantic vectors from TF-IDF and truncated SVD."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from vsenumba.data.text.reading import words_of
from vsenumba.errors import InputError


def caption_semantics(texts: Iterable[str], n_components: int = 400, random_state: int = 0) -> np.ndarray:
    """Return a vector for each text, (n, r) float32, so that texts with similar words have similar vectors.

    English stop words and words with digits or underscores are ignored. TF-IDF is smoothed, and its rows have length 1.
    Unlike in the LSEH paper, words are not stemmed.

    Parameters
    ----------
    texts : iterable of str
        The training captions.
    n_components : int
        The maximum of r. The number of different words and the number of texts, minus one, also limit r.
    random_state : int
        The seed of the randomised SVD.

    Raises
    ------
    InputError
        If the texts have fewer than two different usable words.
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
    # Not isalpha, which is False for the vowel signs in most Hindi words.
    return not any(character.isnumeric() or character == "_" for character in word)
