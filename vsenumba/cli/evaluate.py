"""``vsenumba evaluate``: measure how well a model ranks unseen labels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vsenumba.cli import csv_table, options
from vsenumba.cli.groups_table import group_rows, groups_table
from vsenumba.cli.measured import held_out_pairs, value_text
from vsenumba.cli.output import note, say, say_json, table
from vsenumba.cli.report_option import check_report, report_option, save_report
from vsenumba.errors import InputError
from vsenumba.printable import counted

if TYPE_CHECKING:
    import numpy as np

    from vsenumba.data import AnnotationSet
    from vsenumba.models import Annotator


@click.command(
    epilog=options.examples(
        "vsenumba evaluate model.h5",
        "vsenumba evaluate model.h5 openclipart --metric mrr --metric recall@5",
        "vsenumba evaluate model.h5 test.csv --by label -o labels.csv",
    )
)
@options.model_argument
@options.optional_set_argument
@options.metrics_option("Metric to compute.")
@click.option(
    "--by",
    type=click.Choice(["label", "popularity"]),
    help="Also show scores for each label, or for groups of labels with a similar number of training images.",
)
@csv_table.output_option
@csv_table.excel_option
@options.threads_option
@options.scheduler_option
@report_option
@options.json_option
def command(
    model: Path,
    source: str | None,
    metrics: tuple[str, ...],
    by: str | None,
    output: Path | None,
    excel: bool,
    threads: int | None,
    scheduler: str | None,
    report: Path | None,
    as_json: bool,
) -> None:
    """Measure how well a model ranks unseen labels.

    The model is tested on all pairs of SET that it was not trained on. Labels that it has already seen for an image
    are excluded from the ranking of that image.

    Without SET, or if the model was trained on all pairs of SET, the command shows the values that 'vsenumba fit' or
    'vsenumba compare' measured on held-out pairs.

    With --by, every pair is scored as if it were the only pair of its image. The table shows the mean score of each
    label or group. If there are many labels, it shows the best and the worst by the first metric. --json prints all of
    them, and -o writes all of them to a file.

    With --scheduler, the workers of a Dask cluster rank the labels.
    """
    from vsenumba.evaluation import evaluate
    from vsenumba.models import Annotator, load_model

    _check_output(by, output, excel, as_json, model, source)
    check_report(report, model, *([source] if source else []))
    if scheduler is not None and source is None:
        raise click.UsageError("--scheduler requires a SET")
    client = options.client_of(scheduler)
    loaded = load_model(model, Annotator)
    data = None if source is None else options.load_set(source)
    test = None if data is None else _unseen_pairs(loaded, data, str(source))
    groups = None
    if test is not None:
        how: dict[str, Any] = {"metrics": metrics, "by": by, "n_threads": threads, "client": client}
        scores = evaluate(loaded, test, exclude=loaded.seen_, **how)
        groups = scores.groups
        result: dict[str, Any] = {"n_images": scores.n_images, "n_pairs": test.n_pairs, "metrics": scores.mean}
        what = f"measured on {counted(test.n_pairs, 'unseen pair')} of {counted(scores.n_images, 'image')}"
    elif by is not None:
        raise InputError(
            f"--by {by} needs a SET with pairs that {model} was not trained on; 'vsenumba data split' makes such a SET"
        )
    else:
        result = _measured(loaded, model, data, metrics)
        what = f"{held_out_pairs(result)} (the saved model was then trained on all pairs)"
    save_report(report, model, data=data, n_threads=threads)
    if output is not None and groups is not None:
        rows = group_rows(groups)
        csv_table.write_csv(list(rows[0]), (tuple(row.values()) for row in rows), output, excel=excel)
        note(f"saved {output}: {counted(len(rows), 'label' if by == 'label' else 'group')}")
        return
    if as_json:
        more = {} if groups is None else {"by": by, "groups": group_rows(groups)}
        means = {} if groups is None else {"micro_mean": groups.micro_mean, "macro_mean": groups.macro_mean}
        say_json(result | more | means)
        return
    say(what)
    say()
    say(table(["metric", "value"], [[name, value_text(value, 4)] for name, value in result["metrics"].items()], "lr"))
    if groups is not None:
        say()
        say(groups_table(groups))


def _check_output(
    by: str | None, output: Path | None, excel: bool, as_json: bool, model: Path, source: str | None
) -> None:
    """Refuse options that cannot be combined, and a file that cannot be written."""
    if output is None:
        if excel:
            raise click.UsageError("--excel requires -o")
        return
    if by is None:
        raise click.UsageError("-o requires --by label or --by popularity")
    if as_json:
        raise click.UsageError("-o and --json cannot be combined")
    options.check_output(output, model, *([source] if source else []), streams=True)


def _measured(model: Annotator, path: Path, data: AnnotationSet | None, metrics: tuple[str, ...]) -> dict[str, Any]:
    """Return the values that were measured on held-out pairs when the model was made."""
    measured = getattr(model, "provenance_", {}).get("measured")
    if measured is None or (data is not None and data.n_pairs != measured["of_pairs"]):
        why = (
            f"no quality was measured when {path} was trained"
            if data is None
            else f"{path} was trained on every pair of the data set"
        )
        raise InputError(f"{why}; give a SET with unseen pairs, which 'vsenumba data split' makes")
    wanted = metrics if options.is_given("metrics") else tuple(measured["metrics"])
    missing = [name for name in wanted if name not in measured["metrics"]]
    if missing:
        raise InputError(
            f"{missing[0]} was not measured when {path} was trained, only {', '.join(measured['metrics'])}; train "
            f"again with '--metric {missing[0]}', or give a SET with unseen pairs"
        )
    return {**measured, "metrics": {name: measured["metrics"][name] for name in wanted}}


def _unseen_pairs(model: Annotator, data: AnnotationSet, source: str) -> AnnotationSet | None:
    """Return the unseen pairs whose image and label the model knows; None if it was trained on all pairs."""
    import numpy as np

    from vsenumba.evaluation.known_labels import with_known_labels

    _refuse_transpose(model, data, source)
    data, n_left_out = with_known_labels(data, model.label_names_, source)
    rows, columns = data.pairs()
    images = model.image_ids_.find(data.image_ids)
    n_labels = len(model.label_names_)
    seen_rows, seen_columns = model.seen_.pairs()
    labels = model.label_names_.find(data.label_names)
    if model.uses_features and data.features is not None:
        images = np.where(images < 0, len(model.image_ids_) + np.arange(len(images)), images)
    seen = np.isin(images[rows] * n_labels + labels[columns], seen_rows * n_labels + seen_columns)
    if seen.all() and not n_left_out:
        return None
    _check_images(model, data, source, np.unique(rows[images[rows] < 0]))
    unseen = (images[rows] >= 0) & ~seen
    if not unseen.any():
        raise InputError(
            f"the model was trained on every pair of {source} whose image and label it knows; evaluate on pairs that "
            "'vsenumba data split' kept apart"
        )
    return data.with_pairs(unseen)


def _check_images(model: Annotator, data: AnnotationSet, source: str, unknown: np.ndarray) -> None:
    """Refuse a data set if the model knows none of its labelled images; warn about the unknown images."""
    import warnings

    from vsenumba.errors import unknown_name

    if not len(unknown):
        return
    examples = "; ".join(
        str(unknown_name("image", name, model.image_ids_)) for name in data.image_ids.take(unknown[:2])
    )
    if len(unknown) == (data.labels_per_image > 0).sum():
        raise InputError(
            f"the model knows no image of {source}: {examples}. Evaluate on new labels of images that the model was "
            "trained on"
        )
    n_pairs = int(data.labels_per_image[unknown].sum())
    warnings.warn(
        f"skipped {counted(n_pairs, 'pair')} of {counted(len(unknown), 'unknown image')} in {source}: {examples}",
        stacklevel=1,
    )


def _refuse_transpose(model: Annotator, data: AnnotationSet, source: str) -> None:
    """Refuse a transposed matrix (labels by images), whose numbered rows and columns would match by name."""
    from vsenumba.data import Vocabulary

    shape = model.seen_.shape
    if data.shape != shape == data.shape[::-1] and data.label_names == Vocabulary.numbered(data.n_labels, "label"):
        raise InputError(
            f"{source} has the shape {data.shape}, but the model has {shape} (images by labels); transpose the matrix"
        )
