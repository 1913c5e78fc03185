"""The settings of a training of word vectors, which are the same for every device."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vsenumba.kernels.gate import readable
from vsenumba.samplers import Sampler
from vsenumba.training.optimisers import Optimiser
from vsenumba.training.text.architecture import Architecture
from vsenumba.training.text.draws import DRAWS_PER


@dataclass(frozen=True, kw_only=True)
class TextTask:
    """The settings of a training on windows of words.

    Parameters
    ----------
    counts : (W,) int64 array
        The frequency of each word in all text so far.
    keep : (W,) uint64 array
        How many of 2^32 tokens of each word are trained on; see `kept_of_each_word`.
    longest : int
        The largest number of words in a sentence.
    architecture, sampler, optimiser : Architecture, Sampler, Optimiser
        The members of the training.
    window : int
        The largest number of words on each side of the centre.
    n_negatives : int
        The weight of the negatives of each positive, as a number of negatives.
    draws_per : int
        The number of windows that share a draw of negatives; 0 for a draw per pair.
    n_draws : int
        The number of negatives in a draw.
    """

    counts: np.ndarray
    keep: np.ndarray
    longest: int
    architecture: Architecture
    sampler: Sampler
    optimiser: Optimiser
    window: int
    n_negatives: int
    draws_per: int
    n_draws: int

    @property
    def most_chosen(self) -> int:
        """The largest number of words that a window is compared with."""
        return self.architecture.most_positives(self.window) + self.n_draws


def text_task(
    counts: np.ndarray,
    longest: int,
    *,
    architecture: Architecture,
    sampler: Sampler,
    optimiser: Optimiser,
    window: int,
    subsample: float,
    n_negatives: int,
    draws_per: str | None,
    n_draws: int | None,
) -> TextTask:
    """Return a task for the user's settings, with defaults for the settings that are None.

    Parameters
    ----------
    counts, longest, architecture, sampler, optimiser, window, n_negatives
        See `TextTask`.
    subsample : float
        The share of the text above which a word is subsampled; 0 for no subsampling.
    draws_per : {"pair", "window", "block"} or None
        The group of pairs that share a draw of negatives. None selects it by the architecture and the sampler.
    n_draws : int or None
        The number of negatives in a draw. None selects it by the architecture.

    Returns
    -------
    TextTask
    """
    counts = readable("counts_", counts, (None,), np.int64)
    draws_per = draws_per or ("window" if sampler.by_vector else architecture.draws_per)
    return TextTask(
        counts=counts,
        keep=kept_of_each_word(counts, subsample),
        longest=longest,
        architecture=architecture,
        sampler=sampler,
        optimiser=optimiser,
        window=int(window),
        n_negatives=int(n_negatives),
        draws_per=DRAWS_PER[draws_per],
        n_draws=int(n_negatives * architecture.draws_per_negative[draws_per] if n_draws is None else n_draws),
    )


def kept_of_each_word(counts: np.ndarray, subsample: float) -> np.ndarray:
    """Return how many of 2^32 tokens of each word are trained on, (W,) uint64.

    A word whose share of the text is f is kept with probability ``sqrt(t / f) + t / f``, at most 1, where t is
    `subsample`. This is the rule in the code of word2vec, which keeps more words than the one in its paper.
    """
    share = counts / max(counts.sum(), 1)
    with np.errstate(divide="ignore"):
        relative = subsample / share if subsample > 0 else np.full(len(counts), np.inf)
    return (np.minimum(np.sqrt(relative) + relative, 1.0) * 2.0**32).astype(np.uint64)
