"""Compare samplers on the same split with the same inputs; also report reference models."""

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

# The weight decay of EASE is the one of these that is best on the validation half.
_EASE_L2 = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0)

# With a time budget, the clock ends a run before the number of epochs does.
_ENDLESS = 1_000_000

_METRICS = ("recall@5", "recall@10", "mrr", "auc")


class Progress(NamedTuple):
    """The position of one run in a comparison, for a progress display.

    Attributes
    ----------
    sampler : str
        The sampler's name, with the parameters that differ from their defaults.
    seed : int
        The number of the seed, from 0.
    run : int
        The position of this run among all runs, from 0.
    n_runs : int
        The number of runs in the comparison.
    """

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
    """Return one unfitted model for each sampler of a comparison.

    This function only checks that each parameter exists, because you may set more parameters before the fit. `fit`
    checks their values and whether they go together.

    Parameters
    ----------
    samplers : sequence of Sampler or str, optional
        The samplers; all six with their default parameters if omitted. See `compare`.
    loss : Loss or str, optional
        One loss for all samplers. The default is ``"warp"`` for the WARP sampler and ``"logistic"`` for the others.
    inputs : {"labels", "ids"} or tuple of these
        How an image is represented.
    **parameters
        Further parameters of every `ImageAnnotator`. ``max_neighbours`` is 0 unless you set it.

    Returns
    -------
    list of ImageAnnotator
        The models, in the order of `samplers`.

    Raises
    ------
    InputError
        If a parameter does not exist, or two models are the same.

    Examples
    --------
    >>> [str(model.sampler) for model in models_to_compare(samplers=["uniform", "warp"], n_factors=8)]
    ['uniform', 'warp']
    """
    plain, nested = split_params(parameters)
    if "sampler" in plain:
        raise InputError("compare trains several samplers: list them in `samplers`")
    if isinstance(samplers, (str, Sampler)) or (samplers is not None and len(samplers) == 0):
        raise InputError(f"samplers must be a list of samplers or names, such as ['uniform', 'warp'], not {samplers!r}")
    # The weights between labels improve all samplers alike, which would hide the differences between them.
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
                # A parameter of one variant takes precedence over the one given for all.
                if own == getattr(type(model.member(name)), parameter, None) or not able:
                    model.set_params(**{f"{name}__{parameter}": value})
    names = [str(model.sampler) for model in models]
    if len(set(names)) < len(names):
        raise InputError(f"each sampler can appear only once in a comparison, found {', '.join(names)}")
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
    """Train several samplers on the same split and evaluate them after every epoch.

    The comparison holds out one label of every image, and divides the images into two random halves. The held-out
    labels of the validation half choose the best epoch of each run, and the weight decay of EASE. All reported values
    come from the test half. The reported training times do not include evaluation.

    Parameters
    ----------
    data : AnnotationSet
        All images with their labels.
    samplers : sequence of Sampler or str, optional
        The samplers; all six with their default parameters if omitted. A sampler may appear several times with
        different parameters. The results then list these parameters after its name.
    loss : Loss or str, optional
        One loss for all samplers. The default is ``"warp"`` for the WARP sampler and ``"logistic"`` for the others.
    inputs : {"labels", "ids"} or tuple of these
        How an image is represented, the same for all samplers. With ids, the default `learning_rate`, `l2` and
        `n_negatives` depend on the sampler and its loss. Set them to use the same values for all samplers.
    metric : str
        The metric that chooses the best epoch. Recall@5, recall@10, MRR and AUC are recorded as well.
    by : {"popularity"}, optional
        Also compare the samplers on groups of labels with similar numbers of training images; see
        `Comparison.groups`.
    n_epochs : int
        The number of epochs in each run. Ignored if there is a time budget.
    time_budget : float, optional
        The training time of each run, in seconds. A run finishes the epoch that it has begun. The learning rate then
        stays constant unless you set `schedule`.
    n_seeds : int
        The number of runs per sampler. The runs differ in their initial factors and in their draws, but not in the
        split.
    random_state : int
        The random seed of the split, at least 0. Run number s of a sampler has the seed ``random_state + s``.
    callbacks : callable, optional
        A function that receives a `Progress` and returns the callbacks of that run. Cannot be used with a client.
    after_run : callable, optional
        A function that is called with the `Progress` of each run after the run has ended.
    client : distributed.Client, optional
        A Dask cluster. Each run is one task and uses `n_threads` threads of a worker. With ``n_threads=1``, the
        results are the same as without a cluster.
    **parameters
        Further parameters of every `ImageAnnotator`. A nested parameter such as ``sampler__lam=0.1`` applies to the
        samplers that have it.

    Returns
    -------
    comparison : Comparison
        The runs, and the metrics of the reference models.
    model : ImageAnnotator
        The model with the sampler, the seed and the number of epochs that were best on the validation half. It is
        trained from scratch on all pairs. ``provenance_["measured"]`` has the metrics on the test half, measured
        while the held-out pairs were left out of the training.

    Raises
    ------
    InputError
        If no image has two labels, or a parameter cannot be used or cannot be sent to a cluster.
    ClusterError
        If the cluster cannot be used.

    Examples
    --------
    >>> import vsenumba as vse
    >>> data = vse.synthetic(100, 12, 400, rng=0)
    >>> comparison, model = vse.compare(data, samplers=["uniform", "popularity"], n_epochs=2, n_seeds=1)
    >>> [(run.sampler, len(run.history)) for run in comparison.runs]
    [('uniform', 2), ('popularity', 2)]
    >>> list(comparison.references)
    ['popularity ranking', 'EASE']
    """
    data = as_annotation_set(data, "data")
    if client is not None and callbacks is not None:
        raise InputError("callbacks cannot be used with a client, because workers train the runs; use after_run")
    if not is_whole(random_state, 0):
        raise InputError(f"random_state must be a whole number of at least 0, not {random_state!r}")
    if not is_whole(n_seeds):
        raise InputError(f"n_seeds must be a whole number of at least 1, not {n_seeds!r}")
    metrics = tuple(dict.fromkeys([metric, *_METRICS]))
    for one in metrics:
        parse_metric(one)
    if by is not None:
        check_choice("by", by, ["popularity"])
    if time_budget is not None:
        # The other schedules need the number of epochs, which is unknown here.
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
        raise InputError("the set is too small to compare samplers: at least two images need two labels each")
    why = why_nothing_can_be_learnt(split.train, inputs)
    if why is not None:
        raise InputError(f"nothing can be learnt after one label of each image is held out: {why}")
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
    """Return the test scores of the popularity model, and of EASE if it fits in memory and can learn anything."""
    popularity = recorder.scores(PopularityAnnotator().fit(split.train))
    if not all(np.isfinite(half.mean[recorder.metric]) for half in popularity):
        raise InputError(
            f"{recorder.metric} is not defined for these images, because each of them has every label it could get; "
            "choose another metric, such as mrr"
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
    """Return `Comparison.groups` from the group scores of all runs and reference models."""
    known = {name: [one for one in runs if one is not None] for name, runs in found.items()}
    # All runs rank the same pairs, so the groups of the first run hold for all.
    first = next((runs[0] for runs in known.values() if runs), None)
    if first is None:
        return None
    # AUC may be undefined for a whole group, and some metrics have no value per pair; MRR always has one.
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
