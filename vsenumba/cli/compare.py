"""``vsenumba compare``: train models with several samplers; print a table, write a figure and the runs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vsenumba.cli import options
from vsenumba.cli.output import as_json_text, command_line, note, say, say_json, size_of, suggest
from vsenumba.cli.report_option import check_report, report_option, save_report
from vsenumba.cli.settings import parameters_of, refuse_given_twice, set_option

if TYPE_CHECKING:
    from vsenumba.data import AnnotationSet
    from vsenumba.experiments import Comparison
    from vsenumba.losses import Loss
    from vsenumba.models import ImageAnnotator
    from vsenumba.samplers import Sampler

# Settings of the comparison, not parameters of the compared models.
OF_RUNS = {"sampler": "--sampler", "n_epochs": "--epochs", "random_state": "--seed", "n_threads": "--threads"}

FILES = ("comparison.json", "runs.h5", "model.h5", "convergence.png", "convergence.svg")


@click.command(
    epilog=options.examples(
        "vsenumba compare openclipart --sampler warp --sampler adaptive --seeds 1 --out comparison",
        'vsenumba compare openclipart --sampler adaptive --sampler "adaptive:n_candidates=4" --out comparison',
    )
)
@options.set_argument
@click.option(
    "--sampler",
    "samplers",
    type=options.SAMPLER,
    multiple=True,
    help="Sampler to compare, as NAME or NAME:PARAM=VALUE,... Repeatable.  [default: all]",
)
@click.option("--out", "folder", type=options.FILE, required=True, metavar="DIR", help="Folder to write to.")
@options.force_option
@options.model_options("ImageAnnotator", inputs="--inputs", n_factors="--factors")
@click.option(
    "--loss",
    type=options.LOSS,
    help="Loss for all samplers.  [default: warp for the sampler warp, logistic for the others]",
)
@set_option
@click.option("--metric", type=options.METRIC, default="mrr", show_default=True, help="Metric to compare by.")
@click.option(
    "--by",
    type=click.Choice(["popularity"]),
    help="Also compare for groups of labels with a similar number of training images, in a table and in the figure.",
)
@click.option(
    "--epochs",
    "n_epochs",
    cls=options.DefaultOf,
    module="vsenumba.experiments",
    function="compare",
    type=options.POSITIVE,
    help="Number of training epochs.",
)
@click.option(
    "--time-budget",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Training time per run, instead of --epochs.",
)
@click.option("--seeds", type=options.POSITIVE, default=3, show_default=True, help="Number of runs per sampler.")
@options.seed_option
@options.threads_option
@options.scheduler_option
@report_option
@options.json_option
def command(
    source: str,
    samplers: tuple[str | Sampler, ...],
    folder: Path,
    force: bool,
    inputs: str | tuple[str, ...],
    loss: str | Loss | None,
    settings: tuple[tuple[str, str], ...],
    metric: str,
    by: str | None,
    n_epochs: int,
    time_budget: float | None,
    seeds: int,
    n_factors: int,
    seed: int,
    threads: int | None,
    scheduler: str | None,
    report: Path | None,
    as_json: bool,
) -> None:
    """Compare the accuracy and training time of negative samplers.

    SET is the name of a data set or a file; see 'vsenumba data --help'.

    All models train on the same pairs. One label of every image that has several is held out, and the models are
    measured by how high they rank it.

    The command writes comparison.json, runs.h5, model.h5 (the best model, trained again on all pairs), convergence.png
    and convergence.svg.

    With --scheduler, the workers of a Dask cluster train, one run at a time each.
    """
    from vsenumba.experiments import models_to_compare

    if time_budget and options.is_given("n_epochs"):
        raise click.UsageError("--epochs and --time-budget cannot be combined")
    refuse_given_twice(settings, always=OF_RUNS)
    method: dict[str, Any] = {"samplers": samplers or None, "inputs": inputs, "loss": loss, "n_factors": n_factors}
    parameters = parameters_of(models_to_compare(**method), settings)
    for one in models_to_compare(**method, **parameters):
        one.check_parameters()  # before the data set is read
    check_report(report, source)
    run_settings = {
        **method,
        **parameters,
        "metric": metric,
        "by": by,
        "n_epochs": n_epochs,
        "time_budget": time_budget,
        "n_seeds": seeds,
        "random_state": seed,
        "n_threads": threads,
        "client": options.client_of(scheduler),
    }
    data = options.load_set(source)
    result = run_and_write(data, source, folder, run_settings, force=force)
    save_report(report, folder, data=data, n_threads=threads)
    if as_json:
        say_json(result.comparison.to_json())
    else:
        result.show()
        runs, model = str(folder / "runs.h5"), str(folder / "model.h5")
        suggest(
            ["vsenumba", "evaluate", model],
            ["vsenumba", "plot", runs, "-o", "recall.png", "--metric", "recall@5"],
        )


@dataclass(frozen=True)
class Result:
    """A finished comparison with its files."""

    comparison: Comparison
    model: ImageAnnotator
    files: list[Path]

    def show(self) -> None:
        """Print the table and the names of the files."""
        from vsenumba.cli.comparison_table import comparison_table

        say(comparison_table(self.comparison))
        say(f"\nsaved in {self.files[0].parent}: {', '.join(path.name for path in self.files)}")


def run_and_write(data: AnnotationSet, source: str, folder: Path, settings: dict[str, Any], *, force: bool) -> Result:
    """Compare samplers on a data set, and write the results into a folder; see `options.prepare_folder`."""
    from vsenumba.cli.comparison_progress import ComparisonProgress
    from vsenumba.experiments import compare
    from vsenumba.plotting import convergence_figure, save_figure
    from vsenumba.storage import open_output

    options.limit_threads(settings["n_threads"])
    files = options.prepare_folder(folder, FILES, force=force)
    document, runs, best_model, *figures = files
    note(f"{source}: {size_of(data)}")
    budget, n_epochs = settings["time_budget"], settings["n_epochs"]
    with ComparisonProgress(n_epochs if budget is None else None, budget) as progress:
        following = (
            {"callbacks": progress.callbacks} if settings.get("client") is None else {"after_run": progress.ended}
        )
        comparison, model = compare(data, **following, **settings)
    comparison = replace(comparison, settings={**comparison.settings, "command": command_line()})
    model.provenance_["command"] = command_line()
    with open_output(document) as file:
        file.write(f"{as_json_text(comparison.to_json())}\n".encode())
    comparison.save(runs)
    model.save(best_model)
    figure = convergence_figure(
        comparison.histories(),
        metric=comparison.metric,
        references=comparison.reference_values(comparison.metric),
        groups=comparison.groups,
        title=f"{source}: {data.n_pairs:,} pairs of {data.n_images:,} images and {data.n_labels:,} labels",
    )
    for path in figures:
        save_figure(figure, path)
    return Result(comparison, model, files)
