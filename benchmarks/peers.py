"""Compare the accuracy, speed and memory of this package with LightFM, implicit and EASE.

Every method trains on the same pairs with the same number of threads, and is evaluated by the same `vsenumba.evaluate`.
The hyper-parameters of a peer are tuned on every set (`benchmarks.peer_run.search`); ours are the package's defaults.
Half of the held-out images choose parameters and epoch, and the scores come from the other half. Each run has its own
process. Imports, compilation and evaluation do not count as training time for any method. Seed 0 of all methods runs
before seed 1 of any method.

    python -m benchmarks peers --data openclipart --threads 2 --seeds 5 --out FOLDER

Times are only comparable if nothing else runs on the machine.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.machine import machine
from benchmarks.own_process import in_own_process
from benchmarks.peer_methods import METHODS
from benchmarks.peer_report import figure, speed_table, summarise, table
from vsenumba import load_dataset, save_figure
from vsenumba.data import DATASETS

PACKAGES = {"lightfm": "lightfm-next", "implicit": "implicit"}


def missing(methods: Sequence[str]) -> str:
    """Return one line about the peers that are not installed, or "" if none is missing."""
    without = [name for name in methods if METHODS[name].needs and not importlib.util.find_spec(METHODS[name].needs)]
    if not without:
        return ""
    return (
        f'not installed: what {", ".join(without)} need; pip install "vsenumba[bench]" (from source: pip install '
        '".[bench]"), or name the others with --methods'
    )


def measure(path: str, methods: Sequence[str], arguments: argparse.Namespace) -> dict[str, Any]:
    """Search every method's grid, then train every method with every seed; return the measurements of the runs."""
    common = {"set": path, "threads": arguments.threads, "most_test": arguments.most_test}
    results: dict[str, Any] = {}
    for name in methods:
        results[name] = _search(name, {**common, "method": name, "grid": arguments.grid}) | {"runs": []}
    for seed in range(arguments.seeds):
        for name, result in results.items():
            chosen = {key: result[key] for key in ("parameters", "n_epochs")}
            run = _reported(f"seed {seed}  {name}", {**common, "method": name, "seed": seed, **chosen})
            result["runs"].append(run)
    summarise(results)
    return results


def _search(name: str, job: Mapping[str, Any]) -> dict[str, Any]:
    method = METHODS[name]
    if len(method.grid) > 1:
        return _reported(f"search  {name}", job)
    return {"parameters": method.grid[0], "n_epochs": method.rungs[-1], "n_configurations": 1}


def _reported(label: str, job: Mapping[str, Any]) -> dict[str, Any]:
    started = time.perf_counter()
    done = in_own_process("peer_run.py", job)
    print(f"{label}  ({time.perf_counter() - started:.1f} s)", file=sys.stderr, flush=True)
    return done


def choices(results: Mapping[str, Any]) -> str:
    """Return a line per searched method: the chosen parameters, and the number of configurations."""
    return "\n".join(
        f"- {name}: {', '.join(f'{key} {value}' for key, value in result['parameters'].items())}"
        f" (of {result['n_configurations']}), {result['n_epochs']} epochs"
        for name, result in results.items()
        if result["n_configurations"] > 1
    )


def versions() -> dict[str, str]:
    """Return the versions of the peers that are installed."""
    found = {}
    for package in PACKAGES.values():
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def main(arguments: Sequence[str]) -> None:
    """Measure, print a table per set, and write `peers.json`, ``.png`` and ``.svg``."""
    parser = argparse.ArgumentParser(prog="benchmarks peers", description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", required=True, metavar="SET", help="names from the catalogue, or files")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument(
        "--methods", nargs="+", metavar="METHOD", choices=[*METHODS], help="methods to compare; all by default"
    )
    parser.add_argument("--grid", type=int, metavar="N", help="search at most N configurations per method")
    parser.add_argument("--most-test", type=int, default=5_000, help="maximum number of test images")
    parser.add_argument("--out", type=Path, default=Path(), metavar="FOLDER")
    chosen = parser.parse_args(arguments)
    methods = [name for name in METHODS if name in (chosen.methods or METHODS)]
    if line := missing(methods):
        parser.exit(1, f"{line}\n")
    chosen.out.mkdir(parents=True, exist_ok=True)
    everything: dict[str, Any] = {}
    for name in chosen.data:
        data = load_dataset(name)
        label = name if name in DATASETS else Path(name).stem
        results = everything[label] = measure(name, methods, chosen)
        print(f"\n{label}: {data!r}\n\n{table(results)}\n\n{speed_table(results)}\n\n{choices(results)}\n", flush=True)
        settings = {key: value for key, value in vars(chosen).items() if key not in ("out", "data")}
        about = {"machine": {**machine(), **versions()}, "settings": settings}
        text = json.dumps({**about, "results": everything}, indent=1)
        (chosen.out / "peers.json").write_text(text, encoding="utf-8")
    drawn = figure(everything)
    for suffix in ("png", "svg"):
        save_figure(drawn, chosen.out / f"peers.{suffix}")
