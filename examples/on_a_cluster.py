"""Training on a cluster: the same model, from two to eight workers, against one machine.

The cluster is made of processes of this machine, which share its cores: what is seen is that the model is as good, and
how much the workers send. On a cluster of yours the client connects to its scheduler instead, and everything else stays
as it is.

    python examples/on_a_cluster.py [SET] [--workers N] [--epochs N]
"""

from __future__ import annotations

import argparse

from distributed import Client, LocalCluster

import vsenumba as vse


def main() -> None:
    """Train a model on one machine and on a cluster, and print how good both are."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("set", nargs="?", default="openclipart")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=10)
    options = parser.parse_args()
    train, test = vse.leave_one_out(vse.load_dataset(options.set), rng=0)
    parameters = {"n_epochs": options.epochs, "max_neighbours": 0, "n_threads": 1, "random_state": 0}

    alone = vse.ImageAnnotator(**parameters).fit(train)
    # One process for each machine, which runs one task at a time: Numba's threads are the task's.
    with (
        LocalCluster(n_workers=options.workers, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        together = vse.ImageAnnotator(**parameters).fit(train, client=client)

    for where, model in (("one machine", alone), (f"{options.workers} workers", together)):
        mrr = vse.evaluate(model, test, exclude=train, metrics=("mrr",)).mean["mrr"]
        print(f"{where:12} MRR {mrr:.3f}, {model.history_['seconds'][-1]:.1f} s")


if __name__ == "__main__":
    main()
