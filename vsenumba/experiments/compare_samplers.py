"""Compare samplers: same split, same inputs, same clock; reference models beside them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from sklearn.base import clone

from vsenumba.checks import check_choice, is_whole
from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.coercion import as_annotation_set
from vsenumba.errors import InputError
from vsenumba.evaluation import GroupScores, Scores, parse_metric
from vsenumba.experiments.comparison import Comparison, Run
from vsenumba.experiments.recorder import Recorder, Split, split_for_comparison
from vsenumba.experiments.runs import Recorded, runs_on_cluster, train_run
from vsenumba.losses import Loss, as_loss
from vsenumba.models import EaseAnnotator, ImageAnnotator, PopularityAnnotator
from vsenumba.models.learnable import why_nothing_can_be_learnt
from vsenumba.registry import split_params
from vsenumba.samplers import SAMPLERS, Sampler, as_sampler
from vsenumba.training.callbacks import Callback

if TYPE_CHECKING:
    from distributed import Client

# EASE's weight decay is chosen among these on the validation half.
_EASE_L2 = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0)

# With a time budget the clock ends a run, not the number of epochs.
_ENDLESS = 1_000_000

_METRICS = ("recall@5", "recall@10", "mrr", "auc")


class Progress(NamedTuple):
    """What `compare` is about to do, for a progress display."""

    sampler: str
    seed: int
    run: int
    n_runs: int


def models_to_compare(
    *,
    samplers: Sequence[Sampler | str] | None = None,
    loss: Loss | str | None = None,
    inputs: str | Sequence[str] = "labels",
    **parameters: Any,
) -> list[ImageAnnotator]:
    """Return a model for each sampler, not yet fitted; the arguments are those of `compare`.

    Raises
    ------
    InputError
        If a parameter cannot be set, or two models are the same. Whether all of a model's parameters go together is
        checked where it is fitted: more may be set before that.
    """
    plain, nested = split_params(parameters)
    if "sampler" in plain:
        raise InputError("compare trains several samplers: name them in `samplers`")
    if isinstance(samplers, (str, Sampler)) or (samplers is not None and len(samplers) == 0):
        raise InputError(f"samplers must be a list of samplers or names, such as ['uniform', 'warp'], not {samplers!r}")
    # What weights between labels add is the same for all samplers, and would hide what differs.
    plain = {"max_neighbours": 0} | plain
    models = []
    for sampler in map(as_sampler, SAMPLERS if samplers is None else samplers):
        its_loss = loss if loss is not None else "warp" if sampler.name == "warp" else "logistic"
        models.append(ImageAnnotator(inputs=inputs, sampler=sampler, loss=as_loss(its_loss), **plain))
    for name, changes in nested.items():
        for parameter, value in changes.items():
            able = [model for model in models if parameter.split("__")[0] in model.member(name).get_params(deep=False)]
            for model in able or models:
                own = getattr(model.member(name), parameter, None)
                # A variant's own value goes before one for all.
                if own == getattr(type(model.member(name)), parameter, None) or not able:
                    model.set_params(**{f"{name}__{parameter}": value})
    names = [str(model.sampler) for model in models]
    if len(set(names)) < len(names):
        raise InputError(f"each sampler can be compared once, found {', '.join(names)}")
    return models


def compare(
    data: AnnotationSet,
    *,
    samplers: Sequence[Sampler | str] | None = None,
    loss: Loss | str | None = None,
    inputs: str | Sequence[str] = "labels",
    metric: str = "mrr",
    by: str | None = None,
    n_epochs: int = 20,
    time_budget: float | None = None,
    n_seeds: int = 3,
    random_state: int = 0,
    callbacks: Callable[[Progress], Sequence[Callback]] | None = None,
    after_run: Callable[[Progress], object] | None = None,
    client: Client | None = None,
    **parameters: Any,
) -> tuple[Comparison, ImageAnnotator]:
    """Train every sampler on the same split, several times, and evaluate after every epoch outside the clock.

    One label of every image is left out. The left-out labels of one random half of the images choose the best epoch
    of a run and the weight decay of EASE; all values reported are of the other half.

    Parameters
    ----------
    data : AnnotationSet
        All pairs.
    samplers : sequence of Sampler or str, optional
        All six with their default parameters by default. One can stand there several times with other parameters; its
        name in the results then says which.
    loss : Loss or str, optional
        One loss for all. By default each sampler has its own: "warp" for the WARP sampler, "logistic" for the others.
    inputs : {"labels", "ids"} or tuple of these
        What stands for an image, the same for all. With ids what is left to its default suits each sampler and its
        loss, and so differs; name `learning_rate`, `l2` and `n_negatives` to have the same for all.
    metric : str
        What to compare by; recall@5, recall@10, mrr and auc are recorded too.
    by : {"popularity"}, optional
        Also compare by how many training images a label has: see `Comparison.groups`.
    n_epochs : int
        Epochs of a run, if there is no time budget.
    time_budget : float, optional
        Training seconds of a run; the epoch that is running is finished. The learning rate then stays constant.
    n_seeds : int
        Runs per sampler, which differ in their initial factors and draws; the split is the same.
    random_state : int
        Seeds the split; seed s of the runs is ``random_state + s``.
    callbacks : callable, optional
        Given a `Progress`, returns callbacks for the run that is about to start. Not with a client.
    after_run : callable, optional
        Called with the `Progress` of each run when it has ended.
    client : distributed.Client, optional
        A cluster. Every run is one of its tasks, with as many of a worker's threads as `n_threads` says; the results
        are the same where one machine's would be, with ``n_threads=1``. See ``docs/how-to/cluster.md``.
    **parameters
        Further parameters of every `ImageAnnotator`; ``sampler__lam=0.1`` and the like are of those that have it.

    Returns
    -------
    comparison : Comparison
        The runs and the reference models' values.
    model : ImageAnnotator
        To be kept: what was best on the validation half, trained afresh on all pairs, for as many epochs as were best.
        Its values on the test half, with which it has learnt from none of the held-out pairs, are in
        ``provenance_["measured"]``.

    Raises
    ------
    InputError
        If no image has two labels, or a parameter cannot be used, or not on a cluster.
    ClusterError
        If there is a client, and its cluster cannot work.
    """
    data = as_annotation_set(data, "data")
    if client is not None and callbacks is not None:
        raise InputError("callbacks follow a run where it is trained, and cannot on a cluster; give after_run instead")
    if not is_whole(random_state, 0):
        raise InputError(f"random_state must be a whole number >= 0, not {random_state!r}")
    if not is_whole(n_seeds):
        raise InputError(f"n_seeds must be a whole number of at least 1, not {n_seeds!r}")
    metrics = tuple(dict.fromkeys([metric, *_METRICS]))
    for one in metrics:
        parse_metric(one)
    if by is not None:
        check_choice("by", by, ["popularity"])
    if time_budget is not None:
        # A rate that falls with the epochs needs to know how many there will be.
        parameters = {"schedule": "constant"} | parameters
    models = models_to_compare(
        samplers=samplers,
        loss=loss,
        inputs=inputs,
        n_epochs=n_epochs if time_budget is None else _ENDLESS,
        **parameters,
    )
    for model in models:
        model.check_parameters()
    split = split_for_comparison(data, random_state)
    halves = [(split.held_out.labels_per_image > 0) & (split.chooses == half) for half in (True, False)]
    if not all(half.any() for half in halves):
        raise InputError("the set is too small to compare on: at least two images with two labels are needed")
    why = why_nothing_can_be_learnt(split.train, inputs)
    if why is not None:
        raise InputError(f"there is nothing to learn from once a label of each image is held out: {why}")
    n_threads = parameters.get("n_threads")
    recorder = Recorder(split, metric, metrics, by, n_threads)
    seeds = [seed for seed in range(int(n_seeds)) for _ in models]
    untrained = [
        clone(model).set_params(random_state=random_state + seed)
        for seed, model in zip(seeds, models * int(n_seeds), strict=True)
    ]
    all_progress = [
        Progress(str(model.sampler), seed, run, len(seeds))
        for run, (seed, model) in enumerate(zip(seeds, untrained, strict=True))
    ]
    recorded: Iterator[Recorded]
    if client is None:
        recorded = (
            train_run(model, split.train, recorder, time_budget, () if callbacks is None else callbacks(progress))
            for model, progress in zip(untrained, all_progress, strict=True)
        )
    else:
        told = {"random_state": random_state, "metric": metric, "metrics": metrics, "by": by, "n_threads": n_threads}
        recorded = runs_on_cluster(client, untrained, data, recorder, {**told, "time_budget": time_budget})
    references = _references(split, recorder)
    runs: list[Run] = []
    groups: dict[str, list[GroupScores | None]] = defaultdict(list)
    for model, progress, (history, its_groups) in zip(untrained, all_progress, recorded, strict=True):
        runs.append(Run(progress.sampler, str(model.loss), progress.seed, history))
        groups[progress.sampler].append(its_groups)
        if after_run is not None:
            after_run(progress)
    settings = {
        "metric": metric,
        "inputs": inputs,
        "n_epochs": None if time_budget is not None else n_epochs,
        "time_budget": time_budget,
        "n_seeds": int(n_seeds),
        "random_state": random_state,
        "parameters": {
            name: ImageAnnotator.PARAMETERS[name].to_json(value) if name in ImageAnnotator.PARAMETERS else value
            for name, value in parameters.items()
            if value is not None
        },
        "samplers": {str(model.sampler): repr(model.sampler) for model in models},
        "data": {
            "n_images": data.n_images,
            "n_labels": data.n_labels,
            "n_pairs": data.n_pairs,
            "n_train_pairs": split.train.n_pairs,
            "n_test_pairs": int(split.held_out.labels_per_image[~split.chooses].sum()),
            "sha256": data.digest(),
        },
    }
    groups |= {name: [scores.groups] for name, scores in references.items()}
    values = {name: _defined(scores.mean) for name, scores in references.items()}
    return Comparison(runs, values, settings, _as_groups(groups, metric)), recorder.deliver(data)


def _references(split: Split, recorder: Recorder) -> dict[str, Scores]:
    """Return the test scores of popularity and of EASE, where it fits in memory and some image has two labels."""
    popularity = recorder.scores(PopularityAnnotator().fit(split.train))
    if not all(np.isfinite(half.mean[recorder.metric]) for half in popularity):
        raise InputError(
            f"{recorder.metric} is not defined for these images: every label that they could have is one that they "
            "have; compare by another metric, such as mrr"
        )
    references = {"popularity ranking": popularity[1]}
    if split.train.labels_per_image.max() < 2:
        return references
    best = -np.inf
    for l2 in _EASE_L2:
        try:
            choosing, reporting = recorder.scores(EaseAnnotator(l2=l2).fit(split.train))
        except MemoryError:
            return {"popularity ranking": popularity[1]}
        if choosing.mean[recorder.metric] > best:
            best, references["EASE"] = choosing.mean[recorder.metric], reporting
    return references


def _defined(values: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in values.items() if np.isfinite(value)}


def _as_groups(found: Mapping[str, Sequence[GroupScores | None]], metric: str) -> dict[str, Any] | None:
    """Return what `Comparison.groups` holds of the groups of each sampler's runs and each reference model."""
    known = {name: [one for one in runs if one is not None] for name, runs in found.items()}
    # All runs rank the same pairs.
    first = next((runs[0] for runs in known.values() if runs), None)
    if first is None:
        return None
    # A group may have no pair with an AUC, and a metric that is not of pairs has no value.
    name = metric if metric in first.micro and metric != "auc" else "mrr"
    return {
        "by": first.by,
        "metric": name,
        "names": first.names,
        "n_labels": first.n_labels.tolist(),
        "n_train_pairs": first.n_train_pairs.tolist(),
        "n_test_pairs": first.n_test_pairs.tolist(),
        "values": {method: [one.micro[name].tolist() for one in runs] for method, runs in known.items()},
    }
