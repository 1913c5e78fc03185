"""One job of `benchmarks.peers`; see `benchmarks.own_process`.

The folder of the benchmarks is the last entry of the search path, so its modules do not hide installed packages.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.peer_curve import Curve
    from benchmarks.peer_methods import Method
    from benchmarks.splits import Split

# During the search of hyper-parameters, curves are evaluated only after these epochs; later, after every epoch.
MARKS = (1, 2, 3, 4, 6, 8, 10, 13, 16, 20, 25, 30, 40, 50, 65, 80, 100, 125, 150)
# The seed of the search, which no reported run uses.
SEARCH_SEED = 1_000


def train(
    method: Method,
    split: Split,
    parameters: Mapping[str, Any],
    seed: int,
    n_epochs: int,
    n_threads: int,
    marks: Collection[int] | None = None,
) -> Curve:
    """Train once; return the curve."""
    from threadpoolctl import threadpool_limits

    from benchmarks.peer_curve import Curve

    curve = Curve(split, marks)
    with threadpool_limits(1 if method.own_threads else n_threads, "blas"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        method.fit(split.train, parameters, seed, n_epochs, n_threads, curve)
    return curve


def warm_up(method: Method, n_threads: int) -> None:
    """Train on tiny data, to import, compile and start threads before the measurement."""
    import vsenumba as vse
    from benchmarks.splits import Split

    tiny = Split(vse.synthetic(20, 10, 60, rng=0), 20)
    train(method, tiny, method.grid[0], 0, 2, n_threads)


def search(method: Method, split: Split, n_threads: int, most: int | None) -> dict[str, Any]:
    """Search the grid: after each budget of epochs, train the best quarter from scratch for the next budget.

    The best quarter is chosen per learning rate, because slow rates are behind at first and often ahead at the end.

    Returns
    -------
    dict
        The chosen parameters, the number of epochs (1.5 times that of the best run, because other seeds may need more
        epochs), the number of configurations, and the best point of every run.
    """
    candidates = left = method.grid[:: -(-len(method.grid) // most)] if most else method.grid
    tried: list[dict[str, Any]] = []
    for n_epochs in method.rungs:
        marks = {mark for mark in MARKS if mark < n_epochs} | {n_epochs}
        runs = []
        for parameters in left:
            best = train(method, split, parameters, SEARCH_SEED, n_epochs, n_threads, marks).best()
            runs.append({"of_epochs": n_epochs, "parameters": parameters, **best})
        runs.sort(key=lambda run: -run["choosing"])
        tried += runs
        left = _best_quarter([run["parameters"] for run in runs])
    best = runs[0]
    n_epochs = 1 if method.rungs == (1,) else best["epoch"] + best["epoch"] // 2 + 3
    chosen = {"parameters": best["parameters"], "n_epochs": n_epochs}
    return {**chosen, "n_configurations": len(candidates), "tried": tried}


def _best_quarter(ranked: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the first quarter of the configurations of each learning rate, if they have one."""
    rates = [parameters.get("learning_rate") for parameters in ranked]
    return [
        parameters
        for place, (parameters, rate) in enumerate(zip(ranked, rates, strict=True))
        if rates[:place].count(rate) < -(-rates.count(rate) // 4)
    ]


def work(job: Mapping[str, Any]) -> dict[str, Any]:
    """Do a job: search the grid of a method that has no parameters yet, or train once."""
    from benchmarks.peer_methods import METHODS
    from benchmarks.splits import Split
    from vsenumba import load_dataset

    method, n_threads = METHODS[job["method"]], job["threads"]
    warm_up(method, n_threads)
    split = Split(load_dataset(job["set"]), job["most_test"])
    if "parameters" not in job:
        return search(method, split, n_threads, job["grid"])
    curve = train(method, split, job["parameters"], job["seed"], job["n_epochs"], n_threads)
    steps = split.train.n_pairs * curve.epoch * method.steps_per_pair
    return {"seed": job["seed"], "steps": steps, "points": curve.points, **curve.memory}


if __name__ == "__main__":
    ordered = json.load(sys.stdin)
    sys.path[:] = [*ordered["path"], str(Path(__file__).parents[1])]
    json.dump(work(ordered), sys.stdout)
