"""A sampler seen at work on one image: its exact law and its draws, by the labels' true ranks."""

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

# Draws are made for copies of the image, as many as there are shards, so that all threads have work.
_COPIES = 32


@dataclass(frozen=True)
class SamplerLaw:
    """What a sampler does for one image.

    Arrays have one entry per label that is not the image's own, best first: entry r is of the label of true rank r.

    Attributes
    ----------
    labels : (m,) int64 array
        Label columns by falling score; of equal scores the label that comes first ranks first.
    scores : (m,) float64 array
        Their scores.
    own_ranks : (n_own,) int64 array
        Of each of the image's own labels, how many others score above it.
    law : (m,) float64 array
        The sampler's exact law.
    rank_law : (m,) float64 array
        The exact rank law (`RankSampler`), with the sampler's own λ where it has one.
    lam : float
        Its λ.
    counts : (m,) int64 array
        How often each label was drawn.
    n_given_up : int
        Draws that returned nothing.
    skip_probability : float
        The exact probability of that.
    from_rank, from_uniform : float
        Total variation distance of the law from the exact rank law, and from the uniform one.
    violation, misranked : float
        Probability that a negative violates the margin 1, and the margin 0; see `violation_probability`.
    gradient_weight : float
        Mean weight of a step's gradient under the logistic loss; see `gradient_weight`.
    p_value : float
        The G-test of the draws against the law; see `goodness_of_fit`.
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
        """The number of draws, those that were given up among them."""
        return int(self.counts.sum()) + self.n_given_up

    def references(self) -> dict[str, np.ndarray]:
        """Return the exact rank law and the uniform law, under names that tell how far the sampler's is from each."""
        return {
            f"exact rank law (lam={self.lam:g}){_distance(self.from_rank)}": self.rank_law,
            f"uniform{_distance(self.from_uniform)}": np.full(len(self.law), 1 / len(self.law)),
        }


def _distance(distance: float) -> str:
    # There is none from a law that draws nothing.
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
    """Compute a sampler's law of one image and draw from it, with the compiled code that training runs.

    Parameters
    ----------
    sampler : Sampler
        The sampler.
    image_factors : (k,) array
        The image's vector.
    label_factors : (L, k) array
        The label factors.
    own : array of int
        The label columns that the image has, at least one; they are never drawn.
    label_counts : (L,) array of int, optional
        Number of training images each label has, which the popularity sampler goes by; one each by default.
    n_draws : int
        How often to draw.
    rng : int, Generator, SeedSequence or None
        Where the randomness comes from.

    Returns
    -------
    SamplerLaw
        The law, the draws, and what they say.

    Raises
    ------
    InputError
        If shapes do not fit, a factor is not finite, or the image has no label or every label.

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
        raise InputError(f"image_factors must be the vector of one image, not {image.shape}")
    if not is_whole(n_draws):
        raise InputError(f"n_draws must be a whole number of at least 1, not {n_draws!r}")
    if len(own) == 0:
        raise InputError("the image has no label of its own; negatives are drawn for a pair of an image and its label")
    if len(own) >= len(labels):
        raise InputError("the image has every label; there is no negative to draw")
    counts = np.ones(len(labels), np.int64) if label_counts is None else label_counts
    law = sampler.law(image[None], labels, [own], label_counts=counts)
    skips = sampler.skip_probability(image[None], labels, [own], label_counts=counts)
    ranker = RankSampler(lam=getattr(sampler, "lam", RankSampler.lam))
    rank_law = ranker.law(image[None], labels, [own])
    # As the samplers compute scores: rounded otherwise, near ties would stand in another order here than there.
    scores = dots(image, labels)
    others = np.setdiff1d(np.arange(len(labels)), own)
    others = others[np.argsort(-scores[others], kind="stable")]
    # Positives take turns: whole rounds in each copy, so that none comes up more often than another.
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
        p_value=goodness_of_fit(times, law[0, others]),
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
    """Compute a sampler's law of an image with a model's vectors, and draw from it; see `inspect_sampler`.

    Parameters
    ----------
    model : ImageAnnotator
        A fitted model.
    image : str
        The id of an image.
    data : AnnotationSet, optional
        The set that the image is of, with the model's labels; what the model was trained on by default.
    sampler : Sampler, optional
        The sampler; the model's own by default.
    n_draws, rng
        As in `inspect_sampler`.

    Raises
    ------
    UnknownNameError
        If the set has no such image.
    InputError
        If the image has no label or every label.
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
