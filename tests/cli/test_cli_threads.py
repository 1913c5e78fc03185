"""``--threads``: every command that works in parallel takes it, and does as it says."""

from __future__ import annotations

import numba
import pytest
from blas_threads import blas_threads
from command_line import COMMANDS, SMALL

from vsenumba.evaluation import analogies, retrieval
from vsenumba.experiments import compare_samplers
from vsenumba.training.captions import branch

# What has nothing to share out: files that are read or written, single vectors, training on one thread for the same
# numbers every time.
ALONE = {
    "plot", "words neighbors", "words analogy", "retrieval import", "data list", "data info", "data import",
    "data split", "data synth", "data fetch", "sampler show", "sidecars", "index", "info",
}  # fmt: skip


def test_every_command_that_works_in_parallel_takes_threads():
    lack = {
        " ".join(words)
        for words, command in COMMANDS.items()
        if not hasattr(command, "commands") and "threads" not in [parameter.name for parameter in command.params]
    }
    # `annotate` and `find` score what was asked for.
    assert lack <= ALONE | {"annotate", "find"}


@pytest.mark.parametrize(
    ("words", "module", "name", "of_blas"),
    [
        ("retrieval evaluate retriever.h5 pictures.h5", branch.Branch, "forward", False),
        ("retrieval evaluate retriever.h5 pictures.h5", retrieval, "first_ranks", True),
        ("retrieval search retriever.h5 pictures.h5 car", branch.Branch, "forward", False),
        ("export retriever.h5 --data pictures.h5 -o e.npz", branch.Branch, "forward", False),
        ("words evaluate words.h5 questions-words.txt", analogies, "_answered", True),
        ("compare tags.csv --out c --seeds 1 " + " ".join(SMALL), compare_samplers, "_references", True),
    ],
)
def test_commands_use_the_threads_that_they_are_given(succeeds, folder, monkeypatch, words, module, name, of_blas):
    """Some commands had no such option, and BLAS took all threads beside the one that others were given."""
    original = getattr(module, name)
    seen = []

    def watched(*arguments, **named):
        seen.append({*blas_threads()} if of_blas else {numba.get_num_threads()})
        return original(*arguments, **named)

    monkeypatch.setattr(module, name, watched)
    before = {*blas_threads()}, numba.get_num_threads()
    succeeds(*words.split(), "--threads", "1")
    assert seen
    assert all(one == {1} for one in seen)
    assert ({*blas_threads()}, numba.get_num_threads()) == before
