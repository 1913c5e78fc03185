"""What word vectors are trained with: the same on every device."""

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
    """How to learn from windows of words.

    Parameters
    ----------
    counts : (W,) int64 array
        How often each row's word stands in all text seen.
    keep : (W,) uint64 array
        Of 2^32 tokens of a word, how many are trained on; see `kept_of_each_word`.
    longest : int
        The most words of a sentence.
    architecture, sampler, optimiser
        What to train with.
    window : int
        The most words on each side.
    n_negatives : int
        For how many each positive counts its negatives.
    draws_per, n_draws : int
        For how many windows negatives are drawn, 0 for each pair, and how many at a time.
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
        """The most words that a window is compared with."""
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
    """Return the task of what a user chose, and did not choose.

    Parameters
    ----------
    counts, longest, architecture, sampler, optimiser, window, n_negatives
        See `TextTask`.
    subsample : float
        The share of the text above which a word is thinned out; 0 for never.
    draws_per : {"pair", "window", "block"} or None
        For what negatives are drawn; None for what suits the architecture and the sampler.
    n_draws : int or None
        How many are drawn at a time; None for what suits the architecture.
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

    A word that makes up the share f of the text is kept with probability ``sqrt(t / f) + t / f``, at most 1, t being
    `subsample`: the rule of word2vec's code, which is milder than its paper's.
    """
    share = counts / max(counts.sum(), 1)
    with np.errstate(divide="ignore"):
        relative = subsample / share if subsample > 0 else np.full(len(counts), np.inf)
    return (np.minimum(np.sqrt(relative) + relative, 1.0) * 2.0**32).astype(np.uint64)
