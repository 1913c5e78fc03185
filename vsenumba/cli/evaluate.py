"""``vsenumba evaluate``: how well a model ranks labels that it has not seen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vsenumba.cli import options
from vsenumba.cli.output import counted, say, say_json, table
from vsenumba.errors import InputError

if TYPE_CHECKING:
    from vsenumba.data import AnnotationSet
    from vsenumba.models import Annotator

METRICS = ("mrr", "recall@5", "recall@10", "auc")


@click.command(epilog=options.examples("vsenumba evaluate model.h5 openclipart --metric mrr --metric recall@5"))
@options.model_argument
@options.set_argument
@click.option(
    "--metric",
    "metrics",
    type=options.METRIC,
    multiple=True,
    default=METRICS,
    show_default=True,
    help="One to compute; give it several times. precision@k, recall@k, ndcg@k, ap@k and coverage@k take any k.",
)
@options.threads_option
@options.json_option
def command(model: Path, source: str, metrics: tuple[str, ...], threads: int | None, as_json: bool) -> None:
    """Say how well a model ranks labels that it has not seen.

    All pairs of SET that the model was not trained on are tested; what it has seen of the images is left out of the
    ranking. 'vsenumba fit' holds one label of every image back, so SET can be the very set the model was fitted to.
    """
    from vsenumba.data import load_dataset
    from vsenumba.evaluation import evaluate
    from vsenumba.models import Annotator, load_model

    loaded = load_model(model, Annotator)
    test = _unseen_pairs(loaded, load_dataset(source), source)
    scores = evaluate(loaded, test, exclude=loaded.seen_, metrics=metrics, n_threads=threads)
    if as_json:
        say_json({"n_images": scores.n_images, "n_pairs": test.n_pairs, "metrics": scores.mean})
    else:
        say(f"{counted(test.n_pairs, 'pair')} of {counted(scores.n_images, 'image')} that the model has not seen")
        say()
        say(table(["metric", "value"], [[name, f"{value:.4f}"] for name, value in scores.mean.items()], "lr"))


def _unseen_pairs(model: Annotator, data: AnnotationSet, source: str) -> AnnotationSet:
    """Return the pairs to test on: of images and labels that the model knows, and not those it was trained on."""
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
        f"the model has seen every pair of {source}, so there is nothing to test; fit with '--hold-out one', or "
        "evaluate on pairs that were kept apart with 'vsenumba data split'"
    )
