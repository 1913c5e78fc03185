"""Train and record the runs of a comparison, one after another here or in parallel on a cluster."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np

from vsenumba.cluster.over_parts import over_parts
from vsenumba.cluster.turn import part_from_arrays, part_to_arrays
from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.evaluation import GroupScores
from vsenumba.experiments.recorder import Recorder, split_for_comparison
from vsenumba.models import ImageAnnotator
from vsenumba.models.travelling import check_travels
from vsenumba.training.callbacks import Callback, TimeBudget
from vsenumba.training.history import History


class Recorded(NamedTuple):
    """The history of a finished run, and the group scores at its best epoch if they were requested."""

    history: History
    groups: GroupScores | None


def train_run(
    model: ImageAnnotator,
    train: AnnotationSet,
    recorder: Recorder,
    time_budget: float | None,
    callbacks: Sequence[Callback] = (),
) -> Recorded:
    """Train one model while a recorder evaluates it after every epoch.

    Parameters
    ----------
    model : ImageAnnotator
        The unfitted model.
    train : AnnotationSet
        The training pairs.
    recorder : Recorder
        The recorder.
    time_budget : float or None
        The training time in seconds, or None to train for all epochs of the model.
    callbacks : sequence of Callback
        Further callbacks of the run.

    Returns
    -------
    Recorded
        The history and the group scores.
    """
    clock = [] if time_budget is None else [TimeBudget(time_budget)]
    model.fit(train, callbacks=[recorder, *callbacks, *clock])
    return Recorded(recorder.history, recorder.groups)


def runs_on_cluster(
    client: Any, models: Sequence[ImageAnnotator], data: AnnotationSet, recorder: Recorder, told: Mapping[str, Any]
) -> Iterator[Recorded]:
    """Train and record several models, each in a task of its own on a cluster.

    Parameters
    ----------
    client : distributed.Client
        The cluster.
    models : sequence of ImageAnnotator
        The unfitted models.
    data : AnnotationSet
        All pairs. Each worker splits them again, with the same result as `split_for_comparison` on this machine.
    recorder : Recorder
        The recorder, which learns the best epoch of each run.
    told : mapping
        ``"random_state"`` of the split, ``"metric"``, ``"metrics"``, ``"by"``, ``"n_threads"`` and ``"time_budget"``.

    Returns
    -------
    iterator of Recorded
        The runs, in the order of `models`.

    Raises
    ------
    InputError, ClusterError
        If a model cannot be sent or the cluster cannot be used; see `over_parts`. Errors of a run are passed on
        unchanged.
    """
    for model in models:
        check_travels(model)
    shared = {"data": part_to_arrays(data, np.arange(data.n_images)), "n_labels": data.n_labels, **told}
    found = over_parts(client, run_on_worker, shared, [functools.partial(_settings_of, model) for model in models])
    return (_heard(model, one, recorder) for model, one in zip(models, found, strict=True))


def _settings_of(model: ImageAnnotator) -> str:
    return json.dumps({name: one.to_json(getattr(model, name)) for name, one in model.PARAMETERS.items()})


def _heard(model: ImageAnnotator, found: Mapping[str, Any], recorder: Recorder) -> Recorded:
    history = History()
    for record in found["records"]:
        history.append(record)
    validation = history[f"validation_{recorder.metric}"]
    recorder.keep_best(model, history[int(np.argmax(validation))])
    return Recorded(history, None if found["groups"] is None else GroupScores(**found["groups"]))


def run_on_worker(shared: Mapping[str, Any], settings: str) -> dict[str, Any]:
    """Train and record one run on a worker; return its records, and its group scores as a dictionary or None."""
    data = part_from_arrays(shared["data"], shared["n_labels"])
    split = split_for_comparison(data, shared["random_state"])
    recorder = Recorder(split, shared["metric"], shared["metrics"], shared["by"], shared["n_threads"])
    kinds = ImageAnnotator.PARAMETERS
    model = ImageAnnotator(**{name: kinds[name].from_json(value) for name, value in json.loads(settings).items()})
    history, groups = train_run(model, split.train, recorder, shared["time_budget"])
    return {"records": [dict(record) for record in history], "groups": None if groups is None else asdict(groups)}
