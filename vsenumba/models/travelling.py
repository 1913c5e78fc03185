"""A model on a cluster: it travels to every worker once, as the bytes of its file, and gets part after part there."""

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

# A worker has several parts, so that one that is faster does more; but no part more blocks than these.
_PARTS_A_WORKER = 4
_MOST_BLOCKS = 32


def check_travels(model: Any) -> None:
    """Refuse a model that workers cannot make again.

    Raises
    ------
    InputError
        If it, or one of its parameters, is of a class of one's own, or it works on another device than the processor.
    """
    if type(model) is not importlib.import_module("vsenumba.models").MODELS.get(model.kind):
        raise InputError(f"a {type(model).__name__} is of a class of your own, which workers do not have")
    device = getattr(model, "device", "cpu")
    if device != "cpu":
        raise InputError(f'on a cluster every worker works on its processor: device must be "cpu", not {device!r}')
    members = {one.family: getattr(model, name) for name, one in model.PARAMETERS.items() if isinstance(one, MemberOf)}
    check_members({family: member for family, member in members.items() if isinstance(member, Member)})


def parts_of(blocks: Sequence[slice], n_workers: int) -> list[slice]:
    """Return slices of several blocks each, in order.

    Each has two blocks, if there are so many: a block that is alone is multiplied on all threads, and several are not.
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
    """Return an iterator of parts and what workers make of them.

    Parameters
    ----------
    client : distributed.Client
        The cluster.
    model : Fitted
        The model.
    work : callable
        What a worker does with a part; see `over_parts`. It gets the model with `model_of`.
    blocks : sequence of slice
        The blocks that one machine would work on.
    made : callable
        Returns what is sent of a part, as plain; it is called when it is sent.
    told : mapping
        What all parts need beside the model.
    """
    check_client(client)
    check_travels(model)
    parts = parts_of(blocks, len(ready_workers(client)))
    shared = {"model": _as_bytes(model), "n_threads": getattr(model, "n_threads", None), **told}
    return zip(parts, over_parts(client, work, shared, [functools.partial(made, one) for one in parts]), strict=True)


def model_of(shared: Mapping[str, Any]) -> Any:
    """Return the model, on a worker."""
    model = _from_bytes(shared["model"])
    if "n_threads" in model.PARAMETERS:
        model.set_params(n_threads=shared["n_threads"])
    return model


def _as_bytes(model: Any) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.h5"
        model.save(path)
        return path.read_bytes()


# The last one stays: a worker gets part after part for the same model.
@functools.lru_cache(maxsize=1)
def _from_bytes(content: bytes) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.h5"
        path.write_bytes(content)
        return importlib.import_module("vsenumba.models").load_model(path)
