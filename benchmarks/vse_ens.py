"""Compare the time in which the VSE-ens sampler and WARP reach the same accuracy, at the sizes in the paper.

    python -m benchmarks vse-ens --out FOLDER                       planted sets of the sizes in the paper
    python -m benchmarks vse-ens SET ... --planted --out FOLDER     sets by name or path, without planted sets
    python -m benchmarks vse-ens --planted --labels 100 1000 10000 100000 --out FOLDER

The setting is that of the paper (Guo et al., AAAI 2018): a row for each image, 100 factors, plain SGD at a constant
rate, and the hinge loss. The logistic loss is measured too, and for WARP its rank-weighted loss, which equals the hinge
loss with other samplers. WARP runs with an unlimited search and with at most 10, 30 or 100 trials. Each run has one
thread and a limit in processor seconds of training. It ends earlier if its best value is long past. Samplers take turns
within a seed. Half of the held-out images choose the best moment of a run, and the scores come from the other half.

Each run is stored as a file in the folder and is not repeated. Tables and the figure show all runs in the folder.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import vsenumba as vse
from benchmarks.machine import machine
from benchmarks.paper_sizes import SIZES
from benchmarks.planted_runs import Size, markdown
from benchmarks.splits import Split
from benchmarks.vse_ens_figure import PAPER, figure
from benchmarks.vse_ens_run import ADAPTIVE, BOUNDED, SAMPLERS, WARP, train

LOSSES = ("hinge", "logistic", "warp")

# The number of images and pairs of the sets that differ in their number of labels.
BY_LABELS = Size(20_000, 0, 160_000)
RIVALS = (WARP, BOUNDED)
Run = dict[str, Any]


def main(arguments: Sequence[str]) -> None:
    """Train the missing runs, print tables, and write `vse-ens.json` and the figure."""
    parser = argparse.ArgumentParser(prog="benchmarks vse-ens", description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="*", help="sets by name or path")
    parser.add_argument("--planted", nargs="*", choices=[*SIZES], default=[*SIZES], help="the paper's sizes")
    parser.add_argument("--labels", type=int, nargs="*", default=[], help="numbers of labels of further planted sets")
    parser.add_argument("--samplers", nargs="+", choices=SAMPLERS, default=[*SAMPLERS])
    parser.add_argument("--losses", nargs="+", choices=LOSSES, default=[*LOSSES])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--limit", type=float, default=10.0, help="processor seconds per run")
    parser.add_argument("--warp-limit", type=float, default=60.0, help="processor seconds per run of unlimited WARP")
    parser.add_argument("--factors", type=int, default=100)
    parser.add_argument("--rate", type=float, default=0.05)
    parser.add_argument("--l2", type=float, default=0.01)
    parser.add_argument("--shrink", type=int, default=1, help="divide the sizes of the planted sets by this")
    parser.add_argument("--most-test", type=int, default=5_000)
    parser.add_argument("--out", type=Path, default=Path())
    options = parser.parse_args(arguments)
    folder = options.out / "runs"
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in _sets(options):
        _train_all(name, data, folder, options)
    runs = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    by_set: dict[str, list[Run]] = {}
    for run in runs:
        by_set.setdefault(run["set"], []).append(run)
    rows = {name: summary(found) for name, found in by_set.items()}
    for name, found in rows.items():
        print(f"\n{name}\n\n{table(found)}")
    curve = against_labels(rows)
    print(f"\nspeed-up over unbounded WARP by the number of labels\n\n{labels_table(curve)}")
    for loss in LOSSES:
        print(crossing(curve, loss), crossing(curve, loss, PAPER), sep="\n")
    result = {"machine": machine(), "summary": rows, "against_labels": curve}
    (options.out / "vse-ens.json").write_text(json.dumps(result, indent=1))
    drawn = figure(by_set, curve)
    for ending in ("png", "svg"):
        vse.save_figure(drawn, options.out / f"vse-ens.{ending}")


def _sets(options: argparse.Namespace) -> Iterator[tuple[str, vse.AnnotationSet]]:
    for source in options.sets:
        path = Path(source)
        yield (path.parent.name if path.name == "pairs.npz" else path.stem), vse.load_dataset(source)
    for name in options.planted:
        yield name, vse.synthetic(*(n // options.shrink for n in SIZES[name]), rng=0)
    for n_labels in options.labels:
        size = BY_LABELS._replace(n_labels=n_labels)
        shrunk = size.n_images // options.shrink, n_labels, size.n_pairs // options.shrink
        yield f"{n_labels} labels", vse.synthetic(*shrunk, rng=0)


def _train_all(name: str, data: vse.AnnotationSet, folder: Path, options: argparse.Namespace) -> None:
    split = Split(data, options.most_test)
    tiny = Split(vse.synthetic(60, 12, 240, rng=0), 60)
    how = {"n_factors": options.factors, "learning_rate": options.rate, "l2": options.l2}
    for seed in range(options.seeds):
        for loss in options.losses:
            for sampler in options.samplers:
                path = folder / f"{name}-{loss}-{sampler}-{seed}.json".replace(" ", "_").replace(",", "")
                if path.exists() or (loss == "warp" and sampler not in RIVALS):
                    continue
                train(tiny, sampler, loss, seed, 0.0, **how)  # compiles
                limit = options.warp_limit if sampler == WARP else options.limit
                run = train(split, sampler, loss, seed, limit, **how)
                path.write_text(json.dumps({"set": name, "n_labels": data.n_labels, "limit": limit, **run}))
                print(f"{path.stem}: {best(run)['mrr']:.3f}", file=sys.stderr, flush=True)


def best(run: Run) -> dict[str, float]:
    """Return the best point on the choosing half."""
    return max(run["points"], key=lambda point: point["choosing"])


def clock_at(run: Run, value: float, clock: str) -> float | None:
    """Return the time of a clock at which the reporting half first reached a value; None for never."""
    return next((point[clock] for point in run["points"] if point["mrr"] >= value), None)


def summary(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Return a row per loss and sampler of a set: best values, trials, and speed-up over each rival."""
    found: dict[tuple[str, str], dict[int, Run]] = {}
    for run in runs:
        found.setdefault((run["loss"], run["sampler"]), {})[run["seed"]] = run
    rows = []
    for loss, sampler in sorted(found, key=lambda key: (LOSSES.index(key[0]), [*SAMPLERS].index(key[1]))):
        seeds = found[loss, sampler]
        row: dict[str, Any] = {
            "loss": loss,
            "sampler": sampler,
            "n_labels": runs[0]["n_labels"],
            "best": [best(run)["mrr"] for run in seeds.values()],
            "processor": [clock_at(run, best(run)["mrr"], "processor") for run in seeds.values()],
            "seconds": [clock_at(run, best(run)["mrr"], "seconds") for run in seeds.values()],
            "trials": statistics.median(_trials(run) for run in seeds.values()),
        }
        for rival in RIVALS:
            theirs = found.get((loss, rival), {})
            pairs = [(run, theirs[seed]) for seed, run in seeds.items() if seed in theirs]
            for clock in ("processor", "seconds"):
                row[f"{clock} sooner than {rival}"] = [_sooner(run, one, clock) for run, one in pairs]
        rows.append(row)
    return rows


def _trials(run: Run) -> float:
    """Return the labels tried per update in the best epoch of a run, or in its last whole epoch."""
    at = math.ceil(best(run)["epoch"])
    later = [point["trials"] for point in run["trials"] if point["epoch"] >= at] or [
        point["trials"] for point in run["trials"][-1:]
    ]
    return later[0] if later else float("nan")


def _sooner(run: Run, rival: Run, clock: str) -> float | None:
    target = best(rival)["mrr"]
    mine, theirs = clock_at(run, target, clock), clock_at(rival, target, clock)
    return None if mine is None or theirs is None else theirs / mine


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a Markdown table of one set, with medians over the seeds."""
    header = ["loss", "sampler", "best MRR", "processor s to it", "s", "trials an update"]
    header += [f"sooner than {rival} (by wall clock)" for rival in RIVALS]
    lines = []
    for row in rows:
        low, high = min(row["best"]), max(row["best"])
        line = [row["loss"], row["sampler"], f"{statistics.median(row['best']):.3f} ({low:.3f}–{high:.3f})"]
        line += [f"{statistics.median(row[clock]):.1f}" for clock in ("processor", "seconds")]
        line += [f"{row['trials']:,.0f}" if row["trials"] >= 100 else f"{row['trials']:.1f}"]
        for rival in RIVALS:
            by_processor, by_wall = (_times(row[f"{clock} sooner than {rival}"]) for clock in ("processor", "seconds"))
            line.append(f"{by_processor} ({by_wall})")
        lines.append(line)
    return markdown(header, lines)


def _times(ratios: Sequence[float | None]) -> str:
    """Return the median ratio, and the number of seeds if some never reached the value."""
    reached = [ratio for ratio in ratios if ratio is not None]
    if not reached:
        return "never" if ratios else "–"
    few = f", {len(reached)} of {len(ratios)}" if len(reached) < len(ratios) else ""
    return f"{statistics.median(reached):.1f}{few}"


def against_labels(rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Return the rows of the sets for the number of labels, fewest labels first, with the median speed-up."""
    found = []
    for name, of_set in rows.items():
        if name.endswith(" labels"):
            for row in of_set:
                for rival in RIVALS:
                    ratios = [1.0 * r for r in row[f"processor sooner than {rival}"] if r is not None]
                    few = 2 * len(ratios) <= len(row[f"processor sooner than {rival}"])
                    found.append({**row, "rival": rival, "speed_up": None if few else statistics.median(ratios)})
    return sorted(found, key=lambda row: row["n_labels"])


def labels_table(curve: Sequence[Mapping[str, Any]]) -> str:
    """Return a Markdown table with a row per number of labels and a column per sampler."""
    names = [name for name in SAMPLERS if name != WARP and any(row["sampler"] == name for row in curve)]
    at = {(row["n_labels"], row["sampler"], row["rival"], row["loss"]): row for row in curve}
    lines = []
    for n_labels in sorted({row["n_labels"] for row in curve}):
        for rival in RIVALS:
            cells = [at.get((n_labels, name, rival, "hinge")) for name in names]
            texts = ["–" if cell is None else _times(cell[f"processor sooner than {rival}"]) for cell in cells]
            lines.append([f"{n_labels:,}", rival, *texts])
    return markdown(["labels", "against", *names], lines)


def crossing(curve: Sequence[Mapping[str, Any]], loss: str, at: float = 1.0) -> str:
    """Report from which number of labels the adaptive sampler is faster than unlimited WARP, by log interpolation."""
    points = [
        (row["n_labels"], row["speed_up"] or np.nan)
        for row in curve
        if (row["sampler"], row["rival"], row["loss"]) == (ADAPTIVE, WARP, loss)
    ]
    if not points:
        return f"{loss}: no sets by the number of labels"
    sizes, ratios = np.log(np.asarray(points, dtype=np.float64)).T
    above = np.flatnonzero(ratios >= np.log(at))
    if len(above) == 0:
        return f"{loss}: never {at:g} times as soon"
    first = int(above[0])
    here = f"{np.exp(sizes[first]):,.0f} labels"
    if first == 0:
        return f"{loss}: {at:g} times as soon from {here} or fewer"
    if not np.isfinite(ratios[first - 1]):
        return f"{loss}: {at:g} times as soon at {here}, and not there at all at {np.exp(sizes[first - 1]):,.0f}"
    share = (np.log(at) - ratios[first - 1]) / (ratios[first] - ratios[first - 1])
    where = np.exp(sizes[first - 1] + share * (sizes[first] - sizes[first - 1]))
    return f"{loss}: {at:g} times as soon from {where:,.0f} labels"
