"""Scores by label: of pairs that the model has not seen, or of a model that is trained again without them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from sklearn.base import clone

from vsenumba.data import AnnotationSet, leave_one_out
from vsenumba.errors import InputError
from vsenumba.evaluation import GroupScores, Scores, evaluate
from vsenumba.evaluation.known_labels import with_known_labels
from vsenumba.experiments import Comparison, Delivery
from vsenumba.experiments.recorder import split_for_comparison
from vsenumba.models import ImageAnnotator
from vsenumba.printable import counted
from vsenumba.reports.opened import Opened, mapping_in

_METRICS = ("mrr", "recall@5", "recall@10", "auc")


@dataclass(frozen=True)
class HeldOut:
    """How a model ranks labels that it has not seen.

    Attributes
    ----------
    model : Annotator
        The model that was scored.
    test : AnnotationSet
        The pairs that it has not seen.
    scores : Scores
        Its scores.
    by_label, by_popularity : GroupScores
        Its scores by label, and by how many training images a label has.
    how : str
        A sentence that says which pairs and which model these are.
    is_again : bool
        Whether the model was trained again for the report.
    """

    model: Any
    test: AnnotationSet
    scores: Scores
    by_label: GroupScores
    by_popularity: GroupScores
    how: str
    is_again: bool = False


def held_out_scores(
    opened: Opened, data: AnnotationSet | None, measured_model: Any, n_threads: int | None
) -> HeldOut | str:
    """Return the scores by label, or a sentence that says why there are none and what to do about it.

    Parameters
    ----------
    opened : Opened
        What the report is of.
    data : AnnotationSet or None
        All pairs, or those to test on.
    measured_model : Annotator or None
        A model that was trained without some of the pairs of `data`.
    n_threads : int or None
        Threads to train and to score with; those of the model by default.

    Raises
    ------
    InputError
        If `data` is not the set that was compared on, or the model knows none of it.
    """
    if data is None:
        return "Scores by label need pairs that the model has not seen. Give the data set as well, as SET or data=."
    if opened.comparison is not None:
        return _of_comparison(opened, opened.comparison, data, n_threads)
    model = opened.model if measured_model is None else measured_model
    test = _unseen_pairs(model, data)
    if test.n_pairs:
        is_first = measured_model is not None
        who = "a model that was trained without them, as 'fit' does to measure" if is_first else "the model"
        return _scored(model, test, f"{_size(test)} that the model has not seen, ranked by {who}.", _METRICS, n_threads)
    return _of_model(opened, data, n_threads)


def _of_comparison(opened: Opened, comparison: Comparison, data: AnnotationSet, n_threads: int | None) -> HeldOut | str:
    """Train the best model again on the split of the comparison, and score it on the half that reports."""
    settings = comparison.settings
    if data.digest() != mapping_in(settings, "data").get("sha256"):
        raise InputError("the data set is not the one that was compared on (its SHA-256 is another); name that one")
    seed, measured = settings.get("random_state"), opened.measured
    if not isinstance(opened.model, ImageAnnotator) or measured is None or not isinstance(seed, int):
        return "Scores by label need the best model as well. Make the report of the folder that holds model.h5."
    split = split_for_comparison(data, seed)
    test = split.half(chooses=False)
    return _scored(
        _trained_again(opened.model, split.train, measured, n_threads),
        test,
        f"{_size(test)} that were held out of the comparison. For these scores the best model was trained once more, "
        "with the same settings and the same split.",
        (comparison.metric, *_METRICS),
        n_threads,
        is_again=True,
    )


def _of_model(opened: Opened, data: AnnotationSet, n_threads: int | None) -> HeldOut | str:
    """Train the model again without the pairs that ``vsenumba fit`` held out, if these can be found again."""
    model, measured = opened.model, opened.measured
    if measured is None:
        return "The model has seen all pairs of the data set. Scores by label need others."
    seed = getattr(model, "random_state", None)
    if isinstance(model, ImageAnnotator) and isinstance(seed, int):
        train, test = leave_one_out(data, rng=seed)
        if test.n_pairs == measured.get("n_pairs"):
            how = (
                f"{_size(test)} that 'fit' held out. For these scores the model was trained once more, with the same "
                "settings and the same split."
            )
            again = _trained_again(model, train, measured, n_threads)
            return _scored(again, test, how, _METRICS, n_threads, is_again=True)
    return (
        "The pairs that were held out when the model was made cannot be found again. "
        "Write the report with the command that trains: 'vsenumba fit ... --report FILE.html'; "
        "or name the folder of the comparison that the model is from."
    )


def _trained_again(
    model: ImageAnnotator, train: AnnotationSet, measured: Mapping[str, Any], n_threads: int | None
) -> ImageAnnotator:
    again = clone(model)
    if n_threads is not None:
        again.set_params(n_threads=n_threads)
    return again.fit(train, callbacks=Delivery(int(measured["n_epochs"]), measured))


def _scored(
    model: Any,
    test: AnnotationSet,
    how: str,
    metrics: tuple[str, ...],
    n_threads: int | None,
    *,
    is_again: bool = False,
) -> HeldOut:
    n_threads = getattr(model, "n_threads", None) if n_threads is None else n_threads
    wanted: dict[str, Any] = {
        "exclude": model.seen_,
        "metrics": list(dict.fromkeys(metrics)),
        "n_threads": n_threads,
    }
    with warnings.catch_warnings():
        # The report says what was left out.
        warnings.simplefilter("ignore", UserWarning)
        scores, by_popularity = (evaluate(model, test, by=by, **wanted) for by in ("label", "popularity"))
    groups = [cast(GroupScores, one.groups) for one in (scores, by_popularity)]
    return HeldOut(model, test, scores, groups[0], groups[1], how, is_again)


def _unseen_pairs(model: Any, data: AnnotationSet) -> AnnotationSet:
    """Return the pairs of labels that the model knows and that it was not trained on."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        known, _ = with_known_labels(data, model.label_names_, "the data set")
    aligned = model.align(known)
    seen = model.seen_.reindex_images(aligned.image_ids)
    n_labels = aligned.n_labels
    keys, seen_keys = (one.pairs()[0] * n_labels + one.pairs()[1] for one in (aligned, seen))
    ids = model.image_ids_.find(aligned.image_ids)
    can_be_known = (ids >= 0) | (model.uses_features and aligned.features is not None)
    return aligned.with_pairs(~np.isin(keys, seen_keys) & can_be_known[aligned.pairs()[0]])


def _size(test: AnnotationSet) -> str:
    images = int((test.labels_per_image > 0).sum())
    return f"{counted(test.n_pairs, 'pair')} of {counted(images, 'image')}"
