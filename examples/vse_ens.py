"""VSE-ens (Guo et al., AAAI 2018): the adaptive sampler against WARP, with and without a bound on WARP's search.

The paper's model, an image as a row of its own with 100 factors, is trained by plain SGD with each sampler and loss.
The table says how good each got, how many labels WARP tried for an update at its best, and how many times sooner than
WARP each reached WARP's best, in processor time and by the clock on the wall. The paper's headline is 5.02, 2.06 and
2.5 times on its three sets, against a WARP that searches without a bound.

    python examples/vse_ens.py [SET] [--size NAME] [--shrink N] [--seconds S] [--warp-seconds S] [--seeds N]

Without SET a planted set of one of the paper's three sizes is made, with a tenth of its images and all of its labels:
that takes about a minute, and another to compile what was not compiled before. For the paper's own size, say
`--shrink 1 --seconds 10 --warp-seconds 60 --seeds 5`. What comes of it stands in docs/explanation/vse-ens.md.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Mapping

import numpy as np

import vsenumba as vse
from vsenumba.training import Callback

SIZES = {
    "OpenImages": (112_247, 6_000, 887_752),
    "NUS-WIDE": (269_648, 5_108, 2_018_879),
    "IAPR-TC12": (19_627, 291, 79_527),
}
SAMPLERS = {
    "WARP": vse.WarpSampler(max_trials=None),
    "WARP, 10 trials": vse.WarpSampler(max_trials=10),
    "uniform": vse.UniformSampler(),
    "dynamic": vse.DynamicSampler(),
    "adaptive": vse.AdaptiveSampler(),
    "adaptive, best of 4": vse.AdaptiveSampler(n_candidates=4),
}
RIVALS = ("WARP", "WARP, 10 trials")
LOSSES = ("hinge", "logistic", "warp")


class Curve(Callback):
    """Judges a model now and then, outside the clocks; every second image chooses, the others report."""

    def __init__(self, train: vse.AnnotationSet, held_out: vse.AnnotationSet, limit: float) -> None:
        self.train, self.held_out, self.limit = train, held_out, limit
        self.processor, self.due, self.steps = 0.0, 0.0, 0.0
        self.points: list[dict[str, float]] = []

    def start(self, model: vse.ImageAnnotator, n_epochs: int) -> None:
        """Start the clock."""
        self.since = time.process_time()

    def after_epoch(self, model: vse.ImageAnnotator, record: Mapping[str, float]) -> bool:
        """Add a point; stop when the time is over."""
        self.processor += time.process_time() - self.since
        updates, self.steps = record["steps"] - self.steps, record["steps"]
        over = self.processor >= self.limit
        if over or self.processor >= self.due:
            self.due = 1.15 * self.processor
            trials = record["trials"] * (updates + record["skipped"]) / max(updates, 1)
            scores = vse.evaluate(model, self.held_out, exclude=self.train, metrics=["mrr"], n_threads=1)
            choosing, reporting = (scores.per_image["mrr"][half::2].mean() for half in (0, 1))
            point = {"choosing": choosing, "mrr": reporting, "processor": self.processor, "trials an update": trials}
            self.points.append({**record, **point})
        self.since = time.process_time()
        return over

    @property
    def best(self) -> dict[str, float]:
        """Return the point that is best by the images that choose."""
        return max(self.points, key=lambda point: point["choosing"])

    def time_to(self, mrr: float, clock: str) -> float:
        """Return what a clock showed when the other images first had a value."""
        return next((point[clock] for point in self.points if point["mrr"] >= mrr), np.inf)


def train_all(
    train: vse.AnnotationSet, held_out: vse.AnnotationSet, loss: str, seed: int, arguments: argparse.Namespace
) -> dict[str, Curve]:
    """Train with every sampler in turn, on one thread."""
    curves = {}
    for name, sampler in SAMPLERS.items():
        curves[name] = Curve(train, held_out, arguments.warp_seconds if name == "WARP" else arguments.seconds)
        model = vse.ImageAnnotator(
            inputs="ids",
            n_factors=arguments.factors,
            sampler=sampler,
            loss=loss,
            optimiser="sgd",
            learning_rate=arguments.rate,
            schedule="constant",
            l2=0.01,
            n_negatives=1,
            n_epochs=1_000_000,
            n_threads=1,
            random_state=seed,
        )
        model.fit(train, callbacks=[curves[name]])
    return curves


def times_sooner(seeds: list[dict[str, Curve]], name: str, rival: str) -> str:
    """Return how many times sooner a rival's best is reached, in processor time and by the wall clock; medians."""
    ratios = []
    for clock in ("processor", "seconds"):
        of_seeds = []
        for curves in seeds:
            target = curves[rival].best["mrr"]
            of_seeds.append(curves[rival].time_to(target, clock) / curves[name].time_to(target, clock))
        ratios.append(statistics.median(of_seeds))
    return "never" if ratios[0] == 0 else f"{ratios[0]:.1f} ({ratios[1]:.1f})"


def main() -> None:
    """Train, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("set", nargs="?", help="a set by name or path; a planted one by default")
    parser.add_argument("--size", choices=SIZES, default="OpenImages")
    parser.add_argument("--shrink", type=int, default=10, help="divide the images and pairs of the planted set by this")
    parser.add_argument(
        "--seconds", type=float, default=1.5, help="processor seconds a run; the last epoch is finished"
    )
    parser.add_argument("--warp-seconds", type=float, default=5, help="those of WARP without a bound")
    parser.add_argument("--losses", nargs="+", choices=LOSSES, default=LOSSES)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--factors", type=int, default=100)
    parser.add_argument("--rate", type=float, default=0.05)
    parser.add_argument("--judged", type=int, default=2_000, help="images that the models are judged by")
    arguments = parser.parse_args()
    if arguments.set is not None:
        data = vse.load_dataset(arguments.set)
    else:
        n_images, n_labels, n_pairs = SIZES[arguments.size]
        data = vse.synthetic(n_images // arguments.shrink, n_labels, n_pairs // arguments.shrink, rng=0)
    print(data)
    train, held_out = vse.leave_one_out(data, rng=0)
    images = np.flatnonzero(held_out.labels_per_image)
    judged = np.random.default_rng(0).permutation(images)[: arguments.judged]
    held_out = held_out.with_pairs(np.isin(held_out.pairs()[0], judged))
    print(
        f"{'loss':9}{'sampler':21}{'best MRR':>9}{'trials an update':>18}",
        *(f" sooner than {rival:15}" for rival in RIVALS),
    )
    for loss in arguments.losses:
        seeds = [train_all(train, held_out, loss, seed, arguments) for seed in range(arguments.seeds)]
        for name in SAMPLERS:
            best = statistics.median(curves[name].best["mrr"] for curves in seeds)
            trials = f"{seeds[0][name].best['trials an update']:,.1f}"
            sooner = [f"{times_sooner(seeds, name, rival):28}" for rival in RIVALS]
            print(f"{loss:9}{name:21}{best:9.3f}{trials:>17}", *sooner)


if __name__ == "__main__":
    main()
