"""AdPool + AdOpt (Zhang et al., EACL 2023) and LSEH (Gong & Cosma, 2023): every pooling with every objective.

The papers compare whole systems, each with its own schedule, and AdPool's on the test set. Here all poolings and all
objectives share one schedule, the epoch is chosen on a validation part, and what is shown is of the test part:

    python examples/pooling_and_negatives.py --emoji FOLDER --wikipedia FILE.mat [--out FOLDER]

- pictures of emoji by four vendors, in 16 cells each, and their names, tags and keywords, divided by code;
- a planted set of the shape of Flickr30K: 36 regions and five captions an image;
- articles of Wikipedia (SIFT histograms, LDA topics), one row a side, so that there is nothing to pool.

Sets whose files are not named are left out. Every run is written down when it ends (`runs.jsonl`), and not done again.
What was found stands in docs/explanation/retrieval.md.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import json
import multiprocessing
import os
import statistics
import warnings
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import vsenumba as vse
from vsenumba.data import load_caption_set, synthetic_captions
from vsenumba.objectives import OBJECTIVES
from vsenumba.plotting.style import FULL_WIDTH, RC, REFERENCE_COLOR, Look, looks
from vsenumba.poolings import POOLINGS, AdPool

RELEASED = "adpool, released"
GRID = (*POOLINGS, RELEASED)
GRID_SETS = ("planted", "emoji")
LOOKS = tuple(looks(["another"]).values())

# What the papers say is better than what: a place in `Run`, and the two of it.
PAIRS = (
    (1, "adpool", "gpo"), (1, "adpool", "mean"), (1, "adpool", RELEASED), (2, "adopt", "max-of-hinges"),
    (2, "adopt", "sum-of-hinges"), (2, "adopt", "constant-k"), (2, "adopt", "random-k"), (2, "adopt", "infonce"),
    (2, "lseh", "max-of-hinges"),
)  # fmt: skip


class Run(NamedTuple):
    """One training."""

    data: str
    pooling: str
    objective: str
    seed: int


def main() -> None:
    """Train what is not there yet, print the tables, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--emoji", metavar="FOLDER", help="emoji.jsonl, images.tsv and thumbs64.npz")
    parser.add_argument("--wikipedia", metavar="FILE", help="wiki_sift128_lda10.mat")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes, each of one thread")
    parser.add_argument("--out", type=Path, default=Path(), metavar="FOLDER")
    arguments = parser.parse_args()
    sources = {"wikipedia": arguments.wikipedia, "planted": "", "emoji": arguments.emoji}
    sources = {name: source for name, source in sources.items() if source is not None}
    arguments.out.mkdir(parents=True, exist_ok=True)
    results = all_results(sources, arguments)
    if "wikipedia" in sources:
        results["cca"] = canonical_correlation(sources["wikipedia"])
    print_findings(results)
    for name, figure in (("pooling_and_negatives", draw_grid(results)), ("negatives_by_epoch", draw_curves(results))):
        for ending in ("png", "svg"):
            vse.save_figure(figure, arguments.out / f"{name}.{ending}")


def all_results(sources: dict[str, str], arguments: argparse.Namespace) -> dict[str, list[dict]]:
    """Return the results of all runs by data set, training those that are not written down."""
    file = arguments.out / "runs.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    records = [record for record in map(json.loads, lines) if len(record["epochs"]) == arguments.epochs]
    done = {Run(*record["run"]): record for record in records}
    wanted = [
        Run(data, pooling, objective, seed)
        for seed, data in itertools.product(range(arguments.seeds), sources)
        for pooling, objective in itertools.product(GRID, OBJECTIVES)
        # One row has nothing to pool, and topics no text for the semantics of LSEH.
        if data != "wikipedia" or (pooling == "mean" and objective != "lseh")
    ]
    missing = [run for run in wanted if run not in done]
    context = multiprocessing.get_context("spawn")
    with (
        ProcessPoolExecutor(arguments.workers, mp_context=context) as pool,
        file.open("a", encoding="utf-8") as output,
    ):
        futures = [pool.submit(train, run, sources[run.data], arguments.epochs) for run in missing]
        for n, future in enumerate(as_completed(futures), start=1):
            record = future.result()
            done[Run(*record["run"])] = record
            print(json.dumps(record), file=output, flush=True)
            print(f"{n} of {len(missing)}: {', '.join(map(str, record['run']))}: {record['test']:.3g}", flush=True)
    return {data: [done[run] for run in wanted if run.data == data] for data in sources}


def train(run: Run, source: str, n_epochs: int) -> dict:
    """Return a run's records, epoch by epoch, and what the best epoch's parameters are worth on the test part."""
    data = load(run.data, source)
    pooling = AdPool(padding="released") if run.pooling == RELEASED else run.pooling
    model = vse.CrossModalRetriever(
        image_pooling=pooling, caption_pooling=pooling, objective=run.objective, n_factors=128, n_epochs=n_epochs,
        learning_rate=1e-3, warmup_epochs=3, n_threads=1, random_state=run.seed,
    )  # fmt: skip
    with warnings.catch_warnings():
        # That the space has collapsed is seen in "spread" too.
        warnings.simplefilter("ignore", UserWarning)
        model.fit(data.part("train"), validation=data.part("val"))
    scores = model.evaluate(data.part("test")).mean
    kept = ("group_size", "spread", "seconds")
    # In percent, as papers have it.
    epochs = [
        {"rsum": 100 * float(record["rsum"]), **{name: float(record[name]) for name in kept}}
        for record in model.history_
    ]
    test = 100 * scores["rsum"] if data.classes is None else (scores["i2t_class_map"] + scores["t2i_class_map"]) / 2
    return {"run": list(run), "epochs": epochs, "best_epoch": model.best_epoch_, "test": test, "scores": dict(scores)}


@functools.cache
def load(name: str, source: str) -> vse.CaptionSet:
    """Return a data set with the parts "train", "val" and "test"."""
    if name == "wikipedia":
        return wikipedia(source)
    data = synthetic_captions(1200, rng=0) if name == "planted" else load_caption_set(source)
    return data.split(train=0.8, val=0.1, test=0.1, rng=0)


def wikipedia(file: str) -> vse.CaptionSet:
    """Return the articles, standardised by the training articles, a fifth of which is the validation part."""
    sides, classes, part = wikipedia_arrays(file)
    images, texts = ((rows - rows[part != "test"].mean(0)) / rows[part != "test"].std(0) for rows in sides)
    return vse.CaptionSet.from_lists(images, tokens=texts, classes=classes, parts=part)


def wikipedia_arrays(file: str) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray, np.ndarray]:
    """Return the rows of both sides, the articles' classes, and which part each belongs to."""
    import h5py

    with h5py.File(file) as content:
        image_rows, topics, classes = (
            np.concatenate([np.asarray(content[f"{name}_{part}"]).T for part in ("tr", "te")]) for name in "ITL"
        )
        n_train = content["I_tr"].shape[1]
    part = np.array(["train"] * n_train + ["test"] * (len(classes) - n_train), dtype=object)
    part[np.random.default_rng(0).permutation(n_train)[: n_train // 5]] = "val"
    return (image_rows, topics), classes.argmax(axis=1), part


def canonical_correlation(file: str) -> list[dict]:
    """Return the mean average precision of the classes, both ways, by the best number of correlated components."""
    from sklearn.cross_decomposition import CCA

    from vsenumba.evaluation.retrieval import class_map

    (images, texts), classes, part = wikipedia_arrays(file)
    known, asked = part != "test", part == "test"
    found = []
    for n_components in range(2, texts.shape[1] + 1):
        model = CCA(n_components=n_components, max_iter=5000).fit(images[known], texts[known])
        sides = [
            side / np.linalg.norm(side, axis=1, keepdims=True) for side in model.transform(images[asked], texts[asked])
        ]
        maps = [class_map(*pair, classes[asked], classes[asked]) for pair in (sides, sides[::-1])]
        found.append({"n_components": n_components, "i2t_class_map": maps[0], "t2i_class_map": maps[1]})
    return found


def print_findings(results: dict[str, list[dict]]) -> None:
    """Print the tables, and how two choices differ in pairs of trainings that are alike in all else."""
    for data in GRID_SETS:
        if data in results:
            table = medians(results[data])
            print(f"\n{data}: rsum of the test part\n{'':18}" + "".join(f"{name:>15}" for name in OBJECTIVES))
            for pooling, row in zip(GRID, table, strict=True):
                print(f"{pooling:18}" + "".join(f"{value:15.1f}" for value in row))
            for place, one, other in PAIRS:
                gaps = differences(results[data], place, one, other)
                wins = sum(gap > 0 for gap in gaps)
                print(f"{one} less {other}: median {statistics.median(gaps):+.1f}, higher in {wins} of {len(gaps)}")
            counts = Counter(when for when, _ in first_reached(results[data]))
            saved = [share for _, share in first_reached(results[data]) if share is not None]
            text = f", {100 * statistics.median(saved):.0f} % of the epochs saved where it does" if saved else ""
            print(f"lseh reaches the best of max-of-hinges: {dict(counts)}{text}")
            flat = Counter(one["run"][2] for one in results[data] if min(e["spread"] for e in one["epochs"]) < 0.01)
            print(f"trainings with an epoch in which all cosines of a batch are nearly equal: {dict(flat)}")
    for record in results.get("wikipedia", []):
        shown = [f"{record['scores'][f'{way}_class_map']:.3f}" for way in ("i2t", "t2i")]
        print("wikipedia,", record["run"][2], record["run"][3], *shown)
    for record in results.get("cca", []):
        print(
            f"wikipedia, CCA of {record['n_components']}: {record['i2t_class_map']:.3f} {record['t2i_class_map']:.3f}"
        )


def medians(records: list[dict]) -> np.ndarray:
    """Return the median over the seeds, a row per pooling and a column per objective."""
    found: dict[tuple[str, str], list[float]] = {}
    for record in records:
        _, pooling, objective, _ = record["run"]
        found.setdefault((pooling, objective), []).append(record["test"])
    return np.array([[statistics.median(found[pooling, objective]) for objective in OBJECTIVES] for pooling in GRID])


def differences(records: list[dict], place: int, one: str, other: str) -> list[float]:
    """Return by how much one pooling (place 1) or objective (place 2) is better, all else being alike."""
    by_run = {tuple(record["run"]): record["test"] for record in records}
    pairs = [(run, (*run[:place], other, *run[place + 1 :])) for run in by_run if run[place] == one]
    return [by_run[first] - by_run[second] for first, second in pairs]


def first_reached(records: list[dict]) -> list[tuple[str, float | None]]:
    """Return when LSEH reaches the best validation rsum of max-of-hinges, and the share of epochs it saves."""
    by_run = {tuple(record["run"]): [epoch["rsum"] for epoch in record["epochs"]] for record in records}
    found: list[tuple[str, float | None]] = []
    for run, values in by_run.items():
        if run[2] == "lseh":
            theirs = by_run[run[0], run[1], "max-of-hinges", run[3]]
            best = int(np.argmax(theirs)) + 1
            mine = next((epoch for epoch, value in enumerate(values, start=1) if value >= max(theirs)), None)
            if mine is None:
                found.append(("never", None))
            else:
                found.append(("earlier" if mine < best else "same epoch" if mine == best else "later", 1 - mine / best))
    return found


def draw_grid(results: dict[str, list[dict]]) -> object:
    """Draw the medians of all combinations, and Wikipedia's objectives beside canonical correlation."""
    with mpl.rc_context(RC):
        sets = [data for data in GRID_SETS if data in results]
        panels = len(sets) + ("wikipedia" in results)
        figure = Figure(figsize=(FULL_WIDTH, 2.7), layout="constrained")
        all_axes = np.atleast_1d(figure.subplots(1, panels))
        for i, (axes, data) in enumerate(zip(all_axes, sets, strict=False)):
            table = medians(results[data])
            axes.imshow(table, cmap="Blues", aspect="auto", vmin=table.min(), vmax=table.max())
            for (row, column), value in np.ndenumerate(table):
                dark = value > 0.4 * table.min() + 0.6 * table.max()
                axes.text(column, row, f"{value:.0f}", ha="center", va="center", color="w" if dark else "k", fontsize=6)
            axes.set_xticks(range(len(OBJECTIVES)), OBJECTIVES, rotation=60, ha="right", rotation_mode="anchor")
            axes.set_yticks(range(len(GRID)), GRID if i == 0 else [""] * len(GRID))
            axes.tick_params(length=0)
            axes.set_title(f"{data}: rsum, test part", loc="left")
        if "wikipedia" in results:
            draw_wikipedia(all_axes[-1], results)
    return figure


def draw_wikipedia(axes: Axes, results: dict[str, list[dict]]) -> None:
    """Draw the mean average precision of the classes, median and range, and that of canonical correlation."""
    found: dict[str, list[float]] = {}
    for record in results["wikipedia"]:
        found.setdefault(record["run"][2], []).append(record["test"])
    for place, values in enumerate(found.values()):
        axes.plot([place, place], [min(values), max(values)], color="#0072B2", linewidth=1)
        axes.plot(place, statistics.median(values), "o", color="#0072B2", markersize=4)
    best = max((one["i2t_class_map"] + one["t2i_class_map"]) / 2 for one in results["cca"])
    axes.axhline(best, color=REFERENCE_COLOR, linestyle="--", linewidth=0.8)
    axes.annotate("CCA", (0, best), xytext=(0, -2), textcoords="offset points", va="top", color=REFERENCE_COLOR)
    axes.set_xticks(range(len(found)), found, rotation=60, ha="right", rotation_mode="anchor")
    axes.set_title("wikipedia: class MAP", loc="left")


def draw_curves(results: dict[str, list[dict]]) -> object:
    """Draw validation rsum by epoch, AdOpt's K by epoch, and when LSEH reaches the best of max-of-hinges."""
    with mpl.rc_context(RC):
        figure = Figure(figsize=(FULL_WIDTH, 3.1), layout="constrained")
        curves, sizes, reached = figure.subplots(1, 3)
        shown = "emoji" if "emoji" in results else "planted"
        n_epochs = len(results[shown][0]["epochs"])
        for name, look in zip(OBJECTIVES, LOOKS, strict=False):
            draw_band(curves, values_by_epoch(results[shown], "rsum", "gpo", name), name, look)
        curves.set(xlabel="epoch", xticks=range(1, n_epochs + 1, 3))
        curves.set_title(f"{shown}, gpo: rsum, validation part", loc="left")
        curves.legend(frameon=False, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.25), handlelength=3)
        for data, look in zip((one for one in results if one != "cca"), LOOKS, strict=False):
            pooling = "mean" if data == "wikipedia" else "adpool"
            draw_band(sizes, values_by_epoch(results[data], "group_size", pooling, "adopt"), data, look)
        sizes.set(xlabel="epoch", xticks=range(1, n_epochs + 1, 3), ylim=(0, 130))
        sizes.set_title("AdOpt: negatives of a query, of 127", loc="left")
        sizes.legend(frameon=False, loc="upper right")
        order, colors = ("earlier", "same epoch", "later", "never"), ("#0072B2", "#56B4E9", "#E69F00", "#999999")
        for place, data in enumerate(name for name in GRID_SETS if name in results):
            counts, left = Counter(when for when, _ in first_reached(results[data])), 0
            for when, color in zip(order, colors, strict=True):
                reached.barh(place, counts[when], left=left, color=color, label=when if place == 0 else None)
                left += counts[when]
        reached.set_yticks(range(place + 1), [name for name in GRID_SETS if name in results])
        reached.set(xlabel="trainings")
        reached.set_title("LSEH reaches max-of-hinges' best", loc="left")
        reached.legend(frameon=False, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.25))
    return figure


def values_by_epoch(records: list[dict], value: str, pooling: str, objective: str) -> np.ndarray:
    """Return a row per seed and a column per epoch."""
    chosen = [record for record in records if record["run"][1:3] == [pooling, objective]]
    return np.array([[epoch[value] for epoch in record["epochs"]] for record in chosen])


def draw_band(axes: Axes, values: np.ndarray, label: str, look: Look) -> None:
    """Draw the median of the seeds, and their range as a band."""
    epochs = np.arange(1, values.shape[1] + 1)
    axes.plot(epochs, np.median(values, axis=0), color=look.color, linestyle=look.linestyle, marker=look.marker,
              markersize=2.5, label=label)  # fmt: skip
    axes.fill_between(epochs, values.min(axis=0), values.max(axis=0), color=look.color, alpha=0.15, linewidth=0)


if __name__ == "__main__":
    main()
