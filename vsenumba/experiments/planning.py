"""Estimate the cost of training: time, memory and network traffic on this machine, on a GPU and on a cluster."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from sklearn.base import clone

from vsenumba.checks import is_number, is_whole
from vsenumba.cluster.rounds import MOST_TO_REPEAT
from vsenumba.cluster.trainer import N_ROUNDS
from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.planted import synthetic
from vsenumba.errors import InputError
from vsenumba.experiments.pace import MANY, Pace, pace_of, seconds_an_epoch
from vsenumba.memory import available_bytes
from vsenumba.models import ImageAnnotator

# Dask's overhead for a turn on the worker, and for the messages of a round; from docs/explanation/cluster.md.
_SECONDS_A_TURN, _SECONDS_A_ROUND = 0.015, 0.015

# The memory of a Python process with this package, without and with Dask.
_BYTES_OF_PYTHON, _BYTES_OF_WORKER = 250_000_000, 350_000_000

# The bytes per image for the start of its labels and its place in the visiting order, and for its name.
_BYTES_AN_IMAGE, _BYTES_A_NAME = 20, 24


@dataclass(frozen=True)
class Size:
    """The size of a data set, for an estimate without the data itself.

    Parameters
    ----------
    n_images : int
        The number of images, at least 1.
    n_labels : int
        The number of labels, at least 1.
    n_pairs : int
        The number of image–label pairs, from `n_images` to ``n_images * n_labels``.
    n_features : int
        The number of features per image; 0 if there are none.

    Raises
    ------
    InputError
        If no data set can have this size.

    Examples
    --------
    >>> Size(2_000, 50, 8_000)
    Size(n_images=2000, n_labels=50, n_pairs=8000, n_features=0)
    """

    n_images: int
    n_labels: int
    n_pairs: int
    n_features: int = 0

    def __post_init__(self) -> None:
        if not all(is_whole(one) for one in (self.n_images, self.n_labels, self.n_pairs)):
            raise InputError(f"a set must have at least one image, one label and one pair, not {self}")
        if not self.n_images <= self.n_pairs <= self.n_images * self.n_labels:
            raise InputError(
                f"{self.n_images:,} images have at least one label each and at most {self.n_labels:,}, so they cannot "
                f"have {self.n_pairs:,} pairs"
            )

    def like_it(self) -> AnnotationSet:
        """Return a synthetic set that is small enough for training, with these labels and as many pairs per image."""
        n_pairs = min(self.n_pairs, max(MANY, 2 * self.n_labels))
        return synthetic(max(self.n_images * n_pairs // self.n_pairs, 1), self.n_labels, n_pairs, rng=0)


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """The estimated cost of training in one place.

    Attributes
    ----------
    where : str
        The place: ``"this machine"``, ``"a GPU"``, or the cluster, as in ``"4 workers"``.
    seconds : float
        The time of an epoch.
    sending : float
        The share of this time, from 0 to 1, that is spent only on sending.
    bytes_sent : float
        The mean number of bytes that a worker sends in an epoch.
    memory : float
        The bytes of memory that training needs; on a cluster, the bytes that each worker needs.
    fits : bool
        Whether this memory is available. The machines of workers are assumed to be like this one.
    """

    where: str
    seconds: float
    sending: float = 0.0
    bytes_sent: float = 0.0
    memory: float
    fits: bool


@dataclass(frozen=True)
class Plan:
    """The estimates for all places, and a recommendation.

    Attributes
    ----------
    estimates : list of Estimate
        One estimate per place.
    chosen : str
        The recommended place: the fastest one with enough memory, or the fastest one if none has enough.
    why : str
        The reasons, for people.
    """

    estimates: list[Estimate]
    chosen: str
    why: str

    def to_json(self) -> dict[str, Any]:
        """Return the plan as JSON values."""
        return {"estimates": [asdict(one) for one in self.estimates], "chosen": self.chosen, "why": self.why}


def plan(
    data: AnnotationSet | Size,
    model: ImageAnnotator | None = None,
    *,
    n_workers: int = 4,
    bandwidth: float = 1.25e9,
    n_machines: int | None = None,
) -> Plan:
    """Estimate what training costs on this machine and on a cluster of such machines.

    The estimate first trains on a sample for a few seconds to measure the speed of this machine. It does not include
    the weights between labels, which are computed before the first epoch, on the machine that starts the training.

    Parameters
    ----------
    data : AnnotationSet or Size
        The data set. For a `Size`, the sample is a synthetic set.
    model : ImageAnnotator, optional
        The model to train; the default is ``ImageAnnotator()``. With ``device="cuda"``, the GPU is measured as well.
    n_workers : int
        The number of workers in the cluster.
    bandwidth : float
        The bandwidth of the network, in bytes a second in each direction.
    n_machines : int, optional
        The number of machines that the workers share; by default each worker has its own. If workers have one thread
        each, count every processor core as a machine.

    Returns
    -------
    Plan
        The estimates and a recommendation.

    Raises
    ------
    InputError
        If a number is out of range.

    See Also
    --------
    Size : The size of a data set that you do not have yet.

    Examples
    --------
    >>> from vsenumba.experiments import Size, plan
    >>> found = plan(Size(2_000, 50, 8_000), n_workers=2)
    >>> [one.where for one in found.estimates], found.chosen
    (['this machine', '2 workers'], 'this machine')
    """
    for name, number in (("n_workers", n_workers), ("n_machines", n_workers if n_machines is None else n_machines)):
        if not is_whole(number):
            raise InputError(f"{name} must be a whole number of at least 1, not {number!r}")
    if not (is_number(bandwidth) and bandwidth > 0):
        raise InputError(f"bandwidth must be above 0 bytes a second, not {bandwidth!r}")
    model = ImageAnnotator() if model is None else model
    size = data if isinstance(data, Size) else Size(*data.shape, data.n_pairs, data.n_features)
    like_it = data.like_it() if isinstance(data, Size) else data
    here = clone(model).set_params(device="cpu")
    n_rounds = N_ROUNDS if n_workers > 1 else 1
    pace = pace_of(here, like_it, size.n_pairs // (n_workers * n_rounds))
    estimates = [_here(pace, size)]
    if model.device == "cuda":
        estimates.append(_on_card(model, like_it, size, estimates[0]))
    estimates.append(_on_cluster(pace, size, n_workers, n_rounds, bandwidth, n_machines or n_workers))
    fitting = [one for one in estimates if one.fits] or estimates
    chosen = min(fitting, key=lambda one: one.seconds)
    return Plan(estimates, chosen.where, _why(chosen, estimates))


def _bytes_of_data(size: Size) -> int:
    return 4 * size.n_pairs + (_BYTES_AN_IMAGE + 4 * size.n_features) * size.n_images


def _here(pace: Pace, size: Size) -> Estimate:
    tables = pace.table_bytes + pace.image_bytes * size.n_images
    memory = _BYTES_OF_PYTHON + tables + _bytes_of_data(size) + _BYTES_A_NAME * size.n_images
    seconds = pace.seconds_an_epoch + pace.seconds_a_pair * size.n_pairs
    return Estimate(where="this machine", seconds=seconds, memory=memory, fits=memory < available_bytes())


def _on_card(model: ImageAnnotator, like_it: AnnotationSet, size: Size, here: Estimate) -> Estimate:
    n_pairs, seconds = seconds_an_epoch(model, like_it)
    # The GPU's tables are also in main memory.
    return Estimate(where="a GPU", seconds=seconds * size.n_pairs / n_pairs, memory=here.memory, fits=here.fits)


def _on_cluster(pace: Pace, size: Size, n_workers: int, n_rounds: int, bandwidth: float, n_machines: int) -> Estimate:
    """Estimate the cost on a cluster; docs/explanation/cluster.md has the formula.

    In a round, all workers take a turn at the same time. Then one worker merges their changes and sends the new tables
    to the others. With W workers, tables of T bytes and changes of c bytes, (W - 1) (T + c) bytes pass through the
    network of that worker. The tables come back after every epoch, the rows of the images only once in several epochs.
    """
    others, tables, change = n_workers - 1, pace.table_bytes, pace.change_bytes
    share, sharing = 1 / n_workers, math.ceil(n_workers / n_machines)
    turns = sharing * (pace.seconds_a_pair * size.n_pairs * share + n_rounds * (pace.seconds_a_turn + _SECONDS_A_TURN))
    merges = n_rounds * (pace.seconds_a_merge + n_workers * pace.seconds_a_change + _SECONDS_A_ROUND)
    brought_back = size.n_images * pace.image_bytes / MOST_TO_REPEAT
    sent = n_rounds * others * (tables + change) + tables + brought_back
    sending = sent / bandwidth
    seconds = turns + merges + sending
    part = _bytes_of_data(size) / (n_workers * n_rounds)
    memory = (
        _BYTES_OF_WORKER + share * (_bytes_of_data(size) + pace.image_bytes * size.n_images) + 2 * part + 4 * tables
        + n_workers * change
    )  # fmt: skip
    where = "1 worker" if n_workers == 1 else f"{n_workers:,} workers"
    fits = memory * sharing < available_bytes()
    return Estimate(
        where=where, seconds=seconds, sending=sending / seconds, bytes_sent=sent * share, memory=memory, fits=fits
    )


def _why(chosen: Estimate, estimates: list[Estimate]) -> str:
    if not any(one.fits for one in estimates):
        return "the fastest, but it does not fit into memory: use more workers or fewer factors"
    reasons = []
    for one in estimates:
        if one is chosen:
            continue
        if not one.fits:
            reasons.append(f"{one.where}: needs {one.memory / 1e9:,.1f} GB, which does not fit into memory")
        else:
            times = one.seconds / chosen.seconds
            sending = f", {one.sending:.0%} of it for sending" if one.sending >= 0.005 else ""
            reasons.append(f"{one.where}: {times:,.1f} times as long{sending}")
    return "; ".join(reasons)
