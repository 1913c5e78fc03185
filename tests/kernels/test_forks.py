"""Processes that are forked, and Python threads, that launch parallel kernels."""

from __future__ import annotations

import subprocess
import sys
import threading

import numba
import numpy as np
import pytest
from command_line import ENVIRONMENT

import vsenumba as vse
from vsenumba.kernels import threads
from vsenumba.kernels.products import product

compiled = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")
forking = pytest.mark.skipif(sys.platform != "linux", reason="forks are of Linux")

IN_A_POOL = """
import multiprocessing, threading, numpy as np
from vsenumba.kernels import threads
from vsenumba.kernels.products import product

def work(n):
    return float(product(np.ones((n, 2), np.float32), np.ones((2, 3), np.float32)).sum())

print(work(1))
with multiprocessing.get_context({method!r}).Pool(2) as pool:
    try:
        print(pool.map_async(work, [2, 3]).get(timeout=60))
    except Exception as error:
        print(type(error).__name__, error)
"""

# Two threads that launch at once end a process whose layer is "workqueue".
AT_ONCE = """
import threading, numpy as np
from vsenumba.kernels.sorted_rows import sort_segments
from vsenumba.samplers import AdaptiveSampler

def draw():
    for turn in range(40):
        AdaptiveSampler().draw(np.ones((64, 4)), np.ones((50, 4)), 20, rng=turn)
        sort_segments(np.ones((40, 70), np.float32), np.array([0, 20, 40]))

both = [threading.Thread(target=draw) for _ in range(2)]
[one.start() for one in both]
[one.join() for one in both]
print("done")
"""


def python(script, **variables):
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env=ENVIRONMENT | variables,
    )


@compiled
@forking
def test_a_fork_after_a_launch_is_an_error_with_advice():
    """Found 2026-11: OpenMP ended the child without a word, and the pool waited for ever."""
    done = python(IN_A_POOL.format(method="fork"), NUMBA_THREADING_LAYER="omp")
    assert done.stdout.splitlines()[0] == "6.0"
    assert "ForkedProcessError this process was forked after Numba had started threads" in done.stdout, done.stderr
    for advice in ("spawn", "forkserver", "NUMBA_THREADING_LAYER=workqueue"):
        assert advice in done.stdout


@compiled
@forking
def test_a_fork_with_threads_that_survive_it_works():
    done = python(IN_A_POOL.format(method="fork"), NUMBA_THREADING_LAYER="workqueue")
    assert done.stdout.splitlines() == ["6.0", "[12.0, 18.0]"], done.stderr


@compiled
def test_two_python_threads_may_launch_at_once():
    """A sibling: draws and poolings by themselves took no lock, and "workqueue" ends a process for that."""
    done = python(AT_ONCE, NUMBA_THREADING_LAYER="workqueue")
    assert done.stdout == "done\n", done.stderr


def test_a_cut_off_process_is_told_so_at_every_launch(monkeypatch):
    monkeypatch.setattr(threads, "_cut_off", True)
    data = vse.synthetic(30, 8, 90, rng=0)
    refused = pytest.raises(vse.ForkedProcessError, match="forked after Numba had started threads")
    for launch in (
        lambda: product(np.ones((2, 2), np.float32), np.ones((2, 2), np.float32)),
        lambda: vse.UniformSampler().draw(np.ones((1, 2)), np.ones((3, 2)), 2),
        lambda: vse.ImageAnnotator(n_factors=4, n_epochs=1).fit(data),
        lambda: vse.WordEmbedder(n_factors=4, n_epochs=1).fit([["a", "b"]]),
        lambda: vse.MaxPooling().pool(np.ones((2, 2), np.float32), np.array([0, 2]), {}),
        lambda: vse.InfoNCE().batch_loss(np.eye(3)),
    ):
        with refused:
            launch()


@pytest.mark.parametrize(
    ("layer", "vendor", "dies"), [("omp", "GNU", True), ("omp", "Intel", False), ("workqueue", "GNU", False)]
)
def test_which_threads_die_in_a_child(monkeypatch, layer, vendor, dies):
    class Pool:
        openmp_vendor = vendor

    monkeypatch.setattr(numba, "threading_layer", lambda: layer)
    monkeypatch.setattr(threads.importlib, "import_module", lambda name: Pool)
    assert threads.runs_gnu_openmp() is dies


def test_before_the_first_launch_a_fork_does_no_harm(monkeypatch):
    def none():
        raise ValueError("Threading layer is not initialized.")

    monkeypatch.setattr(numba, "threading_layer", none)
    assert not threads.runs_gnu_openmp()


def test_a_child_does_not_wait_for_a_thread_of_its_parent(monkeypatch):
    """A sibling: a lock that another thread held at the fork was never given back."""
    for name in ("_LAUNCH", "_BLAS", "_limited", "_cut_off"):
        monkeypatch.setattr(threads, name, getattr(threads, name))
    monkeypatch.setattr(threads, "runs_gnu_openmp", lambda: False)
    held, done = threading.Event(), threading.Event()

    def hold():
        with threads._LAUNCH, threads._BLAS:
            held.set()
            done.wait(60)

    other = threading.Thread(target=hold)
    other.start()
    held.wait(60)
    try:
        threads._limited = True
        threads._begin_in_child()
        assert threads._LAUNCH.acquire(blocking=False)
        assert threads._BLAS.acquire(blocking=False)
        assert not threads._limited
    finally:
        done.set()
        other.join()
