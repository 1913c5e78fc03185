"""Compare word vectors with gensim: words per second, similarities, analogies and memory.

    python -m benchmarks words --texts FILE ... --similarity FILE ... --analogies FILE --threads 2 --out FOLDER

Both use the same text, vocabulary, dimension, window, negatives, subsampling, epochs and number of threads. Every run
has its own process, and the methods take turns. gensim reads a file of lines, which is its fastest input. Both run with
every learning rate in `--rates`. For each method, one half of the pairs of every similarity set chooses the rate, and
the reported values come from the other half. The measured time is that of training, without reading text or compiling.

Times are only comparable if nothing else runs on the machine.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.machine import machine
from benchmarks.own_process import in_own_process
from benchmarks.pace import copy_bandwidth

OURS: dict[str, dict[str, Any]] = {
    "vsenumba skip-gram, popularity": {"architecture": "skipgram", "sampler": "popularity"},
    "vsenumba skip-gram, adaptive": {"architecture": "skipgram", "sampler": "adaptive"},
    "vsenumba CBOW, popularity": {"architecture": "cbow", "sampler": "popularity"},
    "vsenumba CBOW, adaptive": {"architecture": "cbow", "sampler": "adaptive"},
}
GENSIM: dict[str, dict[str, Any]] = {"gensim skip-gram": {"sg": 1}, "gensim CBOW": {"sg": 0}}

WINDOW, NEGATIVES, SUBSAMPLE = 5, 5, 1e-3


def main(arguments: Sequence[str]) -> None:
    """Measure, print the tables, and write `words.json`."""
    parser = argparse.ArgumentParser(prog="benchmarks words", description=__doc__.splitlines()[0])
    parser.add_argument("--texts", nargs="+", required=True)
    parser.add_argument("--similarity", nargs="+", required=True)
    parser.add_argument("--analogies", default="")
    parser.add_argument("--factors", type=int, nargs="+", default=[100, 300])
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rates", type=float, nargs="+", default=[0.025, 0.05])
    parser.add_argument(
        "--draws-per", nargs="+", choices=["pair", "window", "block"], help="values of draws_per of our model"
    )
    parser.add_argument(
        "--draws", type=int, nargs="+", help="values of n_draws of our model  [default: depends on the architecture]"
    )
    parser.add_argument("--lam", type=float, default=0.005, help="parameter lam of the adaptive sampler")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--methods", nargs="+", default=[*OURS, *GENSIM], choices=[*OURS, *GENSIM])
    parser.add_argument("--out", type=Path, default=Path(), metavar="FOLDER")
    options = parser.parse_args(arguments)
    if not importlib.util.find_spec("gensim"):
        options.methods = [name for name in options.methods if name not in GENSIM]
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        file, lines = f"{folder}/corpus.h5", f"{folder}/lines.txt"
        texts = [str(Path(text).absolute()) for text in options.texts]
        encoding = [run("encode", texts=texts, file=file) for _ in range(3)]
        run("write_lines", file=file, lines=lines)
        encoded = {**encoding[-1], "words_per_second": statistics.median(e["words_per_second"] for e in encoding)}
        print(
            f"{encoded['tokens_read']:,} words of text, {encoded['tokens']:,} of {encoded['words']:,} words kept; read "
            f"at {encoded['words_per_second'] / 1e6:.2f} million a second, {encoded['peak_bytes'] / 1e6:.0f} MB\n",
            flush=True,
        )
        runs = [
            one
            for k in options.factors
            for seed in range(options.seeds)
            for rate in options.rates
            for one in turns(k, seed, rate, file, lines, options)
        ]
    # Copy one half of both tables to the other half.
    rooflines = {k: copy_bandwidth(2 * 4 * k * encoded["words"], 10, options.threads) for k in options.factors}
    settings = {name: value for name, value in vars(options).items() if name != "out"}
    result = {"machine": machine(), "settings": settings, "encoding": encoding, "rooflines": rooflines, "runs": runs}
    (options.out / "words.json").write_text(json.dumps(result, indent=1), encoding="utf-8")
    print(table(runs, rooflines))


def run(task: str, **job: Any) -> dict[str, Any]:
    """Run a job in a separate process."""
    return in_own_process("words_run.py", {"task": task, **job})


def turns(k: int, seed: int, rate: float, file: str, lines: str, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Run every method once."""
    tests = {
        "similarity": [str(Path(one).absolute()) for one in options.similarity],
        "analogies": str(Path(options.analogies).absolute()) if options.analogies else "",
    }
    done = []
    variants = {
        name + (f", {draws} draws" if draws else "") + (f" a {per}" if per else ""): (name, per, draws)
        for name in options.methods
        for per in ((options.draws_per or [None]) if name in OURS else [None])
        for draws in ((options.draws or [None]) if name in OURS else [None])
    }
    for title, (name, per, draws) in variants.items():
        if name in OURS:
            parameters = {
                **OURS[name], "n_factors": k, "window": WINDOW, "n_negatives": NEGATIVES, "subsample": SUBSAMPLE,
                "n_epochs": options.epochs, "learning_rate": rate, "n_threads": options.threads, "random_state": seed,
                "draws_per": per, "n_draws": draws,
            }  # fmt: skip
            if OURS[name]["sampler"] == "adaptive":
                parameters["lam"] = options.lam
            measured = run("ours", file=file, parameters=parameters, tests=tests)
        else:
            parameters = {
                **GENSIM[name], "vector_size": k, "window": WINDOW, "negative": NEGATIVES, "sample": SUBSAMPLE,
                "epochs": options.epochs, "alpha": rate, "workers": options.threads, "seed": seed + 1,
            }  # fmt: skip
            measured = run("gensim", lines=lines, parameters=parameters, tests=tests)
        done.append({"method": title, "k": k, "seed": seed, "rate": rate, **measured})
        speed = measured["words_per_second"] / 1e6
        print(f"{title}, k = {k}, rate {rate}, seed {seed}: {speed:.2f} M words/s", file=sys.stderr, flush=True)
    return done


def mean_similarity(one: Mapping[str, Any], half: str) -> float:
    """Return the mean correlation over the sets."""
    return statistics.mean(one[half].values())


def table(runs: Sequence[Mapping[str, Any]], rooflines: Mapping[int, float]) -> str:
    """Return a Markdown table: medians and ranges over the seeds of every method at its best learning rate.

    The speed relative to gensim is given in wall-clock time, and in processor time, which depends less on other
    programs. The roofline is the copy bandwidth of the memory. Its share is the traffic of all windows, with their rows
    read and written.
    """
    names = list(runs[0]["reporting"])
    lines = [
        "| k | method | rate | M words/s | times gensim's | by processor seconds | roofline | "
        f"{' | '.join(names)} | mean | analogies | MB (bound) |",
        "|---" * (10 + len(names)) + "|",
    ]
    for k in dict.fromkeys(one["k"] for one in runs):
        chosen = {name: best_rate(name, k, runs) for name in dict.fromkeys(one["method"] for one in runs)}
        speeds, processor_speeds = (
            {name: median(all_, lambda one, of=of: one[of]) for name, all_ in chosen.items()}
            for of in ("words_per_second", "words_per_processor_second")
        )
        for name, all_ in chosen.items():
            peer = next((other for other in GENSIM if other.split()[1] == name.split()[1].rstrip(",")), "")
            ratios = [f"{of[name] / of[peer]:.1f}" if peer in of else "–" for of in (speeds, processor_speeds)]
            moved = [one["windows_per_second"] * one["window_bytes"] for one in all_ if "window_bytes" in one]
            share = f"{statistics.median(moved) / 1e9 / rooflines[k]:.0%}" if moved else "–"
            cells = [f"{median(all_, lambda one, s=s: one['reporting'][s]):.3f}" for s in names]
            means = [mean_similarity(one, "reporting") for one in all_]
            accuracy = [one["analogies"] for one in all_ if "analogies" in one]
            peak = median(all_, lambda one: one["peak_bytes"])
            bound = f" ({all_[0]['bound_bytes'] / 1e6:.0f})" if "bound_bytes" in all_[0] else ""
            lines.append(
                f"| {k} | {name} | {all_[0]['rate']} | {speeds[name] / 1e6:.2f} | {' | '.join(ratios)} | {share} | "
                f"{' | '.join(cells)} | {spread(means)} | {spread(accuracy)} | {peak / 1e6:.0f}{bound} |"
            )
    return "\n".join(lines)


def best_rate(name: str, k: int, runs: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return a method's runs at the rate that is best on the choosing halves of the sets."""
    mine = [one for one in runs if (one["method"], one["k"]) == (name, k)]
    by_rate = {rate: [one for one in mine if one["rate"] == rate] for rate in dict.fromkeys(o["rate"] for o in mine)}
    return max(by_rate.values(), key=lambda all_: median(all_, lambda one: mean_similarity(one, "choosing")))


def median(runs: Sequence[Mapping[str, Any]], value: Any) -> float:
    """Return the median of a value over runs."""
    return statistics.median(value(one) for one in runs)


def spread(values: Sequence[float]) -> str:
    """Return the median and the range."""
    if not values:
        return "–"
    return f"{statistics.median(values):.3f} ({min(values):.3f}–{max(values):.3f})"
