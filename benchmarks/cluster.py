"""Measure the accuracy of a model trained on a cluster, the bytes that are sent, and the time of an epoch.

    python -m benchmarks cluster openclipart corel5k.h5 --workers 1 2 4 8 --out FOLDER

The table also has the estimates of `vsenumba.experiments.plan`.

The workers are processes on this machine with one thread each. They share its cores, so the times show the overhead of
a cluster, not its speed-up. The training without a cluster uses one thread too.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vsenumba import AnnotationSet, ImageAnnotator, evaluate, leave_one_out, load_dataset
from vsenumba.experiments import plan

# The bandwidth between processes on one machine, in bytes per second.
BANDWIDTH = 1e9


def bytes_sent(client: Any) -> int:
    """Return the number of bytes that the workers have sent to each other so far."""
    sent = client.run(lambda dask_worker: dask_worker.transfer_outgoing_bytes_total)
    return int(sum(sent.values()))


def foretold(data: AnnotationSet, inputs: str, n_workers: int) -> dict[str, float]:
    """Return the seconds and bytes per epoch that a plan estimates."""
    train, _ = leave_one_out(data, rng=0)
    model = ImageAnnotator(inputs, max_neighbours=0, n_threads=1)
    cores = os.cpu_count() or 1
    here, there = plan(
        train, model, n_workers=max(n_workers, 1), bandwidth=BANDWIDTH, n_machines=min(max(n_workers, 1), cores)
    ).estimates
    seconds = there.seconds if n_workers else here.seconds
    return {"planned_seconds": seconds, "planned_bytes": there.bytes_sent * n_workers}


def run(data: AnnotationSet, inputs: str, seed: int, epochs: int, client: Any = None) -> dict[str, float]:
    """Train on one machine or a cluster; return the MRR of held-out labels, and the seconds and bytes per epoch."""
    train, test = leave_one_out(data, rng=seed)
    model = ImageAnnotator(inputs, n_epochs=epochs, max_neighbours=0, n_threads=1, random_state=seed)
    before = 0 if client is None else bytes_sent(client)
    model.fit(train, client=client)
    # Leave out the first epoch, which also loads compiled code and sends the set.
    taken = model.history_["seconds"]
    seconds = (taken[-1] - taken[0]) / max(epochs - 1, 1)
    sent = 0 if client is None else bytes_sent(client) - before
    mrr = evaluate(model, test, exclude=train, metrics=("mrr",)).mean["mrr"]
    return {"mrr": float(mrr), "seconds": float(seconds), "bytes": sent / epochs}


def main(arguments: Sequence[str]) -> None:
    """Train, print a line for each set, input and number of workers, and write `cluster.json`."""
    from distributed import Client, LocalCluster

    parser = argparse.ArgumentParser(prog="benchmarks cluster", description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="+", help="names or files of sets")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--inputs", nargs="+", choices=["ids", "labels", "features"], default=["ids", "labels"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--out", type=Path, default=Path())
    options = parser.parse_args(arguments)
    lines = []
    for n_workers in [0, *options.workers]:
        settings = {"threads_per_worker": 1, "processes": True, "dashboard_address": ":0"}
        cluster = LocalCluster(n_workers=n_workers, **settings) if n_workers else None
        client = Client(cluster) if cluster else None
        for source in options.sets:
            data = load_dataset(source)
            for inputs in options.inputs:
                found = [run(data, inputs, seed, options.epochs, client) for seed in range(options.seeds)]
                mrr, seconds, sent = ([one[name] for one in found] for name in ("mrr", "seconds", "bytes"))
                line = {"set": Path(source).stem, "inputs": inputs, "workers": n_workers, "mrr": mrr}
                line |= {"seconds": statistics.median(seconds), "bytes": statistics.median(sent)}
                line |= foretold(data, inputs, n_workers)
                lines.append(line)
                where = f"{n_workers} workers" if n_workers else "one machine"
                print(
                    f"{line['set']:16} {inputs:8} {where:12} MRR {statistics.mean(mrr):.4f} ({min(mrr):.4f} to "
                    f"{max(mrr):.4f}), {line['seconds']:.3f} s ({line['planned_seconds']:.3f} planned) and "
                    f"{line['bytes'] / 1e6:,.1f} MB ({line['planned_bytes'] / 1e6:,.1f}) sent an epoch",
                    flush=True,
                )
        for one in (client, cluster):
            if one is not None:
                one.close()
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "cluster.json").write_text(json.dumps(lines, indent=1))
