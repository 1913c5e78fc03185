"""Sending a model to the workers of a cluster: once to each worker, as the bytes of its file."""

from __future__ import annotations

import functools
import importlib
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vsenumba.cluster.members import check_members
from vsenumba.cluster.over_parts import over_parts
from vsenumba.cluster.workers import check_client, ready_workers
from vsenumba.errors import InputError
from vsenumba.models.parameters import MemberOf
from vsenumba.registry import Member

# Each worker gets several parts, so that faster workers do more. A part has at most _MOST_BLOCKS blocks.
_PARTS_A_WORKER = 4
_MOST_BLOCKS = 32


def check_travels(model: Any) -> None:
    """Raise an error for a model that workers cannot load.

    Raises
    ------
    InputError
        If the model or one of its members is of the user's own class, or its device is not the CPU.
    """
    if type(model) is not importlib.import_module("vsenumba.models").MODELS.get(model.kind):
        raise InputError(f"{type(model).__name__} is not a class of vsenumba, so the workers cannot load it")
    device = getattr(model, "device", "cpu")
    if device != "cpu":
        raise InputError(f'workers of a cluster use their CPUs: device must be "cpu", not {device!r}')
    members = {one.family: getattr(model, name) for name, one in model.PARAMETERS.items() if isinstance(one, MemberOf)}
    check_members({family: member for family, member in members.items() if isinstance(member, Member)})


def parts_of(blocks: Sequence[slice], n_workers: int) -> list[slice]:
    """Return slices of several blocks each, in order.

    Each slice has at least two blocks, if possible: a single block is multiplied on all threads, which may round
    differently.
    """
    n_parts = max(_PARTS_A_WORKER * n_workers, -(-len(blocks) // _MOST_BLOCKS))
    n_parts = max(1, min(n_parts, len(blocks) // 2))
    some = [one for one in np.array_split(np.arange(len(blocks)), n_parts) if len(one)]
    return [slice(blocks[one[0]].start, blocks[one[-1]].stop) for one in some]


def answers(
    client: Any,
    model: Any,
    work: Callable[[Any, Any], Any],
    blocks: Sequence[slice],
    made: Callable[[slice], dict[str, Any]],
    told: Mapping[str, Any],
) -> Iterator[tuple[slice, Any]]:
    """Return an iterator over parts and the results of workers for them.

    Parameters
    ----------
    client : distributed.Client
        The cluster.
    model : Fitted
        The model.
    work : callable
        Function that a worker runs on a part; see `over_parts`. It gets the model with `model_of`.
    blocks : sequence of slice
        The blocks that one machine would process.
    made : callable
        Packs a part for sending, as plain data. It is called when the part is sent.
    told : mapping
        Other data that all parts need.
    """
    check_client(client)
    check_travels(model)
    parts = parts_of(blocks, len(ready_workers(client)))
    shared = {"model": _as_bytes(model), "n_threads": getattr(model, "n_threads", None), **told}
    return zip(parts, over_parts(client, work, shared, [functools.partial(made, one) for one in parts]), strict=True)


def model_of(shared: Mapping[str, Any]) -> Any:
    """Return the model; runs on a worker."""
    model = _from_bytes(shared["model"])
    if "n_threads" in model.PARAMETERS:
        model.set_params(n_threads=shared["n_threads"])
    return model


def _as_bytes(model: Any) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.h5"
        model.save(path)
        return path.read_bytes()


# Cache the last model, because a worker gets many parts for the same model.
@functools.lru_cache(maxsize=1)
def _from_bytes(content: bytes) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.h5"
        path.write_bytes(content)
        return importlib.import_module("vsenumba.models").load_model(path)
