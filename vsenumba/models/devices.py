"""Training devices by name. A device's code is imported when you choose it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from vsenumba.checks import check_choice
from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.text.corpus import Corpus
from vsenumba.errors import InputError
from vsenumba.models.label_pairs import LabelPairs
from vsenumba.models.sparse_weights import checked_weights
from vsenumba.training.annotation.device import Device
from vsenumba.training.annotation.host import HostDevice
from vsenumba.training.annotation.task import Task
from vsenumba.training.run import Trainer
from vsenumba.training.text.device import TextDevice
from vsenumba.training.text.host import HostTextDevice
from vsenumba.training.text.task import TextTask

if TYPE_CHECKING:
    from vsenumba.gpu.scoring import CardScores


def _cuda() -> type[Device]:
    from vsenumba.gpu.device import CudaDevice

    return CudaDevice


def _cuda_for_text() -> type[TextDevice]:
    from vsenumba.gpu.text_device import CudaTextDevice

    return CudaTextDevice


DEVICES: Mapping[str, Callable[[], type[Device]]] = {"cpu": lambda: HostDevice, "cuda": _cuda}
TEXT_DEVICES: Mapping[str, Callable[[], type[TextDevice]]] = {"cpu": lambda: HostTextDevice, "cuda": _cuda_for_text}


D = TypeVar("D")


def device_class(name: str, devices: Mapping[str, Callable[[], type[D]]]) -> type[D]:
    """Return the class of a device by name, one of `DEVICES` or `TEXT_DEVICES`."""
    check_choice("device", name, devices)
    return devices[name]()


def trainer_on_cluster(device: str, task: Task, client: Any, *arguments: Any) -> Trainer:
    """Return a trainer on a cluster; `arguments` are those of `ClusterTrainer`."""
    _check_on_cluster(device)
    from vsenumba.cluster.trainer import ClusterTrainer

    return ClusterTrainer(task, client, *arguments)


def text_trainer_on_cluster(device: str, corpus: Corpus, task: TextTask, client: Any, *arguments: Any) -> Trainer:
    """Return a trainer of word vectors on a cluster; `arguments` are those of `TextClusterTrainer`."""
    _check_on_cluster(device)
    from vsenumba.cluster.text_trainer import TextClusterTrainer

    return TextClusterTrainer(corpus, task, client, *arguments)


def _check_on_cluster(device: str) -> None:
    if device != "cpu":
        raise InputError(f'workers of a cluster train on their CPUs: device must be "cpu", not {device!r}')


def scores_on(
    device: str,
    vectors: Callable[[np.ndarray], np.ndarray],
    label_factors: np.ndarray,
    pairs: LabelPairs | None,
    known: AnnotationSet,
) -> CardScores | None:
    """Return an object that scores labels on a device by dot products; None for the CPU.

    Parameters
    ----------
    device : str
        Name of the device.
    vectors : callable
        Returns the vectors of some rows of `known`.
    label_factors : (L, k) float32 array
        Vectors of the labels.
    pairs : LabelPairs or None
        Weights between labels, which are added to the products.
    known : AnnotationSet
        The images with their known labels.
    """
    check_choice("device", device, DEVICES)
    if device == "cpu":
        return None
    from vsenumba.gpu.scoring import CardScores

    weights, strength = (None, 0.0) if pairs is None else (pairs.weights, pairs.strength)
    if weights is not None:
        weights = checked_weights("the weights between labels", weights, known.n_labels)
    return CardScores(vectors, label_factors, weights, strength, known)


def require_device(name: str) -> None:
    """Check that a device is available; the CPU always is.

    Raises
    ------
    DeviceError
        If it is not available. The message states what is missing and how to get it.
    """
    if name == "cuda":
        from vsenumba.gpu.backend import require_card

        require_card()
