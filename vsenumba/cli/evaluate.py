"""``vsenumba evaluate``: how well a model ranks labels that it has not seen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vsenumba.cli import options
from vsenumba.cli.measured import held_out_pairs
from vsenumba.cli.output import counted, say, say_json, table
from vsenumba.errors import InputError

if TYPE_CHECKING:
    from vsenumba.data import AnnotationSet
    from vsenumba.models import Annotator


@click.command(
    epilog=options.examples(
        "vsenumba evaluate model.h5", "vsenumba evaluate model.h5 openclipart --metric mrr --metric recall@5"
    )
)
@options.model_argument
@click.argument("source", metavar="[SET]", required=False)
@options.metrics_option("One to compute; give it several times.")
@options.threads_option
@options.json_option
def command(model: Path, source: str | None, metrics: tuple[str, ...], threads: int | None, as_json: bool) -> None:
    """Say how well a model ranks labels that it has not seen.

    All pairs of SET that the model was not trained on are tested; what it has seen of the images is left out of the
    ranking. Without SET, or where the model has learnt from all pairs of SET, it says what 'vsenumba fit' or 'vsenumba
    compare' measured on held-out pairs, before the model learnt from these too.
    """
    from vsenumba.data import load_dataset
    from vsenumba.evaluation import evaluate
    from vsenumba.models import Annotator, load_model

    loaded = load_model(model, Annotator)
    data = None if source is None else load_dataset(source)
    test = None if data is None else _unseen_pairs(loaded, data, str(source))
    if test is not None:
        scores = evaluate(loaded, test, exclude=loaded.seen_, metrics=metrics, n_threads=threads)
        result: dict[str, Any] = {"n_images": scores.n_images, "n_pairs": test.n_pairs, "metrics": scores.mean}
        what = f"{counted(test.n_pairs, 'pair')} of {counted(scores.n_images, 'image')} that the model has not seen"
    else:
        result = _measured(loaded, model, data, metrics)
        what = f"measured {held_out_pairs(result)}, before the model learnt from these too"
    if as_json:
        say_json(result)
        return
    say(what)
    say()
    say(table(["metric", "value"], [[name, f"{value:.4f}"] for name, value in result["metrics"].items()], "lr"))


def _measured(model: Annotator, path: Path, data: AnnotationSet | None, metrics: tuple[str, ...]) -> dict[str, Any]:
    """Return what was measured on pairs of the model's set when it did not know these yet."""
    measured = getattr(model, "provenance_", {}).get("measured")
    if measured is None or (data is not None and data.n_pairs != measured["of_pairs"]):
        why = "nothing was measured when it was made" if data is None else "it has learnt from every pair of the set"
        raise InputError(
            f"{path} cannot tell how good it is: {why}; name a SET with pairs that it has not seen, such as 'vsenumba "
            "data split' keeps apart"
        )
    given = click.get_current_context().get_parameter_source("metrics") is click.core.ParameterSource.COMMANDLINE
    wanted = metrics if given else tuple(measured["metrics"])
    missing = [name for name in wanted if name not in measured["metrics"]]
    if missing:
        raise InputError(
            f"{missing[0]} was not measured when {path} was made, but {', '.join(measured['metrics'])} were; "
            f"'vsenumba fit ... --metric {missing[0]}' measures it"
        )
    return {**measured, "metrics": {name: measured["metrics"][name] for name in wanted}}


def _unseen_pairs(model: Annotator, data: AnnotationSet, source: str) -> AnnotationSet | None:
    """Return the pairs to test on, of images and labels that the model knows; None if it was trained on all of them."""
    import warnings

    import numpy as np

    _refuse_transpose(model, data, source)
    rows, columns = data.pairs()
    images = model.image_ids_.find(data.image_ids)
    labels = model.label_names_.find(data.label_names)
    images_known, labels_known = images[rows] >= 0, labels[columns] >= 0
    seen_rows, seen_columns = model.seen_.pairs()
    keys = images[rows] * len(model.label_names_) + labels[columns]
    seen = np.isin(keys, seen_rows * len(model.label_names_) + seen_columns)
    unseen = images_known & labels_known & ~seen
    if seen.all():
        return None
    if not unseen.any():
        raise InputError(_nothing_to_test(source, bool(images_known.any()), bool((images_known & labels_known).any())))
    for known, what in ((images_known, "image"), (labels_known, "label")):
        if not known.all():
            warnings.warn(
                f"{counted(int((~known).sum()), 'pair')} left out: the {what} is new to the model",
                stacklevel=1,
            )
    return data.with_pairs(unseen)


def _refuse_transpose(model: Annotator, data: AnnotationSet, source: str) -> None:
    """Refuse a matrix of labels by images: its numbered rows and columns would fit the model's by name."""
    from vsenumba.data import Vocabulary

    shape = model.seen_.shape
    if data.shape != shape == data.shape[::-1] and data.label_names == Vocabulary.numbered(data.n_labels, "label"):
        raise InputError(f"{source} is {data.shape}, the model {shape}, images by labels; did you pass the transpose?")


def _nothing_to_test(source: str, any_image: bool, any_label: bool) -> str:
    if not any_image:
        return f"the model knows no image of {source}; evaluate on images it was trained on, with labels it was not"
    if not any_label:
        return f"the model knows no label of {source}; evaluate on labels it was trained on"
    return (
        f"the model has seen every pair of {source} whose image and label it knows, so there is nothing to test; "
        "evaluate on pairs that were kept apart with 'vsenumba data split'"
    )
