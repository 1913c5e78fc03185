"""Measure how far the law of the adaptive sampler is from the exact rank law.

    python -m benchmarks sampler-laws [SET] --out FOLDER

A model is trained with the adaptive sampler. After some of the epochs, the laws are computed exactly for a sample of
the training images. They are compared by total variation, by the probability that a negative violates the margin 1, and
by the mean gradient of the logistic loss, which determines the length of a step.

*By λ*: the fast law and the exact law. *By age of the orders*: the current factors with the orders and spreads of some
draws ago, compared with fresh ones at the same moment. *By basis*: all factors after a random rotation, or in the
principal axes of the labels. Neither changes any score.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

import vsenumba as vse
from benchmarks.machine import machine
from vsenumba.experiments import gradient_weight, total_variation, violation_probability

LAMS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
LAM = 0.05
# The number of parts of an epoch, to measure orders that are younger than an epoch.
PARTS = 8


# The laws whose mean gradient is drawn, and the sampler whose style each has.
GRADIENTS = {"exact": "rank", "fast": "adaptive", "uniform": "uniform"}


def main(arguments: list[str]) -> None:
    """Measure, print, and write `sampler-laws.json`, ``.png`` and ``.svg``."""
    parser = argparse.ArgumentParser(prog="benchmarks sampler-laws", description=__doc__.splitlines()[0])
    parser.add_argument("set", nargs="?", default="openclipart")
    parser.add_argument("--inputs", default="labels")
    parser.add_argument("--factors", type=int, default=64)
    parser.add_argument("--epochs", type=int, nargs="*", default=[1, 5, 20], help="epochs after which to measure")
    parser.add_argument("--images", type=int, default=300, help="number of images in the sample")
    parser.add_argument("--passes", type=int, default=4, help="maximum age of the orders, in passes over the set")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path())
    options = parser.parse_args(arguments)
    data = vse.load_dataset(options.set)
    stages = [stage for seed in range(options.seeds) for stage in look(data, seed, sorted(options.epochs), options)]
    result = {"set": options.set, "inputs": options.inputs, "machine": machine(), "stages": stages}
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "sampler-laws.json").write_text(json.dumps(result, indent=1))
    table(stages)
    figure = laws_figure(stages, f"{options.set}, inputs {options.inputs}, k = {options.factors}")
    for ending in ("png", "svg"):
        vse.save_figure(figure, options.out / f"sampler-laws.{ending}")


def look(data: vse.AnnotationSet, seed: int, epochs: list[int], options: argparse.Namespace) -> list[dict[str, Any]]:
    """Train once; return the measures at each of the epochs."""
    rng = np.random.default_rng(seed)
    model = vse.ImageAnnotator(
        inputs=options.inputs,
        n_factors=options.factors,
        schedule="constant",
        n_epochs=epochs[0],
        max_neighbours=0,
        random_state=seed,
    ).fit(data)
    with_labels = np.flatnonzero(data.labels_per_image)
    rows = np.sort(rng.choice(with_labels, min(options.images, len(with_labels)), replace=False))
    known = data.select_images(rows)
    pair_rows = data.pairs()[0]
    stages = []
    done = epochs[0]
    for epoch in epochs:
        if epoch > done:
            model.partial_fit(data, n_epochs=epoch - done)
            done = epoch
        own = known.to_csr()
        stage = {"seed": seed, "epoch": epoch, "lam": against_lam(model, known, own), "basis": basis(model, known, rng)}
        # The orders of this epoch grow old while the training of a copy of the model continues.
        old = model.label_factors_.copy()
        image_part = rng.integers(PARTS, size=data.n_images)
        aged = [against_age(model, known, old, 0.0)]
        draws, pace = 0, data.n_labels * np.log(data.n_labels)
        for part in range(options.passes * PARTS):
            piece = data.with_pairs(image_part[pair_rows] == part % PARTS)
            model.partial_fit(piece, n_epochs=1)
            draws += piece.n_pairs
            aged.append(against_age(model, known, old, draws / pace))
        done += options.passes
        stage["age"] = aged
        stages.append(stage)
    return stages


def against_lam(model: vse.ImageAnnotator, known: vse.AnnotationSet, own: Any) -> list[dict[str, float]]:
    """Return the measures for each λ."""
    images, labels = model.embed(known), model.label_factors_
    return [measure(images, labels, labels, own, lam) | {"lam": lam} for lam in LAMS]


def against_age(
    model: vse.ImageAnnotator, known: vse.AnnotationSet, old_labels: np.ndarray, age: float
) -> dict[str, float]:
    """Return the measures with old orders and with fresh orders."""
    images, labels, own = model.embed(known), model.label_factors_, known.to_csr()
    fresh = measure(images, labels, labels, own)
    return measure(images, old_labels, labels, own) | {
        "age": age,
        "fresh_distance": fresh["distance"],
        "fresh_gradient": fresh["fast_gradient"],
    }


def measure(
    images: np.ndarray, old_labels: np.ndarray, labels: np.ndarray, own: Any, lam: float = LAM
) -> dict[str, float]:
    """Compare the fast law with orders of `old_labels` to the exact law; both use the scores of `labels`."""
    scores = images @ labels.T
    # The adaptive law uses only the orders and spreads of the label factors.
    fast = vse.AdaptiveSampler(lam=lam).law(images, old_labels, own)
    exact = vse.RankSampler(lam=lam).law(images, labels, own)
    uniform = vse.UniformSampler().law(images, labels, own)
    result = {"distance": float(np.nanmean(total_variation(fast, exact)))}
    for name, law in (("fast", fast), ("exact", exact), ("uniform", uniform)):
        result[f"{name}_violation"] = float(np.nanmean(violation_probability(law, scores, own)))
        result[f"{name}_gradient"] = float(np.nanmean(gradient_weight(law, scores, own)))
    return result


def basis(model: vse.ImageAnnotator, known: vse.AnnotationSet, rng: np.random.Generator) -> dict[str, dict[str, float]]:
    """Return the measures as trained, after a random rotation, and in the principal axes of the labels."""
    images, labels, own = model.embed(known), model.label_factors_, known.to_csr()
    k = labels.shape[1]
    random, _ = np.linalg.qr(rng.standard_normal((k, k)))
    _, _, axes = np.linalg.svd(labels - labels.mean(axis=0), full_matrices=True)
    law = vse.AdaptiveSampler(lam=LAM).law(images, labels, own)
    found = {}
    for name, rotation in (("as trained", np.eye(k)), ("random rotation", random), ("principal axes", axes.T)):
        turned_images, turned = images @ rotation.astype(np.float32), labels @ rotation.astype(np.float32)
        found[name] = measure(turned_images, turned, turned, own)
        other = vse.AdaptiveSampler(lam=LAM).law(turned_images, turned, own)
        found[name]["from_trained"] = float(np.nanmean(total_variation(law, other)))
    return found


def table(stages: list[dict[str, Any]]) -> None:
    """Print the means of the measures over the seeds."""
    for epoch in sorted({stage["epoch"] for stage in stages}):
        seen = [stage for stage in stages if stage["epoch"] == epoch]
        print(f"\nafter epoch {epoch:2}             distance  P(violation) fast/exact/uniform  gradient f/e/u")
        for i, lam in enumerate(LAMS):
            _line(f"λ = {lam}", [stage["lam"][i] for stage in seen])
        for name in seen[0]["basis"]:
            rows = [stage["basis"][name] for stage in seen]
            _line(f"{name} ({np.mean([row['from_trained'] for row in rows]):.2f})", rows)
        print("  orders' age in L ln L      distance old/fresh  gradient old/fresh")
        for i, row in enumerate(seen[0]["age"]):
            if i in (0, 1, 3) or i % PARTS == 0:
                mean = _mean([stage["age"][i] for stage in seen])
                print(
                    f"  {row['age']:21.1f}      {mean['distance']:.3f}/{mean['fresh_distance']:.3f}"
                    f"         {mean['fast_gradient']:.3f}/{mean['fresh_gradient']:.3f}"
                )


def _mean(rows: list[dict[str, float]]) -> dict[str, float]:
    return {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}


def _line(name: str, rows: list[dict[str, float]]) -> None:
    mean = _mean(rows)
    violation, gradient = (
        "/".join(f"{mean[f'{law}_{what}']:.3f}" for law in ("fast", "exact", "uniform"))
        for what in ("violation", "gradient")
    )
    print(f"  {name:26} {mean['distance']:.3f}     {violation:28} {gradient}")


def laws_figure(stages: list[dict[str, Any]], title: str) -> Any:
    """Draw distance and gradient against λ and against the age of the orders, one column per measured epoch."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    from vsenumba.plotting.style import FULL_WIDTH, RC

    epochs = sorted({stage["epoch"] for stage in stages})
    with mpl.rc_context(RC):
        figure = Figure(figsize=(FULL_WIDTH, 5.4), layout="constrained")
        grid = figure.subplots(3, len(epochs), sharey="row", squeeze=False)
        for column, epoch in enumerate(epochs):
            seen = [stage for stage in stages if stage["epoch"] == epoch]
            by_lam, by_gradient, by_age = grid[:, column]
            _draw(by_lam, seen, "lam", {"distance": "adaptive"})
            gradients = {f"{what}_gradient": name for what, name in GRADIENTS.items()}
            _draw(by_gradient, seen, "lam", gradients)
            _draw(by_age, seen, "age", {"fast_gradient": "adaptive"})
            _draw(by_age, seen, "age", {"fresh_gradient": "adaptive"}, alpha=0.35, label="with fresh orders")
            by_lam.set(
                title="after an epoch" if epoch == 1 else f"after {epoch} epochs",
                xscale="log",
                ylim=(0, 1),
                xlabel="λ / labels",
            )
            by_gradient.set(xscale="log", ylim=(0, None), xlabel="λ / labels")
            by_age.set(ylim=(0, None), xlabel="age of the orders, in L ln L draws")
        grid[0, 0].set_ylabel("total variation of the\nfast law from the exact")
        grid[1, 0].set_ylabel("mean gradient of the loss")
        grid[2, 0].set_ylabel(f"mean gradient, λ = {LAM}")
        grid[1, -1].legend(frameon=False)
        grid[2, -1].legend(["old orders", "fresh orders"], frameon=False)
        figure.suptitle(title, fontsize=8)
    return figure


def _draw(axes: Any, stages: list[dict[str, Any]], against: str, curves: dict[str, str], **style: Any) -> None:
    """Draw the mean over the seeds of each of the curves."""
    from vsenumba.plotting.style import SAMPLER_LOOKS

    for key, sampler in curves.items():
        look = SAMPLER_LOOKS[sampler]
        x = [point[against] for point in stages[0][against]]
        y = np.mean([[point[key] for point in stage[against]] for stage in stages], axis=0)
        axes.plot(x, y, **{"color": look.color, "linestyle": look.linestyle, "label": sampler} | style)
