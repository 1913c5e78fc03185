"""Inspect a sampler on one image: compare its exact law with its draws."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from vsenumba.checks import RandomLike, is_whole
from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.errors import InputError
from vsenumba.experiments.law_measures import goodness_of_fit, gradient_weight, total_variation, violation_probability
from vsenumba.kernels.dot import dots
from vsenumba.models import ImageAnnotator
from vsenumba.models.unfitted import check_is_fitted
from vsenumba.samplers import RankSampler, Sampler

# The draws are made for several copies of the image, one per shard, so that all threads have work.
_COPIES = 32


@dataclass(frozen=True)
class SamplerLaw:
    """The exact law and the draws of a sampler for one image.

    The arrays have one entry per label that the image does not have, in order of falling score. Entry r belongs to the
    label of rank r, counted from 0. There are m such labels.

    Attributes
    ----------
    labels : (m,) int64 array
        The label columns. Labels with equal scores are in the order of their columns.
    scores : (m,) float64 array
        The scores of these labels.
    own_ranks : (n_own,) int64 array
        For each known label of the image, the number of other labels that score above it.
    law : (m,) float64 array
        The exact probability of each label to be drawn.
    rank_law : (m,) float64 array
        The law of `RankSampler`, with the same λ if the sampler has a parameter λ.
    lam : float
        This λ.
    counts : (m,) int64 array
        The number of draws of each label.
    n_given_up : int
        The number of draws that found no negative.
    skip_probability : float
        The exact probability that a draw finds no negative.
    from_rank, from_uniform : float
        The total variation distance of the law from `rank_law`, and from the uniform law.
    violation, misranked : float
        The probability that a negative violates the margin 1, and the margin 0; see
        `vsenumba.experiments.violation_probability`.
    gradient_weight : float
        The mean weight of the gradient under the logistic loss; see `vsenumba.experiments.gradient_weight`.
    p_value : float
        The p-value of a G-test of the draws against the law; NaN without draws. See
        `vsenumba.experiments.goodness_of_fit`.
    """

    labels: np.ndarray
    scores: np.ndarray
    own_ranks: np.ndarray
    law: np.ndarray
    rank_law: np.ndarray
    lam: float
    counts: np.ndarray
    n_given_up: int
    skip_probability: float
    from_rank: float
    from_uniform: float
    violation: float
    misranked: float
    gradient_weight: float
    p_value: float

    @property
    def n_draws(self) -> int:
        """The number of draws, including those that found no negative."""
        return int(self.counts.sum()) + self.n_given_up

    def references(self) -> dict[str, np.ndarray]:
        """Return the rank law and the uniform law, by names that include the distance of the sampler's law."""
        return {
            f"exact rank law (lam={self.lam:g}){_distance(self.from_rank)}": self.rank_law,
            f"uniform{_distance(self.from_uniform)}": np.full(len(self.law), 1 / len(self.law)),
        }


def _distance(distance: float) -> str:
    # A sampler that cannot draw any label has no law, and no distance.
    return f", total variation {distance:.2f}" if np.isfinite(distance) else ""


def inspect_sampler(
    sampler: Sampler,
    image_factors: Any,
    label_factors: Any,
    own: Any,
    *,
    label_counts: Any = None,
    n_draws: int = 100_000,
    rng: RandomLike = None,
) -> SamplerLaw:
    """Compute a sampler's exact law for one image, and draw from it with the compiled code that training uses.

    Parameters
    ----------
    sampler : Sampler
        The sampler.
    image_factors : (k,) array_like
        The image's vector.
    label_factors : (L, k) array_like
        The vectors of the labels.
    own : array_like of int
        The columns of the image's known labels, at least one and not all. They are never drawn.
    label_counts : (L,) array_like of int, optional
        The number of training images of each label, which the popularity sampler uses. The default is 1 for all.
    n_draws : int
        The number of draws; 0 for none.
    rng : int, Generator, SeedSequence or None
        The random seed or generator.

    Returns
    -------
    SamplerLaw
        The law, the draws, and measures of both.

    Raises
    ------
    InputError
        If the shapes do not match, a factor is not finite, or the image has no label or every label.

    Examples
    --------
    >>> from vsenumba.samplers import UniformSampler
    >>> seen = inspect_sampler(UniformSampler(), [1.0], [[3.0], [1.0], [2.0], [2.5]], own=[0], n_draws=30, rng=0)
    >>> seen.labels
    array([3, 2, 1])
    >>> seen.law.round(3), seen.n_draws
    (array([0.333, 0.333, 0.333]), 30)
    """
    image = np.ascontiguousarray(image_factors, dtype=np.float32)
    labels = np.ascontiguousarray(label_factors, dtype=np.float32)
    own = np.unique(np.asarray(own, dtype=np.int64))
    if image.ndim != 1:
        raise InputError(f"image_factors must be the vector of one image, not of shape {image.shape}")
    if not is_whole(n_draws, 0):
        raise InputError(f"n_draws must be a whole number of at least 0, not {n_draws!r}")
    if len(own) == 0:
        raise InputError("the image has no label of its own; a sampler draws negatives for one of the image's labels")
    if len(own) >= len(labels):
        raise InputError("the image has every label, so there is no negative to draw")
    counts = np.ones(len(labels), np.int64) if label_counts is None else label_counts
    law = sampler.law(image[None], labels, [own], label_counts=counts)
    skips = sampler.skip_probability(image[None], labels, [own], label_counts=counts)
    ranker = RankSampler(lam=getattr(sampler, "lam", RankSampler.lam))
    rank_law = ranker.law(image[None], labels, [own])
    # Scores must be rounded as in the samplers, or labels with nearly equal scores could change places.
    scores = dots(image, labels)
    others = np.setdiff1d(np.arange(len(labels)), own)
    others = others[np.argsort(-scores[others], kind="stable")]
    drawn = np.zeros(0, np.int64)
    if n_draws:
        # Each copy goes through all positives equally often.
        size = len(own) * math.ceil(int(n_draws) / _COPIES / len(own))
        copies = math.ceil(int(n_draws) / size)
        drawn = sampler.draw(np.tile(image, (copies, 1)), labels, size, rng, [own] * copies, label_counts=counts)
        drawn = drawn.ravel()[: int(n_draws)]
    times = np.bincount(drawn[drawn >= 0], minlength=len(labels))[others]
    uniform = np.full(len(others), 1 / len(others))
    return SamplerLaw(
        labels=others,
        scores=scores[others],
        own_ranks=(scores[others] > scores[own, None]).sum(axis=1),
        law=law[0, others],
        rank_law=rank_law[0, others],
        lam=ranker.lam,
        counts=times,
        n_given_up=int((drawn < 0).sum()),
        skip_probability=float(skips[0]),
        from_rank=float(total_variation(law[0], rank_law[0])),
        from_uniform=float(total_variation(law[0, others], uniform)),
        violation=float(violation_probability(law, scores[None], [own])[0]),
        misranked=float(violation_probability(law, scores[None], [own], margin=0)[0]),
        gradient_weight=float(gradient_weight(law, scores[None], [own])[0]),
        p_value=goodness_of_fit(times, law[0, others]) if n_draws else math.nan,
    )


def inspect_image(
    model: ImageAnnotator,
    image: str,
    *,
    data: AnnotationSet | None = None,
    sampler: Sampler | None = None,
    n_draws: int = 100_000,
    rng: RandomLike = None,
) -> SamplerLaw:
    """Compute a sampler's exact law for an image of a model, and draw from it; see `inspect_sampler`.

    Parameters
    ----------
    model : ImageAnnotator
        A fitted model.
    image : str
        The id of the image.
    data : AnnotationSet, optional
        The set with the image and the labels of the model; the training set by default.
    sampler : Sampler, optional
        The sampler; by default that of the model.
    n_draws : int
        The number of draws; 0 for none.
    rng : int, Generator, SeedSequence or None
        The random seed or generator.

    Returns
    -------
    SamplerLaw
        The law, the draws, and measures of both.

    Raises
    ------
    UnknownNameError
        If the set has no such image.
    InputError
        If the image has no label or every label.

    Examples
    --------
    >>> import vsenumba as vse
    >>> from vsenumba.experiments import inspect_image
    >>> model = vse.ImageAnnotator(n_factors=4, n_epochs=1, random_state=0).fit([["a", "b"], ["b", "c"], ["a", "d"]])
    >>> seen = inspect_image(model, "0", sampler=vse.UniformSampler(), n_draws=100, rng=0)
    >>> seen.law, seen.n_draws
    (array([0.5, 0.5]), 100)
    """
    check_is_fitted(model)
    data = model.seen_ if data is None else data
    (row,) = data.image_ids.index([image])
    return inspect_sampler(
        model.member("sampler") if sampler is None else sampler,
        model.embed(data.select_images(np.array([row])))[0],
        model.label_factors_,
        data.indices[data.indptr[row] : data.indptr[row + 1]],
        label_counts=model.seen_.label_counts,
        n_draws=n_draws,
        rng=rng,
    )
