"""``vsenumba plot``: plot the convergence of one or more comparisons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vsenumba.cli import options
from vsenumba.cli.output import say
from vsenumba.errors import VsenumbaError, unknown_name

if TYPE_CHECKING:
    from vsenumba.experiments import Comparison
    from vsenumba.training import History


@click.command(epilog=options.examples("vsenumba plot runs.h5 -o recall.png --metric recall@5"))
@click.argument("files", metavar="RUNS.h5...", type=options.FILE, nargs=-1, required=True)
@options.output_option("FIGURE")
@click.option("--metric", type=options.METRIC, help="Metric to plot.  [default: the metric of the first file]")
def command(files: tuple[Path, ...], output: Path, metric: str | None) -> None:
    """Plot the convergence of comparisons over time and epochs.

    RUNS.h5 is a file that 'vsenumba compare' wrote. FIGURE must end in .png, .svg or .pdf. If a sampler is in several
    files, the name of the file is added to its name.
    """
    from vsenumba.experiments import Comparison
    from vsenumba.plotting import convergence_figure, save_figure

    options.check_output(output, *files)
    comparisons = [Comparison.load(path) for path in files]
    metric = metric or comparisons[0].metric
    for comparison in comparisons:
        _check_recorded(comparison, metric)
    histories: dict[str, list[History]] = _merged(files, [comparison.histories() for comparison in comparisons])
    references: dict[str, float] = _merged(files, [one.reference_values(metric) for one in comparisons])
    save_figure(convergence_figure(histories, metric=metric, references=references), output)
    say(f"saved {output}")


def _check_recorded(comparison: Comparison, metric: str) -> None:
    columns = comparison.runs[0].history.to_columns()
    recorded = {name for name in columns if name == comparison.metric or _is_metric(name)}
    if metric not in recorded:
        raise unknown_name("metric of these runs", metric, sorted(recorded))


def _is_metric(name: str) -> bool:
    from vsenumba.evaluation import parse_metric

    try:
        parse_metric(name)
    except VsenumbaError:
        return False
    return True


def _merged(files: Sequence[Path], parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return all entries; the file name is added to a name that is in several files."""
    times = Counter(name for part in parts for name in part)
    merged = {}
    for path, part in zip(files, parts, strict=True):
        for name, value in part.items():
            merged[name if times[name] == 1 else f"{name} ({path.stem})"] = value
    return merged
