"""Compile and assemble the GPU kernels without a GPU; report the registers and the spilled bytes of each.

    python -m benchmarks gpu-kernels

The compiler and the assembler come with the extra cuda13. Neither a GPU nor a driver is needed.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from vsenumba.errors import InputError
from vsenumba.losses import SoftmaxLoss, as_loss
from vsenumba.samplers import SAMPLERS, as_sampler
from vsenumba.training.annotation.absences import AbsencesState, NoAbsences
from vsenumba.training.annotation.inputs.features import FeaturesState
from vsenumba.training.annotation.inputs.ids import IdsState
from vsenumba.training.annotation.inputs.labels import LabelsState
from vsenumba.training.annotation.inputs.sum import InputsState, Nothing
from vsenumba.training.optimisers import as_optimiser
from vsenumba.training.text import as_architecture

# Compute capabilities: Turing, Ampere, Hopper, Blackwell.
CARDS = ((7, 5), (8, 0), (9, 0), (10, 0))

_TABLE, _ROW, _WHOLE = np.zeros((2, 32), np.float32), np.zeros(2, np.float32), np.zeros(2, np.int32)
_INPUTS = {
    "ids": IdsState(_TABLE, _ROW, 1),
    "labels": LabelsState(_TABLE, _ROW, 0.75),
    "features": FeaturesState(_TABLE, _TABLE),
}


class Case(NamedTuple):
    """A combination with its own compiled kernel."""

    inputs: tuple[str, ...] = ("ids",)
    sampler: str = "uniform"
    loss: Any = "logistic"
    optimiser: str = "adagrad"
    absent: bool = False

    def __str__(self) -> str:
        loss = self.loss if isinstance(self.loss, str) else "drawn softmax"
        return " ".join(["+".join(self.inputs), self.sampler, loss, self.optimiser, "absences" * self.absent]).strip()


#: Every sampler, input, loss and optimiser at least once; every sampler with the input that needs most registers.
CASES = (
    *(Case(("labels",), sampler) for sampler in SAMPLERS),
    *(Case((inputs,), sampler) for inputs in ("ids", "features") for sampler in ("uniform", "adaptive")),
    *(Case(loss=loss, optimiser="sgd") for loss in ("hinge", "warp")),
    *(Case((inputs,), loss="softmax") for inputs in ("labels", "features")),
    *(Case(("labels",), sampler, SoftmaxLoss(n_negatives=8)) for sampler in ("popularity", "adaptive")),
    Case(("features", "labels", "ids"), "adaptive"),
    Case(sampler="adaptive", absent=True),
)


class WordCase(NamedTuple):
    """A combination for word vectors; without a sampler, the kernel that subsamples sentences."""

    architecture: str
    sampler: str | None
    optimiser: str = "sgd"

    def __str__(self) -> str:
        return f"words {self.architecture} {self.sampler} {self.optimiser}" if self.sampler else "words, thinned out"


WORD_CASES = (
    WordCase("skipgram", None),
    WordCase("skipgram", "popularity"),
    WordCase("skipgram", "popularity", "adagrad"),
    WordCase("skipgram", "adaptive"),
    WordCase("cbow", "popularity"),
)


# The names of kernels in `vsenumba.gpu.scoring`.
SCORE_CASES = ("add_weights", "leave_out", "count_on_card", "choose_on_card")


class Assembled(NamedTuple):
    """The output of the assembler: registers per thread, and bytes of spilled registers in local memory."""

    registers: int
    spilled: int


@contextmanager
def as_if_on(card: tuple[int, int]) -> Iterator[None]:
    """Compile for a generation of GPUs within the block, instead of the present GPU."""
    import numba.cuda.compiler
    import numba.cuda.dispatcher

    modules = [numba.cuda.compiler, numba.cuda.dispatcher]
    before = [module.get_current_device for module in modules]
    for module in modules:
        module.get_current_device = lambda: SimpleNamespace(compute_capability=card)
    try:
        yield
    finally:
        for module, function in zip(modules, before, strict=True):
            module.get_current_device = function


def arguments_of(case: Case) -> tuple[Any, ...]:
    """Return arguments for the annotation kernel; only their types matter."""
    from vsenumba.gpu.layout import GroupWork, Labels, Negatives, Pairs

    loss, sampler = as_loss(case.loss), as_sampler(case.sampler)
    state = sampler.state(np.ones(2, np.int64), 32, 2)
    if loss.draws:
        state = sampler.with_probabilities(state)
    optimiser = as_optimiser(case.optimiser).state()
    states = [*(_INPUTS[name] for name in case.inputs), Nothing(0), Nothing(0)][:3]
    absences = AbsencesState(np.zeros(3, np.int64), _WHOLE, 0.1) if case.absent else NoAbsences(0.0)
    return (
        _WHOLE, Pairs(np.zeros(3, np.int64), _WHOLE, np.zeros(0, np.int64)),
        Labels(_TABLE, _ROW, optimiser, np.float32(1), np.float32(1), 32), Negatives(state, absences, 1),
        InputsState(*states, np.zeros(0, np.uint8)), np.float32(1), loss.state(2), np.zeros(2, np.uint64),
        GroupWork(np.zeros((2, 32, 32), np.float32), _TABLE, np.zeros((2, 2), np.int32), np.zeros((2, 8))),
    )  # fmt: skip


def word_arguments_of(case: WordCase) -> tuple[Any, ...]:
    """Return arguments for the word vector kernels; see `arguments_of`."""
    from vsenumba.gpu.layout import Labels
    from vsenumba.gpu.words import Text, Windows

    offsets, key = np.zeros(3, np.int64), np.zeros(2, np.uint64)
    text = Text(_WHOLE, offsets, _WHOLE, _WHOLE, _WHOLE, offsets)
    if case.sampler is None:
        return text, np.zeros(2, np.uint64), key, np.zeros(8)
    state = as_sampler(case.sampler).state(np.ones(2, np.int64), 32, 2)
    rows = Labels(_TABLE, _ROW, as_optimiser(case.optimiser).state(), np.float32(1), np.float32(0), 32)
    windows = Windows(as_architecture(case.architecture).state(), state, 5, 8, 30, 5)
    return text, windows, rows, rows, key, np.zeros((2, 3, 40), np.int32), np.zeros((2, 8))


def score_arguments_of(case: str) -> tuple[Any, ...]:
    """Return arguments for the scoring kernels; see `arguments_of`."""
    from vsenumba.gpu.layout import Data
    from vsenumba.gpu.scoring import Best, Block, Weights

    offsets = np.zeros(3, np.int64)
    block, pairs = Block(_TABLE, offsets, offsets, _WHOLE, offsets, offsets), Data(offsets, _WHOLE)
    best = Best(_TABLE, np.zeros((2, 2), np.int32), _TABLE, offsets)
    return {
        "add_weights": (block, pairs, Weights(offsets, _WHOLE, _ROW, np.float32(1))),
        "leave_out": (block, pairs), "count_on_card": (block, pairs), "choose_on_card": (best, np.float32(0)),
    }[case]  # fmt: skip


def compiled(case: Case | WordCase | str, card: tuple[int, int]) -> str:
    """Compile the kernel of a combination for a generation of GPUs; return its PTX."""
    from numba import cuda, typeof, types

    from vsenumba.gpu import scoring
    from vsenumba.gpu.epoch import launch_for
    from vsenumba.gpu.words import thin_out, windows_for

    if isinstance(case, Case):
        kernel, arguments = launch_for(4, 4), arguments_of(case)
    elif isinstance(case, str):
        kernel, arguments = getattr(scoring, case), score_arguments_of(case)
    else:
        kernel = windows_for(4, 2, 30) if case.sampler else thin_out
        arguments = word_arguments_of(case)
    with as_if_on(card):
        signature = types.void(*[typeof(one) for one in arguments])
        return cuda.compile_ptx(kernel.py_func, signature, cc=card)[0]


def assembled(ptx: str, card: tuple[int, int]) -> Assembled:
    """Assemble a kernel's PTX for a generation of GPUs."""
    from cuda.bindings import nvjitlink

    options = [f"-arch=sm_{card[0]}{card[1]}", "-verbose", "-O3"]
    handle = nvjitlink.create(len(options), options)
    code = ptx.encode()
    nvjitlink.add_data(handle, nvjitlink.InputType.PTX, code, len(code), "kernel")
    nvjitlink.complete(handle)
    log = bytearray(nvjitlink.get_info_log_size(handle))
    nvjitlink.get_info_log(handle, log)
    registers = re.findall(r"Used (\d+) registers", log.decode())
    spilled = re.findall(r"(\d+) bytes spill stores", log.decode())
    return Assembled(int(registers[-1]), sum(int(n) for n in spilled))


def main(arguments: list[str] | None = None) -> None:
    """Print a table of all combinations and generations."""
    argparse.ArgumentParser("benchmarks gpu-kernels", description=__doc__).parse_args(arguments)
    if importlib.util.find_spec("numba_cuda") is None:
        raise InputError('this needs the compiler that comes with the extra cuda13: pip install ".[cuda13]"')
    print("| kernel | " + " | ".join(f"{major}.{minor}" for major, minor in CARDS) + " |")
    print("|---|" + "---|" * len(CARDS))
    for case in CASES + WORD_CASES + SCORE_CASES:
        found = [assembled(compiled(case, card), card) for card in CARDS]
        cells = [f"{one.registers}" + f" (spills {one.spilled} bytes)" * (one.spilled > 0) for one in found]
        print(f"| {case} | " + " | ".join(cells) + " |", flush=True)
