"""Measure the training time on planted sets of the three sizes in the VSE-ens paper, where training took hours.

    python -m benchmarks paper-sizes --threads 2 --out FOLDER

The paper (Guo et al., AAAI 2018) represented images by ids with 100 factors, and trained for about 200 passes. Its sets
are not available, and planted sets may be easier or harder. This affects WARP most, because its time depends on how
well the model ranks already. The models use the package's defaults except for the inputs, the factors, and one negative
per pair. WARP runs only if you name it. It has the package's default limit on tried labels, while the paper's WARP
searched without a limit (`python -m benchmarks vse-ens` measures both). The paper's hours are those of its own code on
its authors' machine.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.machine import machine
from benchmarks.planted_runs import PlantedRuns, Size, markdown, sets_folder

SIZES = {
    "OpenImages": Size(112_247, 6_000, 887_752),
    "NUS-WIDE": Size(269_648, 5_108, 2_018_879),
    "IAPR-TC12": Size(19_627, 291, 79_527),
}
METHODS = {
    "VSE-ens": {"sampler": "adaptive", "loss": "logistic"},
    "WARP": {"sampler": "warp", "loss": "warp"},
    "Opt-AUC": {"sampler": "uniform", "loss": "logistic"},
}
HOURS = {
    "VSE-ens": {"OpenImages": 7.1, "NUS-WIDE": 24.83, "IAPR-TC12": 0.95},
    "WARP": {"OpenImages": 35.65, "NUS-WIDE": 51.46, "IAPR-TC12": 2.38},
    "Opt-AUC": {"OpenImages": 10.13, "NUS-WIDE": 25.06, "IAPR-TC12": 1.82},
}


def main(arguments: Sequence[str]) -> None:
    """Train, print, and write `paper-sizes.json`."""
    parser = argparse.ArgumentParser(prog="benchmarks paper-sizes", description=__doc__.splitlines()[0])
    parser.add_argument("--set-names", nargs="+", choices=SIZES, default=[*SIZES])
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=["VSE-ens", "Opt-AUC"])
    parser.add_argument("--shrink", type=int, default=1, help="divide the sizes of the sets by this")
    parser.add_argument("--factors", type=int, default=100)
    parser.add_argument("--passes", type=int, default=200)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--sets", type=Path, help="folder of the planted sets; temporary by default")
    parser.add_argument("--out", type=Path, default=Path())
    options = parser.parse_args(arguments)
    with sets_folder(options.sets) as folder:
        runs = PlantedRuns(folder)
        rows = [_train(runs, method, name, options) for method in options.methods for name in options.set_names]
    options.out.mkdir(parents=True, exist_ok=True)
    result = {"machine": machine(), "threads": options.threads, "passes": options.passes, "runs": rows}
    (options.out / "paper-sizes.json").write_text(json.dumps(result, indent=1))
    header = ["method", "set", "seconds", "M steps/s", "paper, hours", "times as fast"]
    print(markdown(header, [_line(row) for row in rows]))


def _train(runs: PlantedRuns, method: str, name: str, options: argparse.Namespace) -> dict[str, Any]:
    size = Size(*(n // options.shrink for n in SIZES[name]))
    row = runs.train(
        size,
        **METHODS[method],
        inputs="ids",
        n_factors=options.factors,
        n_negatives=1,
        n_epochs=options.passes,
        n_threads=options.threads,
    )
    return {"method": method, "set": name, "paper_hours": HOURS[method][name], **row}


def _line(row: dict[str, Any]) -> list[str]:
    seconds, hours = row["total_seconds"], row["paper_hours"]
    rate = f"{row['steps_per_second'] / 1e6:.2f}"
    return [row["method"], row["set"], f"{seconds:.1f}", rate, f"{hours}", f"{3600 * hours / seconds:,.0f}"]
