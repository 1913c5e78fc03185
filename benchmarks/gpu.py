"""Compare a GPU with the CPU: correctness, speed, and the share of the GPU's memory bandwidth that is used.

    python -m benchmarks gpu --out FOLDER

This needs a GPU and the package with the extra cuda13 or cuda12. With NUMBA_ENABLE_CUDASIM=1 and --tiny, it runs in the
simulator, to test the benchmark itself. The models of implicit are measured on the same GPU if implicit is installed.

First, small sets are trained on both devices, and the results must agree. Then the speed of steps (one pair with one
negative) is compared with ``bandwidth / (2 r k 4 + 64 r + 16)``. The denominator is the number of bytes of the r rows
that a step reads and writes, of their sums, and of their indices. The bandwidth is that of a measured copy. With ids, r
is 2, because the row of the image stays on the chip.
"""

from __future__ import annotations

import argparse
import functools
import importlib.util
import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.gpu_figure import draw
from benchmarks.machine import machine
from vsenumba import AnnotationSet, ImageAnnotator, WordEmbedder, evaluate, leave_one_out, synthetic
from vsenumba.data import Corpus
from vsenumba.gpu.backend import SIMULATED, require_card

# Images, labels and pairs: the sizes in the paper, and a size for the simulator.
SIZES = {"OpenImages": (112_247, 6_000, 887_752), "NUS-WIDE": (269_648, 5_108, 2_018_879)}
TINY = {"tiny": (20, 9, 60)}
ROWS = {"ids": 2}
_EPOCHS = 3


def bound(bandwidth: float, k: int, rows: int) -> float:
    """Return the maximum steps per second at a bandwidth in bytes per second; see the docstring of the module."""
    return bandwidth / (2 * rows * k * 4 + 64 * rows + 16)


def copy_bandwidth(n_bytes: int, repeats: int = 5) -> float:
    """Return the bytes per second that the GPU reads and writes in a copy of some size."""
    from vsenumba.gpu.memory import xp

    source, target = xp.zeros(n_bytes // 4, np.float32), xp.zeros(n_bytes // 4, np.float32)
    seconds = []
    for _ in range(repeats + 1):
        _wait()
        started = time.perf_counter()
        target[...] = source
        _wait()
        seconds.append(time.perf_counter() - started)
    return 2 * n_bytes / statistics.median(seconds[1:])


def _wait() -> None:
    if not SIMULATED:
        from vsenumba.gpu.memory import xp

        xp.cuda.runtime.deviceSynchronize()


def card() -> dict[str, Any]:
    """Describe the GPU."""
    if SIMULATED:
        return {"card": "simulated"}
    from vsenumba.gpu.memory import xp

    found = xp.cuda.runtime.getDeviceProperties(0)
    return {
        "card": found["name"].decode(), "multiprocessors": found["multiProcessorCount"],
        "bytes": found["totalGlobalMem"], "l2_bytes": found["l2CacheSize"],
        "driver": xp.cuda.runtime.driverGetVersion(), "runtime": xp.cuda.runtime.runtimeGetVersion(),
    }  # fmt: skip


def check(data: AnnotationSet) -> list[dict[str, Any]]:
    """Train on both devices at a tiny learning rate, so that their draws must agree; exit if they differ."""
    found = []
    for inputs in ("ids", "labels"):
        for sampler in ("uniform", "popularity", "warp", "dynamic", "adaptive"):
            rows = {}
            for device in ("cpu", "cuda"):
                model = ImageAnnotator(
                    inputs, n_factors=8, sampler=sampler, optimiser="sgd", learning_rate=1e-9, l2=0.0, n_negatives=1,
                    n_epochs=1, max_neighbours=0, device=device, random_state=0,
                ).fit(data)  # fmt: skip
                rows[device] = dict(model.history_[-1])
            same = all(rows["cpu"][name] == rows["cuda"][name] for name in ("steps", "skipped", "trials"))
            near = abs(rows["cpu"]["loss"] - rows["cuda"]["loss"]) < 1e-4
            found.append({"inputs": inputs, "sampler": sampler, "same": same and near})
            if not (same and near):
                raise SystemExit(f"the GPU and the CPU draw differently: {inputs}, {sampler}: {rows}")
    return found


def pace(data: AnnotationSet, k: int, sampler: str, device: str) -> float:
    """Return the steps per second: the median of the epochs after the first."""
    model = ImageAnnotator(
        "ids", n_factors=k, sampler=sampler, n_negatives=1, n_epochs=_EPOCHS, device=device, random_state=0
    ).fit(data)
    seconds = np.diff([record["seconds"] for record in model.history_])
    return model.history_[-1]["steps"] / _EPOCHS / float(np.median(seconds))


def evaluation_pace(data: AnnotationSet, k: int, device: str) -> float:
    """Return the number of images evaluated per second."""
    train, test = leave_one_out(data, rng=0)
    model = ImageAnnotator("ids", n_factors=k, n_epochs=1, random_state=0).fit(train).set_params(device=device)
    evaluate(model, test, exclude=train, metrics=("mrr",))  # compiles the kernels
    started = time.perf_counter()
    evaluate(model, test, exclude=train, metrics=("mrr",))
    return test.n_images / (time.perf_counter() - started)


def seconds_to_best(data: AnnotationSet, n_epochs: int) -> dict[str, Any]:
    """Return the best MRR of each device on held-out labels, and its training seconds to the CPU's best MRR."""
    train, test = leave_one_out(data, rng=0)
    curves = {}
    for device in ("cpu", "cuda"):
        model = ImageAnnotator("ids", n_epochs=n_epochs, device=device, random_state=0)
        model.fit(train, validation=test)
        curves[device] = [(record["seconds"], record["mrr"]) for record in model.history_]
    best = max(mrr for _, mrr in curves["cpu"])
    reached = {d: next((s for s, mrr in curve if mrr >= best), None) for d, curve in curves.items()}
    return {"best": {d: max(mrr for _, mrr in curve) for d, curve in curves.items()}, "seconds": reached}


def words_pace(n_tokens: int, n_words: int, k: int, device: str) -> float:
    """Return the words per second of training on a Zipf-distributed text, after the first epoch."""
    rng = np.random.default_rng(0)
    shares = 1 / np.arange(1, n_words + 1)
    drawn = rng.choice(n_words, n_tokens, p=shares / shares.sum())
    corpus = Corpus.from_sentences([[f"w{word}" for word in part] for part in np.array_split(drawn, n_tokens // 20)])
    model = WordEmbedder(n_factors=k, n_epochs=2, device=device, random_state=0).fit(corpus)
    return n_tokens / (model.history_[1]["seconds"] - model.history_[0]["seconds"])


def implicit_pace(data: AnnotationSet, k: int) -> dict[str, float]:
    """Return the pairs per second of implicit's models on the GPU; empty if implicit is not installed."""
    if SIMULATED or importlib.util.find_spec("implicit") is None:
        return {}
    import implicit.gpu

    if not implicit.gpu.HAS_CUDA:
        return {}
    from implicit.gpu.als import AlternatingLeastSquares
    from implicit.gpu.bpr import BayesianPersonalizedRanking

    pairs, found = data.to_csr().astype(np.float32), {}
    for name, kind in (("implicit BPR", BayesianPersonalizedRanking), ("implicit ALS", AlternatingLeastSquares)):
        seconds = []
        for n in (1, 1 + _EPOCHS):
            started = time.perf_counter()
            kind(factors=k, iterations=n, random_state=0).fit(pairs, show_progress=False)
            seconds.append(time.perf_counter() - started)
        found[name] = data.n_pairs * _EPOCHS / (seconds[1] - seconds[0])
    return found


def measured(label: str, measure: Callable[[], Any]) -> Any:
    """Call a function and return its value, after printing it."""
    value = measure()
    print(f"{label:48} {value if not isinstance(value, float) else f'{value:,.3g}'}", file=sys.stderr, flush=True)
    return value


def paces(sizes: Mapping[str, tuple[int, int, int]], options: argparse.Namespace, bandwidth: float) -> list[Any]:
    """Return a line for each set, number of factors and sampler."""
    lines = []
    for name, size in sizes.items():
        data = synthetic(*size, rng=0)
        for k in options.factors:
            for sampler in ("uniform", "adaptive"):
                label = f"{name}, k = {k}, {sampler}"
                ours = measured(f"{label}, cuda", functools.partial(pace, data, k, sampler, "cuda"))
                host = None
                if k in options.beside:
                    host = measured(f"{label}, cpu", functools.partial(pace, data, k, sampler, "cpu"))
                lines.append({
                    "set": name, "k": k, "sampler": sampler, "cuda": ours, "cpu": host,
                    "share": ours / bound(bandwidth, k, ROWS["ids"]),
                })  # fmt: skip
            for peer, steps in implicit_pace(data, k).items():
                lines.append({"set": name, "k": k, "sampler": peer, "cuda": steps, "cpu": None, "share": None})
    return lines


def table(lines: Sequence[Mapping[str, Any]]) -> str:
    """Return the lines as a Markdown table."""
    rows = ["| set | k | sampler | M steps/s | times the CPU | of the bound |", "|---|---|---|---|---|---|"]
    for line in lines:
        times = "" if line["cpu"] is None else f"{line['cuda'] / line['cpu']:.1f}"
        share = "" if line["share"] is None else f"{100 * line['share']:.1f} %"
        m_steps = f"{line['cuda'] / 1e6:,.3f}"
        rows.append(f"| {line['set']} | {line['k']} | {line['sampler']} | {m_steps} | {times} | {share} |")
    return "\n".join(rows)


def main(arguments: Sequence[str]) -> None:
    """Check, measure, print, and write `gpu.json`, `gpu.md` and `gpu.png`."""
    parser = argparse.ArgumentParser(prog="benchmarks gpu", description=__doc__.splitlines()[0])
    parser.add_argument("--factors", type=int, nargs="+", default=[64, 100, 128, 256, 1024])
    parser.add_argument("--beside", type=int, nargs="*", default=[100], help="factors to measure the CPU with")
    parser.add_argument("--tiny", action="store_true", help="sets that a simulator can train")
    parser.add_argument("--out", type=Path, default=Path())
    options = parser.parse_args(arguments)
    require_card()
    if options.tiny:
        sys.setswitchinterval(1e-5)  # the simulator's threads wait for each other
    checked = check(synthetic(*((12, 9, 40) if options.tiny else (2_000, 300, 8_000)), rng=0))
    bandwidth = measured("bytes a second of a copy", lambda: copy_bandwidth(1 << 16 if options.tiny else 1 << 30))
    lines = paces(TINY if options.tiny else SIZES, options, bandwidth)
    quality = synthetic(*((20, 9, 60) if options.tiny else (20_000, 3_000, 160_000)), rng=0)
    n_epochs = 2 if options.tiny else 30
    text = (200, 20, 4) if options.tiny else (4_000_000, 30_000, 100)
    result = {
        "machine": machine() | card(), "checked": checked, "bandwidth": bandwidth, "paces": lines,
        "evaluation": {
            d: measured(f"images evaluated a second, {d}", functools.partial(evaluation_pace, quality, 8, d))
            for d in ("cpu", "cuda")
        },
        "quality": measured("seconds to the processor's best", lambda: seconds_to_best(quality, n_epochs)),
        "words": {d: measured(f"words a second, {d}", lambda d=d: words_pace(*text, d)) for d in ("cpu", "cuda")},
    }  # fmt: skip
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "gpu.json").write_text(json.dumps(result, indent=1))
    (options.out / "gpu.md").write_text(table(lines) + "\n")
    draw(lines, bandwidth, bound, options.out / "gpu.png")
    print(table(lines))
