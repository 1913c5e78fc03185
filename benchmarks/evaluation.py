"""Compare the speed of evaluation with implicit and LightFM.

    python -m benchmarks evaluation openclipart --planted 100000 5000 800000 --threads 2 --out FOLDER

For every set, one label per image is held out, and a model is trained with ids as inputs. The peers get the factors of
this model, so all of them rank the same scores, and their values can be compared. A round calls each once, and the
times are medians over the rounds. Our evaluation is timed with the metrics that implicit reports (precision, MAP and
NDCG at 10), and with our default metrics, of which MRR and AUC need full ranks. Both are repeated with labels as
inputs, where the evaluation also computes the image vectors. implicit runs with one BLAS thread, as it recommends.
LightFM computes one metric per call.

The bound is the time of the matrix product of all factors if every thread ran at the peak speed of one thread. This
peak is measured in every round.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from threadpoolctl import threadpool_limits

import vsenumba as vse
from benchmarks.machine import machine
from benchmarks.peers import versions

K = 10
# The metrics of implicit, by our names. With one test label per image, its precision corresponds to recall@10.
METRICS = {f"recall@{K}": "precision", f"ap@{K}": "map", f"ndcg@{K}": "ndcg"}
OURS = "vsenumba ids"
PEAK_SIZE = 1024

Values = dict[str, float]


def main(arguments: list[str]) -> None:
    """Measure, print a table, and write `evaluation.json`."""
    parser = argparse.ArgumentParser(prog="benchmarks evaluation", description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="*", metavar="SET", help="a name from the catalogue, or a file")
    parser.add_argument("--planted", type=int, nargs=3, metavar="N", help="also a planted set: images, labels, pairs")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--factors", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=3, help="number of training epochs of our models")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path(), metavar="FOLDER")
    options = parser.parse_args(arguments)
    sets = {Path(name).stem: vse.load_dataset(name) for name in options.sets}
    if options.planted:
        sets["planted"] = vse.synthetic(*options.planted, rng=0)
    for peer in PEERS:
        if not importlib.util.find_spec(peer):
            print(f'{peer} is not installed and is left out: pip install ".[bench]"\n')
    results = {name: measure(data, options) for name, data in sets.items()}
    print(table(results))
    options.out.mkdir(parents=True, exist_ok=True)
    settings = {name: getattr(options, name) for name in ("threads", "factors", "epochs", "repeats")}
    result = {"machine": machine(), "peers": versions(), **settings, "results": results}
    (options.out / "evaluation.json").write_text(json.dumps(result, indent=1))


def measure(data: vse.AnnotationSet, options: argparse.Namespace) -> dict[str, Any]:
    """Return the seconds of every round, and the values that each method computed."""
    train, test = vse.leave_one_out(data, rng=0)
    contenders: dict[str, Callable[[], Values]] = {}
    models = {}
    for inputs in ("ids", "labels"):
        models[inputs] = model = vse.ImageAnnotator(
            inputs,
            options.factors,
            n_epochs=options.epochs,
            max_neighbours=0,
            n_threads=options.threads,
            random_state=0,
        ).fit(train)
        contenders |= ours(f"vsenumba {inputs}", model, train, test, options.threads)
    for peer, prepare in PEERS.items():
        if importlib.util.find_spec(peer):
            contenders |= prepare(models["ids"], train, test, options.threads)
    values = {name: evaluate() for name, evaluate in contenders.items()}
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    peaks = []
    for _ in range(options.repeats):
        for name, evaluate in contenders.items():
            seconds[name].append(_seconds(evaluate))
        peaks.append(peak_flops())
    operations = 2 * test.n_pairs * test.n_labels * options.factors
    return {
        "shape": test.shape,
        "n_evaluated": test.n_pairs,
        "seconds": seconds,
        "values": values,
        "largest_difference": {
            name: max(abs(value - values[OURS][metric]) for metric, value in found.items())
            for name, found in values.items()
            if not name.startswith("vsenumba")
        },
        "peak_flops_of_a_thread": statistics.median(peaks),
        "bound_seconds": operations / (statistics.median(peaks) * options.threads),
    }


def ours(
    name: str, model: vse.ImageAnnotator, train: vse.AnnotationSet, test: vse.AnnotationSet, n_threads: int
) -> dict[str, Callable[[], Values]]:
    """Return our evaluation with the peers' metrics, and with the default ones."""
    metrics = [f"precision@{K}", *METRICS]
    return {
        name: lambda: vse.evaluate(model, test, exclude=train, metrics=metrics, n_threads=n_threads).mean,
        f"{name}, default metrics": lambda: vse.evaluate(model, test, exclude=train, n_threads=n_threads).mean,
    }


def implicits(
    model: vse.ImageAnnotator, train: vse.AnnotationSet, test: vse.AnnotationSet, n_threads: int
) -> dict[str, Callable[[], Values]]:
    """Return implicit's evaluation of a model's factors."""
    from implicit.cpu.als import AlternatingLeastSquares
    from implicit.evaluation import ranking_metrics_at_k

    with threadpool_limits(1, "blas"):
        peer = AlternatingLeastSquares(factors=model.n_factors, num_threads=n_threads)
    peer.user_factors, peer.item_factors = model.image_factors_, model.label_factors_
    known, left_out = _matrix(train), _matrix(test)

    def evaluate() -> Values:
        with threadpool_limits(1, "blas"):
            found = ranking_metrics_at_k(peer, known, left_out, K=K, show_progress=False, num_threads=n_threads)
        return {metric: float(found[theirs]) for metric, theirs in METRICS.items()}

    return {"implicit ranking_metrics_at_k": evaluate}


def lightfms(
    model: vse.ImageAnnotator, train: vse.AnnotationSet, test: vse.AnnotationSet, n_threads: int
) -> dict[str, Callable[[], Values]]:
    """Return LightFM's evaluation of a model's factors."""
    from lightfm import LightFM
    from lightfm.evaluation import precision_at_k

    known, left_out = _matrix(train), _matrix(test)
    peer = LightFM(no_components=model.n_factors).fit_partial(known, epochs=0)
    peer.user_embeddings, peer.item_embeddings = model.image_factors_, model.label_factors_
    peer.user_biases[:] = peer.item_biases[:] = 0

    def evaluate() -> Values:
        found = precision_at_k(peer, left_out, train_interactions=known, k=K, num_threads=n_threads)
        return {f"precision@{K}": float(found.mean())}

    return {"lightfm precision_at_k": evaluate}


# The peers, by the module that each needs.
PEERS = {"implicit": implicits, "lightfm": lightfms}


def _matrix(data: vse.AnnotationSet) -> sp.csr_matrix:
    """Return a set in the form that the peers accept: a `csr_matrix` with 32-bit offsets."""
    ones = np.ones(data.n_pairs, dtype=np.float32)
    return sp.csr_matrix((ones, data.indices, data.indptr.astype(np.int32)), shape=data.shape)


def _seconds(function: Callable[[], object]) -> float:
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def peak_flops() -> float:
    """Return the float32 operations per second of one thread in a large matrix product, the best of three."""
    factors = np.random.default_rng(0).standard_normal((PEAK_SIZE, PEAK_SIZE), dtype=np.float32)
    product = np.empty_like(factors)
    with threadpool_limits(1, "blas"):
        return 2 * PEAK_SIZE**3 / min(_seconds(lambda: np.matmul(factors, factors, out=product)) for _ in range(3))


def table(results: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a Markdown table: time, images per second, time relative to ours, share of the bound."""
    lines = [
        "| set | evaluation | ms | images/s | times ours | of the bound | largest difference |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for name, result in results.items():
        medians = {contender: statistics.median(seconds) for contender, seconds in result["seconds"].items()}
        for contender, seconds in medians.items():
            difference = result["largest_difference"].get(contender)
            lines.append(
                f"| {name} | {contender} | {1000 * seconds:.1f} | {result['n_evaluated'] / seconds:,.0f} | "
                f"{seconds / medians[OURS]:.2f} | {result['bound_seconds'] / seconds:.0%} | "
                f"{'' if difference is None else f'{difference:.1g}'} |"
            )
    return "\n".join(lines)
