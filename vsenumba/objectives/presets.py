"""The named objectives: hinges or cross-entropy, with the margin and the negatives of a paper."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from vsenumba.objectives.cross_entropy import CrossEntropy
from vsenumba.objectives.hinges import Hinges
from vsenumba.objectives.margins import SemanticMargin
from vsenumba.objectives.negatives import Negatives


@dataclass(frozen=True, kw_only=True)
class SumOfHinges(Hinges):
    """Minimise the hinges of all negatives; with a `SemanticMargin`, this is the LSH of the LSEH paper.

    Parameters
    ----------
    margin : float or SemanticMargin, default 0.2
        Number to add to the score of each negative, at least 0.
    negatives : Negatives or str, default "all"
        Rule that selects the negatives.

    References
    ----------
    Kiros, Salakhutdinov & Zemel, "Unifying Visual-Semantic Embeddings with Multimodal Neural Language Models", 2014.

    Examples
    --------
    >>> import numpy as np
    >>> from vsenumba import SumOfHinges
    >>> SumOfHinges().batch_loss(np.array([[0.5, 0.4], [0.1, 0.6]])).gradient.tolist()
    [[-1.0, 1.0], [0.0, 0.0]]
    """

    name: ClassVar[str] = "sum-of-hinges"


@dataclass(frozen=True, kw_only=True)
class MaxOfHinges(Hinges):
    """Minimise the hinge of the hardest negative, as in VSE++; also called LMH.

    Use all negatives in the first epochs (`warmup_epochs`). Otherwise, all cosines may become equal at the start, and
    the loss stays at ``2 N margin``.

    Parameters
    ----------
    margin : float or SemanticMargin, default 0.2
        Number to add to the score of the negative, at least 0.
    negatives : Negatives or str, default "hardest"
        Rule that selects the negatives.

    References
    ----------
    Faghri et al., "VSE++: Improving Visual-Semantic Embeddings with Hard Negatives", BMVC 2018.
    """

    negatives: Negatives | str = "hardest"
    name: ClassVar[str] = "max-of-hinges"


@dataclass(frozen=True, kw_only=True)
class AdOpt(CrossEntropy):
    """Minimise the cross-entropy against the K hardest negatives, where K depends on alignment and uniformity.

    See `vsenumba.objectives.negatives.AdaptiveNegatives` for K.

    Parameters
    ----------
    margin : float or SemanticMargin, default 0.2
        Number to add to the score of each negative, at least 0.
    negatives : Negatives or str, default "adaptive"
        Rule that selects the negatives.
    temperature : float, default 0.05
        Divisor τ of the scores, above 0.

    References
    ----------
    Zhang et al., "Improving Visual-Semantic Embedding with Adaptive Pooling and Optimization Objective", EACL 2023.
    """

    negatives: Negatives | str = "adaptive"
    name: ClassVar[str] = "adopt"


@dataclass(frozen=True, kw_only=True)
class ConstantK(CrossEntropy):
    """Minimise AdOpt's cross-entropy with a constant K: ``negatives=ConstantNegatives(k=...)``.

    Parameters
    ----------
    margin : float or SemanticMargin, default 0.2
        Number to add to the score of each negative, at least 0.
    negatives : Negatives or str, default "constant"
        Rule that selects the negatives.
    temperature : float, default 0.05
        Divisor τ of the scores, above 0.
    """

    negatives: Negatives | str = "constant"
    name: ClassVar[str] = "constant-k"


@dataclass(frozen=True, kw_only=True)
class RandomK(CrossEntropy):
    """Minimise AdOpt's cross-entropy with random instead of hard negatives: ``negatives=RandomNegatives(k=...)``.

    Parameters
    ----------
    margin : float or SemanticMargin, default 0.2
        Number to add to the score of each negative, at least 0.
    negatives : Negatives or str, default "random"
        Rule that selects the negatives.
    temperature : float, default 0.05
        Divisor τ of the scores, above 0.
    """

    negatives: Negatives | str = "random"
    name: ClassVar[str] = "random-k"


@dataclass(frozen=True, kw_only=True)
class InfoNCE(CrossEntropy):
    """Minimise the cross-entropy against all negatives, without a margin.

    Parameters
    ----------
    margin : float or SemanticMargin, default 0.0
        Number to add to the score of each negative, at least 0.
    negatives : Negatives or str, default "all"
        Rule that selects the negatives.
    temperature : float, default 0.05
        Divisor τ of the scores, above 0.

    References
    ----------
    van den Oord, Li & Vinyals, "Representation Learning with Contrastive Predictive Coding", 2018.
    """

    margin: float | SemanticMargin = 0.0
    name: ClassVar[str] = "infonce"


@dataclass(frozen=True, kw_only=True)
class LSEH(Hinges):
    """Minimise the hinge of the hardest negative, with semantic margins.

    ``negatives="adaptive"`` uses AdOpt's group instead of the hardest negative.

    Parameters
    ----------
    margin : float or SemanticMargin, default SemanticMargin()
        Number to add to the score of each negative.
    negatives : Negatives or str, default "hardest"
        Rule that selects the negatives.

    References
    ----------
    Gong & Cosma, "Improving visual-semantic embeddings by learning semantically-enhanced hard negatives for cross-modal
    information retrieval", Pattern Recognition 2023.
    """

    margin: float | SemanticMargin = field(default_factory=SemanticMargin)
    negatives: Negatives | str = "hardest"
    name: ClassVar[str] = "lseh"
