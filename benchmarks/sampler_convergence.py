"""Measure how fast samplers converge, per epoch and per second: those of the package and rejected ones.

Methods called "softmax of ..." use the softmax loss over all labels, or over labels that the sampler draws.

Every sampler trains with the same splits and seeds: first for the same number of epochs, then for as long as the
adaptive sampler takes. Half of the held-out images choose the epoch, and the scores come from the other half.

    python -m benchmarks sampler-convergence openclipart --seeds 2 --out FOLDER

Times are only comparable if nothing else runs on the machine.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import machine
from benchmarks.neighbour_sampler import NeighbourSampler
from benchmarks.panels import draw_panels
from benchmarks.sampler_candidates import CandidateSampler, PrincipalAxes
from benchmarks.splits import Split
from vsenumba import (
    AdaptiveSampler,
    AnnotationSet,
    DynamicSampler,
    ImageAnnotator,
    PopularitySampler,
    UniformSampler,
    load_dataset,
    save_figure,
)
from vsenumba.data import DATASETS
from vsenumba.losses import Loss, SoftmaxLoss
from vsenumba.samplers import Sampler
from vsenumba.training import Callback

REFERENCE = "adaptive .05"
ROTATED = "adaptive .05, rotated"
AS_IT_COMES = "as it comes"
MARKS = (1, 5, 10, 20)

# None means the default of the model.
METHODS: dict[str, Sampler | None] = {
    AS_IT_COMES: None,
    "uniform": UniformSampler(),
    "popularity": PopularitySampler(),
    "dynamic 2": DynamicSampler(n_candidates=2),
    "dynamic 4": DynamicSampler(n_candidates=4),
    "dynamic 8": DynamicSampler(n_candidates=8),
    "dynamic 16": DynamicSampler(n_candidates=16),
    "dynamic 32": DynamicSampler(n_candidates=32),
    "adaptive .01": AdaptiveSampler(lam=0.01),
    REFERENCE: AdaptiveSampler(lam=0.05),
    "adaptive .2": AdaptiveSampler(lam=0.2),
    ROTATED: AdaptiveSampler(lam=0.05),
    "best 2 adaptive .05": AdaptiveSampler(n_candidates=2, lam=0.05),
    "best 4 adaptive .05": AdaptiveSampler(n_candidates=4, lam=0.05),
    "best 8 adaptive .05": AdaptiveSampler(n_candidates=8, lam=0.05),
    "best 2 adaptive .2": AdaptiveSampler(n_candidates=2, lam=0.2),
    "best 4 adaptive .2": AdaptiveSampler(n_candidates=4, lam=0.2),
    "best 8 adaptive .2": AdaptiveSampler(n_candidates=8, lam=0.2),
    "half popularity": CandidateSampler(n_candidates=1, share=0.5, power=0.75),
    "half uniform": CandidateSampler(n_candidates=1, share=0.5),
    "best 2, half popularity": CandidateSampler(n_candidates=2, share=0.5, power=0.75),
    "best 4, half popularity": CandidateSampler(n_candidates=4, share=0.5, power=0.75),
    "best 2, half uniform": CandidateSampler(n_candidates=2, share=0.5),
    "best 4, half uniform": CandidateSampler(n_candidates=4, share=0.5),
    "best 8, 3/4 uniform": CandidateSampler(n_candidates=8, share=0.75),
    "best 16, 7/8 uniform": CandidateSampler(n_candidates=16, share=0.875),
    "best 2 popularity": CandidateSampler(n_candidates=2, share=1, power=0.75),
    "best 4 popularity": CandidateSampler(n_candidates=4, share=1, power=0.75),
    "best 8 popularity .5": CandidateSampler(n_candidates=8, share=1, power=0.5),
    "rank of 8 adaptive": CandidateSampler(n_candidates=8, pick=0.125),
    "rank of 8, half uniform": CandidateSampler(n_candidates=8, share=0.5, pick=0.125),
    "neighbours": NeighbourSampler(share=0.9),
    "half neighbours": NeighbourSampler(),
    "best 4, half neighbours": NeighbourSampler(n_candidates=4),
    "best 16, half neighbours": NeighbourSampler(n_candidates=16),
    "best 8, half neighbours, power .5": NeighbourSampler(n_candidates=8, power=0.5),
}

LOSSES: dict[str, Loss] = {"softmax of all": SoftmaxLoss()}
METHODS["softmax of all"] = None
for _n in (16, 64, 256):
    for _sampler in (UniformSampler(), PopularitySampler(), AdaptiveSampler(lam=0.1), AdaptiveSampler(lam=0.3)):
        _method = f"softmax of {_n}, {_sampler}"
        METHODS[_method], LOSSES[_method] = _sampler, SoftmaxLoss(n_negatives=_n)

# The methods in the figure, each with its colour (Okabe & Ito) and marker. More would be hard to distinguish.
DRAWN = {
    "uniform": ("#000000", "s"),
    "dynamic 8": ("#56B4E9", "v"),
    "dynamic 16": ("#009E73", "^"),
    REFERENCE: ("#D55E00", "o"),
    "best 2 adaptive .05": ("#E69F00", "D"),
    "best 4 adaptive .05": ("#0072B2", "P"),
    "best 4, half uniform": ("#CC79A7", "X"),
    "rank of 8 adaptive": ("#7F7F7F", "h"),
}


class Curve(Callback):
    """Records the MRR of both halves after every epoch; its time does not count as training time."""

    def __init__(self, split: Split) -> None:
        self._split = split
        self.points: list[tuple[float, float]] = []

    def after_epoch(self, model: ImageAnnotator, record: Mapping[str, float]) -> bool:
        """Add a point."""
        self.points.append(self._split.mrr(model))
        return False


def train(split: Split, method: str, seed: int, n_epochs: int, inputs: str, n_factors: int) -> dict[str, Any]:
    """Train once; return the curve, the seconds after every epoch, and the number of steps."""
    curve, axes = Curve(split), PrincipalAxes()
    sampler = METHODS[method]
    model = ImageAnnotator(
        inputs=inputs,
        sampler=sampler.for_set(split.train) if isinstance(sampler, NeighbourSampler) else sampler,
        loss=LOSSES.get(method),
        n_factors=n_factors,
        n_epochs=n_epochs,
        n_threads=1,
        max_neighbours=0,
        random_state=seed,
    )
    rotated = method == ROTATED
    model.fit(split.train, callbacks=[curve, axes] if rotated else [curve])
    seconds = np.asarray(model.history_["seconds"], dtype=np.float64)
    if rotated:
        seconds = seconds + axes.seconds
    choosing, reporting = zip(*curve.points, strict=True)
    return {
        "seconds": seconds.tolist(),
        "steps": int(model.history_[-1]["steps"]),
        "choosing": list(choosing),
        "mrr": list(reporting),
    }


def typical_seconds(runs: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """Return the seconds after every epoch, with the shortest time of each epoch over the seeds.

    The seeds have nearly the same number of draws, so differences in time come from other programs.
    """
    return np.cumsum(np.min([np.diff(run["seconds"], prepend=0.0) for run in runs], axis=0))


def measure(data: AnnotationSet, methods: Sequence[str], arguments: argparse.Namespace) -> dict[str, Any]:
    """Train every method with every seed; return the runs with equal epochs and with equal time."""
    split = Split(data, arguments.most_test)
    results: dict[str, Any] = {method: {"runs": [], "equal_time": []} for method in methods}
    settings = arguments.inputs, arguments.factors
    for seed in range(arguments.seeds):
        for method in methods:
            print(f"seed {seed}  {method}", file=sys.stderr, flush=True)
            results[method]["runs"].append(train(split, method, seed, arguments.epochs, *settings))
    clock = {method: float(typical_seconds(result["runs"])[-1]) for method, result in results.items()}
    for method, result in results.items():
        result["n_epochs"] = max(1, round(arguments.epochs * clock[REFERENCE] / clock[method]))
    if arguments.equal_time:
        for seed in range(arguments.seeds):
            for method, result in results.items():
                again = result["n_epochs"] != arguments.epochs
                run = train(split, method, seed, result["n_epochs"], *settings) if again else result["runs"][seed]
                result["equal_time"].append(run)
    for result in results.values():
        summarise(result, results[REFERENCE])
    return results


def summarise(result: dict[str, Any], reference: Mapping[str, Any]) -> None:
    """Add the values of the table: a list over the seeds, or one number."""
    runs = result["runs"]
    for mark in MARKS:
        if mark <= len(runs[0]["mrr"]):
            result[f"mrr@{mark}"] = [run["mrr"][mark - 1] for run in runs]
    result["best"] = [run["mrr"][int(np.argmax(run["choosing"]))] for run in runs]
    seconds = typical_seconds(runs)
    result["us_per_step"] = 1e6 * float(seconds[-1]) / max(runs[0]["steps"], 1)
    if result["equal_time"]:
        result["final"] = [run["mrr"][-1] for run in result["equal_time"]]
        target = 0.99 * np.mean([run["mrr"][-1] for run in reference["runs"]])
        clock = typical_seconds(result["equal_time"])
        first = [np.flatnonzero(np.asarray(run["mrr"]) >= target) for run in result["equal_time"]]
        result["seconds_to_99"] = [float(clock[at[0]]) if len(at) else None for at in first]


def table(results: Mapping[str, Any]) -> str:
    """Return a Markdown table; means and standard deviations over the seeds."""
    marks = [f"mrr@{mark}" for mark in MARKS if f"mrr@{mark}" in results[REFERENCE]]
    lines = [
        f"| sampler | µs/step | {' | '.join(marks)} | best | epochs in equal time | final | s to 99 % |",
        "|---" * (len(marks) + 6) + "|",
    ]
    for method, result in results.items():
        reached = [s for s in result.get("seconds_to_99", []) if s is not None]
        few = f" ({len(reached)} of {len(result['runs'])})" if len(reached) < len(result["runs"]) else ""
        cells = [method, f"{result['us_per_step']:.3f}"]
        cells += [_spread(result[mark]) for mark in [*marks, "best"]]
        cells += [str(result["n_epochs"]), _spread(result.get("final", []))]
        cells += [f"{np.mean(reached):.2f}{few}" if reached else "–"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _spread(values: Sequence[float]) -> str:
    return f"{np.mean(values):.4f} ±{np.std(values, ddof=len(values) > 1):.4f}" if values else "–"


def figure(everything: Mapping[str, Mapping[str, Any]]) -> Any:
    """Draw the equal-time runs of a few methods: mean MRR against seconds, one panel per set."""
    return draw_panels(everything, _draw_curves, steps=(1, 2, 5))


def _draw_curves(panel: Any, results: Mapping[str, Any]) -> None:
    for method, (color, marker) in DRAWN.items():
        if method not in results:
            continue
        runs = results[method]["equal_time"] or results[method]["runs"]
        panel.plot(
            typical_seconds(runs),
            np.mean([run["mrr"] for run in runs], axis=0),
            label=method,
            color=color,
            marker=marker,
            markersize=3,
            markevery=(len(runs[0]["mrr"]) - 1, 1),
            linewidth=2 if method == REFERENCE else 1.1,
        )


def main(arguments: Sequence[str]) -> None:
    """Measure, print a table per set, and write `sampler-convergence.json`, ``.png`` and ``.svg``."""
    parser = argparse.ArgumentParser(prog="benchmarks sampler-convergence", description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="+", metavar="SET", help="a name from the catalogue, or a file")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--factors", type=int, default=64)
    parser.add_argument("--inputs", choices=["labels", "ids"], default="labels")
    parser.add_argument(
        "--methods", nargs="+", metavar="METHOD", choices=[*METHODS], help="methods to compare; all by default"
    )
    parser.add_argument("--most-test", type=int, default=5_000, help="maximum number of test images")
    parser.add_argument("--no-equal-time", dest="equal_time", action="store_false", help="equal epochs only")
    parser.add_argument("--out", type=Path, default=Path(), metavar="FOLDER")
    chosen = parser.parse_args(arguments)
    methods = [method for method in METHODS if method in (chosen.methods or METHODS) or method == REFERENCE]
    chosen.out.mkdir(parents=True, exist_ok=True)
    everything: dict[str, Any] = {}
    for name in chosen.sets:
        data = load_dataset(name)
        label = name if name in DATASETS else Path(name).stem
        everything[label] = measure(data, methods, chosen)
        print(f"\n{label}: {data!r}, inputs={chosen.inputs!r}\n\n{table(everything[label])}\n", flush=True)
        settings = {key: value for key, value in vars(chosen).items() if key not in ("out", "sets")}
        text = json.dumps({"machine": machine(), "settings": settings, "results": everything}, indent=1)
        (chosen.out / "sampler-convergence.json").write_text(text, encoding="utf-8")
    drawn = figure(everything)
    for suffix in ("png", "svg"):
        save_figure(drawn, chosen.out / f"sampler-convergence.{suffix}")
