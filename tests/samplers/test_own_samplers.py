"""A sampler that a user writes, outside the package."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numba
import pytest

SAMPLER = """
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from vsenumba.samplers import Sampler, draw


class FirstState(NamedTuple):
    n_labels: int


@dataclass(frozen=True, kw_only=True)
class FirstSampler(Sampler):
    name: ClassVar[str] = "first"

    def state(self, label_counts, n_factors, n_shards):
        return FirstState(len(label_counts))

    def _weights(self, image_factors, label_factors, own, label_counts):
        return np.eye(1, len(label_factors)).repeat(len(image_factors), axis=0)


@draw.implement(FirstState)
def _draw(sampler, states, shard, image, labels, indices, begin, end, positive):
    return np.int64(0), 1
"""


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="without the compiler there is no cache")
def test_a_sampler_of_ones_own_leaves_the_cache_readable_where_it_cannot_be_imported(tmp_path):
    """Found 2026-11: every later process without that module failed with ModuleNotFoundError."""
    mine, elsewhere = tmp_path / "mine", tmp_path / "elsewhere"
    mine.mkdir()
    elsewhere.mkdir()
    (mine / "first.py").write_text(SAMPLER)
    use = "import numpy, {0}; print({0}.{1}().draw(numpy.ones((1, 2)), numpy.ones((3, 2)), 2, rng=0))"
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": package_path()}
    assert run(use.format("first", "FirstSampler"), mine, environment) == "[[0 0]]"
    assert run(use.format("vsenumba", "UniformSampler"), elsewhere, environment).startswith("[[")


def package_path():
    import vsenumba

    return str(Path(vsenumba.__file__).parents[1])


def run(code, folder, environment):
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(folder)!r}); {code}"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-500:]
    return done.stdout.strip()
