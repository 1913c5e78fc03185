"""What training will cost: seconds an epoch, memory and traffic on this machine, on a card and on a cluster."""

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

# What Dask takes for a turn, on the worker, and for a round, on its way to the workers and back; measured.
_SECONDS_A_TURN, _SECONDS_A_ROUND = 0.015, 0.015

# Python with this package, and with Dask.
_BYTES_OF_PYTHON, _BYTES_OF_WORKER = 250_000_000, 350_000_000

# Of an image: where its labels begin, its place in the order of visits, its name.
_BYTES_AN_IMAGE, _BYTES_A_NAME = 20, 24


@dataclass(frozen=True)
class Size:
    """How large a set is: its images, labels, pairs, and features an image."""

    n_images: int
    n_labels: int
    n_pairs: int
    n_features: int = 0

    def __post_init__(self) -> None:
        if not all(is_whole(one) for one in (self.n_images, self.n_labels, self.n_pairs)):
            raise InputError(f"a set has at least one image, label and pair, not {self}")
        if not self.n_images <= self.n_pairs <= self.n_images * self.n_labels:
            raise InputError(
                f"{self.n_images:,} images with one label each, and {self.n_labels:,} at most, cannot have "
                f"{self.n_pairs:,} pairs"
            )

    def like_it(self) -> AnnotationSet:
        """Return a made-up set with these labels, and as many a picture, that is small enough to be trained on."""
        n_pairs = min(self.n_pairs, max(MANY, 2 * self.n_labels))
        return synthetic(max(self.n_images * n_pairs // self.n_pairs, 1), self.n_labels, n_pairs, rng=0)


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What training takes in one place.

    Attributes
    ----------
    where : str
        ``"this machine"``, ``"a card"`` or ``"4 workers"``.
    seconds : float
        Of an epoch.
    sending : float
        Which share of them nothing is done but sending, from 0 to 1.
    bytes_sent : float
        What a worker sends in an epoch, in the mean.
    memory : float
        Bytes that it takes, on a cluster of each worker.
    fits : bool
        Whether there is so much; a worker's machine is taken to be like this one.
    """

    where: str
    seconds: float
    sending: float = 0.0
    bytes_sent: float = 0.0
    memory: float
    fits: bool


@dataclass(frozen=True)
class Plan:
    """What training takes in each place, which one is best, and why."""

    estimates: list[Estimate]
    chosen: str
    why: str

    def to_json(self) -> dict[str, Any]:
        """Return it in plain numbers and texts."""
        return {"estimates": [asdict(one) for one in self.estimates], "chosen": self.chosen, "why": self.why}


def plan(
    data: AnnotationSet | Size,
    model: ImageAnnotator | None = None,
    *,
    n_workers: int = 4,
    bandwidth: float = 1.25e9,
    n_machines: int | None = None,
) -> Plan:
    """Foretell what training takes here and on a cluster of machines like this one.

    This machine's pace is measured first, on a sample, in a few seconds. Weights between labels, which are solved for
    before the first epoch where training begins, are left out.

    Parameters
    ----------
    data : AnnotationSet or Size
        What is to be trained on; of a size, one is made up.
    model : ImageAnnotator, optional
        What is to be trained. With ``device="cuda"`` the card is tried as well.
    n_workers : int
        How many workers the cluster has.
    bandwidth : float
        Of the network, bytes a second each way.
    n_machines : int, optional
        On how many machines the workers are; each on one of its own where left out. Of workers with one thread
        each, the cores of a machine count as machines.

    Returns
    -------
    Plan

    Raises
    ------
    InputError
        If a number cannot be used, or a size is of no set.

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
    # What is kept here is kept there too, but for Python.
    return Estimate(where="GPU", seconds=seconds * size.n_pairs / n_pairs, memory=here.memory, fits=here.fits)


def _on_cluster(pace: Pace, size: Size, n_workers: int, n_rounds: int, bandwidth: float, n_machines: int) -> Estimate:
    """Foretell what a cluster takes.

    In a round every worker takes a turn, side by side; one merges what they have changed, and all get the tables anew:
    for W workers, tables of T bytes and changes of c bytes, (W - 1) (T + c) bytes go through the merging one's network.
    Tables are brought back after each epoch, images' rows once in some.
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
            reasons.append(f"{one.where}: {one.memory / 1e9:,.1f} GB does not fit into memory")
        else:
            times = one.seconds / chosen.seconds
            sending = f", {one.sending:.0%} of it sending" if one.sending >= 0.005 else ""
            reasons.append(f"{one.where}: {times:,.1f} times as long{sending}")
    return "; ".join(reasons)
