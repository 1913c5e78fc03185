"""Self-embedded negative sampling (Chen et al., WSDM 2018): adaptive negatives for skip-gram against popular ones.

The paper argues that a negative that scores low has a gradient near zero and teaches nothing; the adaptive sampler
draws such as score high. Trained are skip-gram vectors with both samplers, at equal epochs and at equal seconds, with
several λ and seeds. Shown are analogies, similarities, and the mean length of a negative's gradient, epoch by epoch.

    python examples/self_embedded_negatives.py TEXT ... --similarity FILE ... --analogies FILE [--out FOLDER]

Here the pairs of a window share what is drawn, unless you say that each pair draws its own negatives, as in the paper:
``--draws-per pair``; its λ and their number are ``--lams 0.005 --negatives 15``.

Found with 10.6 million words, one seed: with shared draws adaptive negatives are worse at equal epochs; with draws of
each pair they are level, and take 1.7 times as long. docs/explanation/words.md has more, also for 5.5 million
words and five seeds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from pathlib import Path

import vsenumba as vse

POPULARITY = "popularity"
PANELS = (
    ("negative_gradient", "length of a negative's gradient"),
    ("analogies", "analogies answered"),
    ("similarity", "mean similarity (Spearman)"),
)


def main() -> None:
    """Train, print the table, and write the figure and the numbers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("texts", nargs="+", metavar="TEXT")
    parser.add_argument("--similarity", nargs="+", required=True, metavar="FILE")
    parser.add_argument("--analogies", required=True, metavar="FILE")
    parser.add_argument("--lams", type=float, nargs="+", default=[0.1, 0.02, 0.005])
    parser.add_argument("--draws-per", choices=["window", "pair"], default="window")
    parser.add_argument("--negatives", type=int, default=5)
    parser.add_argument("--factors", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rate", type=float, default=0.05)
    parser.add_argument("--out", type=Path, default=Path(), metavar="FOLDER")
    arguments = parser.parse_args()
    samplers: dict[str, vse.PopularitySampler | vse.AdaptiveSampler] = {POPULARITY: vse.PopularitySampler()}
    samplers |= {f"adaptive, λ = {lam:g}": vse.AdaptiveSampler(lam=lam) for lam in arguments.lams}
    with tempfile.TemporaryDirectory() as folder:
        corpus = vse.Corpus.from_text(arguments.texts, Path(folder) / "corpus.h5")
        print(corpus, flush=True)
        runs = {name: train(corpus, sampler, arguments.epochs, arguments) for name, sampler in samplers.items()}
        # As many epochs of the quicker sampler as take the time of the slower one.
        ratio = seconds(runs[list(samplers)[-1]]) / seconds(runs[POPULARITY])
        longer = max(1, round(arguments.epochs * ratio))
        title = f"popularity, {longer} epochs"
        runs |= {title: train(corpus, samplers[POPULARITY], longer, arguments)}
    print(f"{'':24} {'seconds':>8} {'analogies':>20} {'similarity':>20}")
    for name, all_ in runs.items():
        cells = [spread([one[-1][value] for one in all_]) for value in ("analogies", "similarity")]
        print(f"{name:24} {seconds(all_):8.1f} {cells[0]:>20} {cells[1]:>20}")
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "self_embedded_negatives.json").write_text(json.dumps(runs, indent=1), encoding="utf-8")
    for ending in ("png", "svg"):
        vse.save_figure(figure(runs), arguments.out / f"self_embedded_negatives.{ending}")


def train(corpus: vse.Corpus, sampler: object, n_epochs: int, arguments: argparse.Namespace) -> list[list[dict]]:
    """Return for each seed the records of the epochs, with what the vectors were worth after each."""
    runs = []
    for seed in range(arguments.seeds):
        records: list[dict] = []

        def note(model: vse.WordEmbedder, record: dict, records: list[dict] = records) -> None:
            similarities = [vse.evaluate_similarity(model, file).spearman for file in arguments.similarity]
            analogies = vse.evaluate_analogies(model, arguments.analogies).accuracy
            records.append({**record, "similarity": statistics.mean(similarities), "analogies": analogies})

        model = vse.WordEmbedder(
            n_factors=arguments.factors, sampler=sampler, n_negatives=arguments.negatives,
            draws_per=arguments.draws_per, n_epochs=n_epochs, learning_rate=arguments.rate, random_state=seed,
        )  # fmt: skip
        model.fit(corpus, callbacks=[note])
        runs.append(records)
    return runs


def seconds(runs: list[list[dict]]) -> float:
    """Return the median training time."""
    return statistics.median(records[-1]["seconds"] for records in runs)


def spread(values: list[float]) -> str:
    """Return the median and the range."""
    return f"{statistics.median(values):.3f} ({min(values):.3f}-{max(values):.3f})"


def figure(runs: dict[str, list[list[dict]]]) -> object:
    """Draw the medians over the seeds, epoch by epoch, and the range as a band."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    from vsenumba.plotting.style import FULL_WIDTH, RC, looks

    with mpl.rc_context(RC):
        drawn = Figure(figsize=(FULL_WIDTH, 2.6), layout="constrained")
        for axes, (value, title) in zip(drawn.subplots(1, 3), PANELS, strict=True):
            for name, all_ in runs.items():
                # The longer training is the same sampler's: its colour, dotted.
                look = looks(list(runs)[:-1])[POPULARITY if name.startswith(POPULARITY) else name]
                if name != POPULARITY and name.startswith(POPULARITY):
                    look = look._replace(linestyle=":", marker="s")
                epochs = [record["epoch"] for record in all_[0]]
                by_epoch = [[records[i][value] for records in all_] for i in range(len(epochs))]
                medians = [statistics.median(values) for values in by_epoch]
                axes.plot(
                    epochs, medians, color=look.color, linestyle=look.linestyle, marker=look.marker, markersize=3,
                    label=name,
                )  # fmt: skip
                axes.fill_between(epochs, *zip(*((min(v), max(v)) for v in by_epoch), strict=True), color=look.color,
                                  alpha=0.15, linewidth=0)  # fmt: skip
            axes.set(xlabel="epoch", ylim=(0, None))
            axes.set_title(title, loc="left")
        handles, names = axes.get_legend_handles_labels()
        drawn.legend(handles, names, loc="outside lower center", ncols=3, frameon=False)
    return drawn


if __name__ == "__main__":
    main()
