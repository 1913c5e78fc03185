"""Compare retrieval heads with PyTorch: values, gradients, and the time of a training step.

    python -m benchmarks retrieval --threads 2 --out FOLDER

First, both compute every pooling and objective on the same numbers, and the largest differences are shown. Then two
things are timed in turns, both with the same number of threads: whole steps (projection, pooling and normalisation of
both sides, objective, backward pass, AdamW), and the pooling and the objective alone. Times are medians without the
first run.

Times are only comparable if nothing else runs on the machine.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import machine
from vsenumba import evaluate_vectors
from vsenumba.kernels.threads import one_blas_thread, threads
from vsenumba.objectives import OBJECTIVES, RandomNegatives, as_negatives
from vsenumba.poolings import POOLINGS, AdPool
from vsenumba.training.adamw import AdamW
from vsenumba.training.captions.branch import Branch
from vsenumba.training.captions.projections import LinearProjection

BATCH, REGIONS, WORDS = 128, 36, 12

# The poolings and objectives of the timed steps: those of the four systems, and alternatives.
TIMED = (
    ("mean", "sum-of-hinges"), ("max", "max-of-hinges"), ("gpo", "max-of-hinges"), ("adpool", "adopt"), ("gpo", "lseh"),
)  # fmt: skip


def main(arguments: Sequence[str]) -> None:
    """Compare, measure, print the tables, and write `retrieval.json`."""
    parser = argparse.ArgumentParser(prog="benchmarks retrieval", description=__doc__.splitlines()[0])
    parser.add_argument("--width", type=int, default=2048, help="number of features of a region")
    parser.add_argument("--factors", type=int, default=1024)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path(), metavar="FOLDER")
    options = parser.parse_args(arguments)
    import torch

    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    result: dict[str, Any] = {"machine": machine(), "torch": torch.__version__}
    with threads(options.threads):
        result["differences"] = {**pooling_differences(), **objective_differences()}
        print("| largest differences from PyTorch | values | gradients |\n|---|---|---|")
        for name, (value, gradient) in result["differences"].items():
            print(f"| {name} | {value:.1e} | {gradient:.1e} |")
        result["steps"] = {f"{p}, {o}": time_step(p, o, options) for p, o in TIMED}
        print("\n| pooling, objective | step, ms | PyTorch | ratio | pooling and objective, ms | PyTorch | ratio |")
        print("|---" * 7 + "|")
        for name, row in result["steps"].items():
            parts = [
                f"{row['ours', part]:.1f} | {row['torch', part]:.1f} | {row['torch', part] / row['ours', part]:.2f}"
                for part in ("step", "part")
            ]
            print(f"| {name} | {' | '.join(parts)} |")
        result["evaluation_seconds"] = time_evaluation()
        print(f"\nevaluation of 1,000 images and 5,000 captions: {result['evaluation_seconds']:.3f} s")
    result["steps"] = {n: {" ".join(key): ms for key, ms in row.items()} for n, row in result["steps"].items()}
    (options.out / "retrieval.json").write_text(json.dumps(result, indent=1), encoding="utf-8")


def pooling_differences() -> dict[str, tuple[float, float]]:
    """Return the largest differences of the values and gradients of each pooling."""
    import torch

    from benchmarks import torch_reference

    rng = np.random.default_rng(0)
    offsets = np.concatenate(([0], np.cumsum(rng.integers(1, 37, 32))))
    rows = rng.normal(size=(offsets[-1], 64)).astype(np.float32)
    direction = rng.normal(size=(32, 64)).astype(np.float32)
    found = {}
    variants = {name: cls() for name, cls in POOLINGS.items()} | {"adpool, released": AdPool(padding="released")}
    for title, pooling in variants.items():
        fresh = pooling.fresh_parameters(64, rng)
        parameters = {k: v + 0.1 * rng.normal(size=v.shape).astype(np.float32) for k, v in fresh.items()}
        pooled, memory = pooling.forward(rows, offsets, parameters)
        in_rows, in_parameters = pooling.backward(direction, memory)
        theirs = {name: torch.tensor(one, requires_grad=True) for name, one in {"": rows, **parameters}.items()}
        items, mask = torch_reference.padded(theirs.pop(""), offsets)
        items.retain_grad()
        expected = torch_reference.POOLINGS[pooling.name](items, mask, theirs, pooling)
        (expected * torch.from_numpy(direction)).sum().backward()
        gaps = [difference(in_rows, items.grad[mask].numpy())]
        gaps += [difference(in_parameters[name], one.grad.numpy()) for name, one in theirs.items()]
        found[title] = difference(pooled, expected.detach().numpy()), max(gaps)
    return found


def difference(mine: np.ndarray, theirs: np.ndarray) -> float:
    """Return the largest difference, divided by the largest value if that is above 1."""
    return float(np.abs(mine - theirs).max() / max(np.abs(theirs).max(), 1))


def objective_differences() -> dict[str, tuple[float, float]]:
    """Return the largest differences of the loss and gradient of each objective."""
    import torch

    from benchmarks import torch_reference

    rng = np.random.default_rng(0)
    scores = np.clip(rng.normal(0.1, 0.2, (BATCH, BATCH)) + 0.3 * np.eye(BATCH), -1, 1).astype(np.float32)
    semantics = rng.uniform(size=(BATCH, 20)).astype(np.float32)
    same = np.zeros((BATCH, BATCH), bool)
    same[3, 7] = same[7, 3] = True
    found = {}
    for name, cls in OBJECTIVES.items():
        objective = cls()
        if isinstance(as_negatives(objective.negatives), RandomNegatives):
            # Use all negatives, because two random generators would draw different ones.
            objective = replace(objective, negatives=RandomNegatives(k=BATCH))
        loss, gradient, size = objective.batch_loss(scores, same=same, semantics=semantics, rng=0)
        theirs = torch.tensor(scores, requires_grad=True)
        expected = torch_reference.objective_loss(
            objective, theirs, torch.from_numpy(same), size, torch.from_numpy(semantics)
        )
        expected.backward()
        value = expected.item()
        found[name] = difference(np.array([loss]), np.array([value])), difference(gradient, theirs.grad.numpy())
    return found


def time_step(pooling: str, objective: str, options: argparse.Namespace) -> dict[tuple[str, str], float]:
    """Return the median milliseconds of a whole step, and of pooling and objective, for us and for PyTorch."""
    rng = np.random.default_rng(0)
    sides = {
        "image": (np.arange(BATCH + 1) * REGIONS, rng.normal(size=(BATCH * REGIONS, options.width)).astype(np.float32)),
        "caption": (np.arange(BATCH + 1) * WORDS, rng.normal(size=(BATCH * WORDS, 300)).astype(np.float32)),
    }
    semantics = rng.uniform(size=(BATCH, 400)).astype(np.float32)
    runs: Mapping[tuple[str, str], Callable[[], object]] = {
        **our_runs(pooling, objective, sides, semantics, options.factors),
        **torch_runs(pooling, objective, sides, semantics, options.factors),
    }
    taken: dict[tuple[str, str], list[float]] = {key: [] for key in runs}
    for _ in range(options.repeats + 1):
        for key, run in runs.items():
            # An untimed call first, because the threads of the other library stay awake for a while.
            run()
            started = time.perf_counter()
            run()
            taken[key].append(1e3 * (time.perf_counter() - started))
    return {key: statistics.median(times[1:]) for key, times in taken.items()}


def our_runs(
    pooling: str, objective: str, sides: Mapping[str, Any], semantics: np.ndarray, n_factors: int
) -> dict[tuple[str, str], Callable[[], object]]:
    """Return a step, and pooling and objective alone, with this package."""
    rng = np.random.default_rng(1)
    branch = Branch(projection=LinearProjection(), pooling=POOLINGS[pooling]())
    loss = OBJECTIVES[objective]()
    parameters = {side: branch.fresh_parameters(rows.shape[1], n_factors, rng) for side, (_, rows) in sides.items()}
    tables = {f"{side}.{name}": table for side, own in parameters.items() for name, table in own.items()}
    optimiser = AdamW(tables, 0.01, 2.0)

    def step() -> None:
        done = {side: branch.forward(rows, offsets, parameters[side]) for side, (offsets, rows) in sides.items()}
        images, captions = done["image"][0], done["caption"][0]
        _, in_scores, _ = loss.batch_loss(images @ captions.T, semantics=semantics, rng=0)
        gradients = {"image": in_scores @ captions, "caption": in_scores.T @ images}
        optimiser.step(
            {
                f"{side}.{name}": one
                for side, gradient in gradients.items()
                for name, one in branch.backward(gradient, done[side][1])[1].items()
            },
            5e-4,
        )

    pool = POOLINGS[pooling]()
    projected = {
        side: np.random.default_rng(2).normal(size=(len(rows), n_factors)).astype(np.float32)
        for side, (_, rows) in sides.items()
    }
    own = {side: pool.fresh_parameters(n_factors, rng) for side in sides}

    def part() -> None:
        done = {side: pool.forward(projected[side], offsets, own[side]) for side, (offsets, _) in sides.items()}
        images, captions = done["image"][0], done["caption"][0]
        _, in_scores, _ = loss.batch_loss(images @ captions.T, semantics=semantics, rng=0)
        pool.backward(in_scores @ captions, done["image"][1])
        pool.backward(in_scores.T @ images, done["caption"][1])

    def alone(run: Callable[[], object]) -> Callable[[], object]:
        def run_alone() -> None:
            with one_blas_thread():
                run()

        return run_alone

    return {("ours", "step"): alone(step), ("ours", "part"): alone(part)}


def torch_runs(
    pooling: str, objective: str, sides: Mapping[str, Any], semantics: np.ndarray, n_factors: int
) -> dict[tuple[str, str], Callable[[], object]]:
    """Return the same with PyTorch, which gets padded tensors."""
    import torch
    from torch.nn import functional

    from benchmarks import torch_reference

    rng = np.random.default_rng(1)
    settings, loss = POOLINGS[pooling](), OBJECTIVES[objective]()
    pool = torch_reference.POOLINGS[pooling]
    items, masks, weights, own = {}, {}, {}, {}
    for side, (_, rows) in sides.items():
        items[side] = torch.from_numpy(rows).reshape(BATCH, -1, rows.shape[1])
        masks[side] = torch.ones(items[side].shape[:2], dtype=torch.bool)
        weights[side] = torch.nn.Linear(rows.shape[1], n_factors)
        fresh = settings.fresh_parameters(n_factors, rng)
        own[side] = {name: torch.nn.Parameter(torch.from_numpy(one)) for name, one in fresh.items()}
    trained = [one for side in sides for one in (*weights[side].parameters(), *own[side].values())]
    optimiser = torch.optim.AdamW(trained, lr=5e-4)
    meaning, none = torch.from_numpy(semantics), torch.zeros((BATCH, BATCH), dtype=torch.bool)

    def size_of(scores: Any) -> int:
        return as_negatives(loss.negatives).group_size(scores.detach().numpy())

    def step() -> None:
        vectors = {
            side: functional.normalize(pool(weights[side](items[side]), masks[side], own[side], settings))
            for side in sides
        }
        scores = vectors["image"] @ vectors["caption"].T
        optimiser.zero_grad()
        torch_reference.objective_loss(loss, scores, none, size_of(scores), meaning).backward()
        torch.nn.utils.clip_grad_norm_(trained, 2.0)
        optimiser.step()

    projected = {side: torch.randn(*items[side].shape[:2], n_factors, requires_grad=True) for side in sides}

    leaves = [*projected.values(), *(one for side in sides for one in own[side].values())]

    def part() -> None:
        for leaf in leaves:
            leaf.grad = None  # otherwise each call would add to the previous gradient
        pooled = {side: pool(projected[side], masks[side], own[side], settings) for side in sides}
        scores = pooled["image"] @ pooled["caption"].T
        torch_reference.objective_loss(loss, scores, none, size_of(scores), meaning).backward()

    return {("torch", "step"): step, ("torch", "part"): part}


def time_evaluation() -> float:
    """Return the seconds to rank 1,000 images and 5,000 captions in both directions."""
    rng = np.random.default_rng(0)
    images, captions = (
        rng.normal(size=(1000, 1024)).astype(np.float32),
        rng.normal(size=(5000, 1024)).astype(np.float32),
    )
    seconds = []
    for _ in range(4):
        started = time.perf_counter()
        evaluate_vectors(images, captions, np.arange(1000), np.repeat(np.arange(1000), 5))
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds[1:])
