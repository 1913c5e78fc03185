"""The report of `benchmarks.peers`: numbers, table and figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.panels import draw_panels
from benchmarks.peer_methods import EASE, OURS, WARP, WARP_AT_ITS_RATE

# Colour (Okabe & Ito), dash pattern and marker. Popularity is left out, because it is far below and far to the left.
PEER_LOOKS: dict[str, tuple[str, str, str]] = {
    WARP: ("#0072B2", "-", "^"),
    WARP_AT_ITS_RATE: ("#0072B2", "--", "<"),
    "LightFM BPR": ("#56B4E9", "-", "v"),
    "implicit BPR": ("#009E73", "-", "s"),
    "implicit ALS": ("#CC79A7", "-", "X"),
    EASE: ("#000000", "-", "*"),
    "EASE, 128 neighbours": ("#000000", "--", "P"),
}
OUR_COLORS = ("#E69F00", "#E69F00", "#D55E00", "#D55E00", "#8C5A1E", "#6A3D9A")
OUR_MARKERS = ("o", "D", "P", "h", ">", "<")


def looks() -> dict[str, tuple[str, str, str]]:
    """Return the style of every curve; ours are dashed with the sampler of the paper."""
    ours = {
        name: (OUR_COLORS[i % len(OUR_COLORS)], "--" if "adaptive" in name else "-", OUR_MARKERS[i % len(OUR_MARKERS)])
        for i, name in enumerate(OURS)
    }
    return PEER_LOOKS | ours


def first_at(points: Sequence[Mapping[str, float]], target: float) -> float | None:
    """Return the seconds until the curve of the reporting half first reaches `target`; None if it never does."""
    return next((point["seconds"] for point in points if point["mrr"] >= target), None)


def summarise(results: Mapping[str, Any]) -> None:
    """Add the numbers of the table to every method of a set, one number per seed."""
    for result in results.values():
        runs = result["runs"]
        best = [max(run["points"], key=lambda point: point["choosing"]) for run in runs]
        last = [run["points"][-1]["seconds"] for run in runs]
        result["best"] = [point["mrr"] for point in best]
        result["best_epoch"] = [point["epoch"] for point in best]
        result["seconds"] = [point["seconds"] for point in best]
        result["million_steps_per_second"] = [run["steps"] / s / 1e6 for run, s in zip(runs, last, strict=True)]
        result["training_mb"] = [run["peak_mb"] - run["before_mb"] for run in runs]
        result["before_mb"] = [run["before_mb"] for run in runs]
    for peer in (WARP, WARP_AT_ITS_RATE, EASE):
        for name in OURS.keys() & results.keys() if peer in results else ():
            against = results[name].setdefault("against", {})
            against[peer] = {f"{share:.0%}": _speed_up(results[name], results[peer], share) for share in (1.0, 0.99)}


def _speed_up(ours: Mapping[str, Any], theirs: Mapping[str, Any], share: float) -> dict[str, list[float | None]]:
    """Return, per seed, the seconds to a share of the peer's best MRR, and the speed-up over the peer."""
    targets = [share * best for best in theirs["best"]]
    until, ratios = [], []
    for run, peer, target, best in zip(ours["runs"], theirs["runs"], targets, theirs["seconds"], strict=True):
        seconds, its = first_at(run["points"], target), best if share == 1 else first_at(peer["points"], target)
        until.append(seconds)
        ratios.append(None if seconds is None or its is None else its / seconds)
    return {"seconds": until, "times_as_fast": ratios}


def table(results: Mapping[str, Any]) -> str:
    """Return a Markdown table with medians and ranges over the seeds."""
    lines = [
        "| method | best MRR | epoch | seconds to it | million steps/s | MB for training | MB before |",
        "|---" * 7 + "|",
    ]
    for name, result in results.items():
        stepwise = any(result["million_steps_per_second"])
        cells = [
            name,
            _spread(result["best"], ".4f"),
            f"{np.median(result['best_epoch']):.0f}",
            _spread(result["seconds"], ".3g"),
            _spread(result["million_steps_per_second"], ".2f") if stepwise else "–",
            _spread(result["training_mb"], ".0f"),
            f"{np.median(result['before_mb']):.0f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def speed_table(results: Mapping[str, Any]) -> str:
    """Return a Markdown table: seconds until ours match LightFM's WARP and EASE, and the speed-up over them."""
    lines = [
        "| method | as good as | seconds | times as fast | seconds to 99 % | times as fast |",
        "|---" * 6 + "|",
    ]
    for name, result in results.items():
        for peer, shares in result.get("against", {}).items():
            cells = [name, peer]
            for share in shares.values():
                cells += [_spread(share["seconds"], ".3g"), _spread(share["times_as_fast"], ".1f")]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _spread(values: Sequence[float | None], form: str) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "never" if values else "–"
    text = f"{np.median(known):{form}}"
    if len(known) > 1:
        text += f" ({min(known):{form}}–{max(known):{form}})"
    return text + (f", {len(known)} of {len(values)} seeds" if len(known) < len(values) else "")


def figure(everything: Mapping[str, Mapping[str, Any]]) -> Any:
    """Draw the median MRR against training seconds, one panel per set; closed-form models are markers."""
    return draw_panels(everything, _draw_curves)


def _draw_curves(panel: Any, results: Mapping[str, Any]) -> None:
    for name, (color, dashes, marker) in looks().items():
        if name not in results:
            continue
        seconds, mrr = _median_curve(results[name]["runs"])
        panel.plot(
            seconds,
            mrr,
            label=name,
            color=color,
            linestyle=dashes,
            marker=marker,
            markersize=7 if len(mrr) == 1 else 4,
            # The marker shows the best point of the curve.
            markevery=[int(np.argmax(mrr))],
            linewidth=1.8 if name in OURS else 1.1,
        )


def _median_curve(runs: Sequence[Mapping[str, Any]]) -> tuple[np.ndarray, np.ndarray]:
    return tuple(np.median([[p[key] for p in run["points"]] for run in runs], axis=0) for key in ("seconds", "mrr"))
