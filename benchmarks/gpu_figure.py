"""The figure of `benchmarks gpu`: steps per second by number of factors, and the limit of the memory bandwidth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

from vsenumba.plotting.save import save_figure
from vsenumba.plotting.style import FULL_WIDTH, RC


def draw(
    lines: Sequence[Mapping[str, Any]], bandwidth: float, bound: Callable[[float, int, int], float], path: Path
) -> None:
    """Draw a panel for each set."""
    sets = list(dict.fromkeys(line["set"] for line in lines))
    with rc_context(RC):
        figure = Figure(figsize=(FULL_WIDTH, 2.6), layout="constrained")
        panels = figure.subplots(1, len(sets), squeeze=False, sharey=True)[0]
        for panel, name in zip(panels, sets, strict=True):
            of_set = [line for line in lines if line["set"] == name]
            factors = sorted({line["k"] for line in of_set})
            panel.plot(factors, [bound(bandwidth, k, 2) for k in factors], color="0.6", ls="--", label="bound")
            for sampler in dict.fromkeys(line["sampler"] for line in of_set):
                points = [(line["k"], line["cuda"]) for line in of_set if line["sampler"] == sampler]
                panel.plot(*zip(*points, strict=True), marker="o", ms=3, label=f"GPU, {sampler}")
                host = [(line["k"], line["cpu"]) for line in of_set if line["sampler"] == sampler and line["cpu"]]
                if host:
                    panel.plot(*zip(*host, strict=True), marker="s", ms=3, ls="none", label=f"CPU, {sampler}")
            panel.set(xscale="log", yscale="log", xlabel="factors", title=name)
            panel.set_xticks(factors, [str(k) for k in factors], minor=False)
            panel.minorticks_off()
        panels[0].set_ylabel("steps a second")
        panels[-1].legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
        save_figure(figure, path)
