"""A card beside the processor: are both right, how fast is each, and how near the card comes to what its memory allows.

    python -m benchmarks gpu --out FOLDER

It needs the package with the extra cuda13 or cuda12, and a card; with NUMBA_ENABLE_CUDASIM=1 and --tiny it runs
simulated, to see that it runs. implicit's models are measured on the same card where implicit is installed.

First small sets are trained on both, and must come to the same. Then a step, one pair with one negative, is held
against ``bandwidth / (2 r k 4 + 64 r + 16)``: the bytes of the r rows that it reads and writes, of their sums, and of
what says which they are, at the measured bandwidth of a copy. With ids r is 2, as an image's row stays on the chip.
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

# Images, labels, pairs: the paper's sizes; and what a simulator can do.
SIZES = {"OpenImages": (112_247, 6_000, 887_752), "NUS-WIDE": (269_648, 5_108, 2_018_879)}
TINY = {"tiny": (20, 9, 60)}
ROWS = {"ids": 2}
_EPOCHS = 3


def bound(bandwidth: float, k: int, rows: int) -> float:
    """Return the most steps a second at a bandwidth in bytes a second; see the module."""
    return bandwidth / (2 * rows * k * 4 + 64 * rows + 16)


def copy_bandwidth(n_bytes: int, repeats: int = 5) -> float:
    """Return the bytes a second that the card reads and writes in a copy of so many."""
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
    """Return what the card is."""
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
    """Train a small set on both, so slowly that next to nothing moves; end where they draw otherwise."""
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
                raise SystemExit(f"the card draws otherwise than the processor: {inputs}, {sampler}: {rows}")
    return found


def pace(data: AnnotationSet, k: int, sampler: str, device: str) -> float:
    """Return steps a second: the median of the epochs after the first."""
    model = ImageAnnotator(
        "ids", n_factors=k, sampler=sampler, n_negatives=1, n_epochs=_EPOCHS, device=device, random_state=0
    ).fit(data)
    seconds = np.diff([record["seconds"] for record in model.history_])
    return model.history_[-1]["steps"] / _EPOCHS / float(np.median(seconds))


def evaluation_pace(data: AnnotationSet, k: int, device: str) -> float:
    """Return the images a second that are evaluated."""
    train, test = leave_one_out(data, rng=0)
    model = ImageAnnotator("ids", n_factors=k, n_epochs=1, random_state=0).fit(train).set_params(device=device)
    evaluate(model, test, exclude=train, metrics=("mrr",))  # which compiles
    started = time.perf_counter()
    evaluate(model, test, exclude=train, metrics=("mrr",))
    return test.n_images / (time.perf_counter() - started)


def seconds_to_best(data: AnnotationSet, n_epochs: int) -> dict[str, Any]:
    """Return each device's best MRR of held-out labels, and its seconds of training to the processor's best."""
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
    """Return the words of a Zipf-distributed text that are read a second, after the first epoch."""
    rng = np.random.default_rng(0)
    shares = 1 / np.arange(1, n_words + 1)
    drawn = rng.choice(n_words, n_tokens, p=shares / shares.sum())
    corpus = Corpus.from_sentences([[f"w{word}" for word in part] for part in np.array_split(drawn, n_tokens // 20)])
    model = WordEmbedder(n_factors=k, n_epochs=2, device=device, random_state=0).fit(corpus)
    return n_tokens / (model.history_[1]["seconds"] - model.history_[0]["seconds"])


def implicit_pace(data: AnnotationSet, k: int) -> dict[str, float]:
    """Return the pairs a second of implicit's models on the card; none where it is not there."""
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
    """Return what is measured, having said so."""
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
    """Return the lines as a table of Markdown."""
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
    parser.add_argument("--beside", type=int, nargs="*", default=[100], help="factors to measure the processor with")
    parser.add_argument("--tiny", action="store_true", help="sets that a simulator can train")
    parser.add_argument("--out", type=Path, default=Path())
    options = parser.parse_args(arguments)
    require_card()
    if options.tiny:
        sys.setswitchinterval(1e-5)  # of the simulator's threads, which wait for each other
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
