"""The figure of `benchmarks.vse_ens`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.vse_ens_run import ADAPTIVE, BOUNDED, WARP

# The curves, each with its colour (Okabe & Ito), line and marker.
LOOKS: dict[str, tuple[str, Any, str]] = {
    WARP: ("#0072B2", (0, (4, 1.2, 1, 1.2)), "^"),
    BOUNDED: ("#56B4E9", (0, (6, 1.5)), "P"),
    "uniform": ("#000000", (0, (1, 1.2)), "s"),
    "dynamic": ("#009E73", (0, (7, 1.5, 1, 1.5, 1, 1.5)), "v"),
    ADAPTIVE: ("#D55E00", "-", "o"),
    "adaptive, best of 4": ("#CC79A7", (0, (3, 1)), "D"),
}
PAPER = 5.02


def figure(by_set: Mapping[str, Sequence[Mapping[str, Any]]], curve: Sequence[Mapping[str, Any]]) -> Any:
    """Draw MRR against processor seconds per set, WARP's trials by epoch, and the speed-up against labels."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    from vsenumba.plotting.style import RC

    names = [name for name in by_set if not name.endswith(" labels")]
    n_panels = len(names) + bool(names) + bool(curve)
    columns = min(3, n_panels)
    rows = -(-n_panels // columns)
    with mpl.rc_context(RC):
        drawn = Figure(figsize=(7.2, 2.3 * rows + 0.4), layout="constrained")
        panels = list(drawn.subplots(rows, columns, squeeze=False).ravel())
        for name, panel in zip(names, panels, strict=False):
            _curves(panel, by_set[name])
            n_labels = by_set[name][0]["n_labels"]
            panel.set_title(f"{name.replace('_', ' ')}: {n_labels:,} labels", loc="left", fontsize=7)
        if names:
            _trials(panels[len(names)], {name: by_set[name] for name in names})
        if curve:
            _speed_ups(panels[n_panels - 1], curve)
        for panel in panels[n_panels:]:
            panel.set_visible(False)
        handles = [
            mpl.lines.Line2D([], [], color=color, linestyle=line, marker=marker, markersize=3.5)
            for color, line, marker in LOOKS.values()
        ]
        drawn.legend(handles, [*LOOKS], loc="outside lower center", ncols=len(LOOKS), frameon=False)
    return drawn


def _curves(panel: Any, runs: Sequence[Mapping[str, Any]]) -> None:
    """Draw the first seed with the hinge loss."""
    for name, (color, line, marker) in LOOKS.items():
        for run in runs:
            if (run["sampler"], run["loss"], run["seed"]) == (name, "hinge", 0):
                x = [point["processor"] for point in run["points"]]
                y = [point["mrr"] for point in run["points"]]
                panel.plot(x, y, color=color, linestyle=line, lw=1)
                panel.plot(x[-1:], y[-1:], color=color, marker=marker, markersize=3.5)
    panel.set(xscale="log", xlabel="processor seconds of training", ylabel="MRR")


def _trials(panel: Any, by_set: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Draw the trials per update of unlimited WARP by epoch, as in figure 1 of the paper."""
    for (name, runs), line in zip(by_set.items(), ("-", (0, (5, 1.5)), (0, (1, 1.2)), (0, (4, 1, 1, 1))), strict=False):
        for run in runs:
            if (run["sampler"], run["loss"], run["seed"]) == (WARP, "hinge", 0) and run["trials"]:
                x = [point["epoch"] for point in run["trials"]]
                y = [point["trials"] for point in run["trials"]]
                panel.plot(x, y, color=LOOKS[WARP][0], linestyle=line, lw=1, label=name.split("_")[0])
    panel.set(xscale="log", yscale="log", xlabel="epoch", ylabel="trials an update")
    panel.set_title("What unbounded WARP searches", loc="left")
    if panel.lines:  # a run may end within its first epoch
        panel.legend(frameon=False, loc="upper left", handlelength=2.5)


def _speed_ups(panel: Any, curve: Sequence[Mapping[str, Any]]) -> None:
    for name, (color, line, marker) in LOOKS.items():
        rows = [row for row in curve if (row["sampler"], row["rival"], row["loss"]) == (name, WARP, "hinge")]
        if rows and name != WARP:
            y = [np.nan if row["speed_up"] is None else row["speed_up"] for row in rows]
            panel.plot([row["n_labels"] for row in rows], y, color=color, linestyle=line, marker=marker, ms=3.5)
    panel.axhline(1, color="0.5", lw=0.6)
    panel.axhline(PAPER, color="0.5", lw=0.6, linestyle=(0, (1, 1.5)))
    at = {"xycoords": ("axes fraction", "data"), "va": "bottom"}
    panel.annotate("paper: 5.02", (0.01, PAPER), fontsize=6, color="0.4", **at)
    panel.set(xscale="log", yscale="log", xlabel="labels", ylabel="times sooner than WARP")
    sizes = [row["n_labels"] for row in curve]
    panel.set_xlim(min(sizes) / 1.35, max(sizes) * 1.35)  # matplotlib sets none if no sampler reaches the value
    panel.set_title("To unbounded WARP's best", loc="left")
