"""The results of a comparison of samplers: summaries, JSON, and the file format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np

from vsenumba import html, storage
from vsenumba.errors import unknown_name
from vsenumba.storage import schema
from vsenumba.training.history import History

_SETTINGS = schema.Object({"metric": schema.Text()})
_SIZES = ("n_labels", "n_train_pairs", "n_test_pairs")
_GROUPS = schema.Object(
    {
        "by": schema.Text(),
        "metric": schema.Text(),
        "names": schema.ListOf(schema.Text(), size="n_groups"),
        **{name: schema.ListOf(schema.Whole(), size="n_groups") for name in _SIZES},
        "values": schema.Object({}, each=schema.ListOf(schema.ListOf(schema.Number(), size="n_groups"))),
    }
)
_RUN = {"sampler": schema.Text(), "loss": schema.Text(), "seed": schema.Whole()}


@dataclass(frozen=True, repr=False)
class Run:
    """One training run of a comparison.

    Attributes
    ----------
    sampler, loss : str
        The names of the sampler and the loss.
    seed : int
        The number of the seed, from 0.
    history : History
        One record per epoch, with each metric on the test half, and ``validation_<metric>`` on the validation half.

    Examples
    --------
    >>> import vsenumba as vse
    >>> history = vse.History()
    >>> for epoch, mrr in enumerate([0.2, 0.5, 0.4], start=1):
    ...     history.append({"epoch": epoch, "seconds": 2.0 * epoch, "mrr": mrr, "validation_mrr": mrr})
    >>> run = vse.Run("uniform", "logistic", 0, history)
    >>> run.best_epoch("mrr"), run.best("mrr"), run.seconds_to("mrr", 0.3)
    (1, 0.5, 4.0)
    """

    sampler: str
    loss: str
    seed: int
    history: History

    def __repr__(self) -> str:
        return f"<Run of {self._settings()}, {len(self.history)} epoch{'s' * (len(self.history) != 1)}>"

    def _repr_html_(self) -> str:
        return html.panel("Run", self._settings(), html.Html(self.history._repr_html_()))

    def _settings(self) -> str:
        return f"{self.sampler}, loss {self.loss}, seed {self.seed}"

    def best_epoch(self, metric: str) -> int:
        """Return the position of the epoch that is best on the validation half, from 0."""
        return int(np.argmax(self.history[f"validation_{metric}"]))

    def best(self, metric: str) -> float:
        """Return the value of the metric on the test half at the best epoch; see `best_epoch`."""
        return float(self.history[metric][self.best_epoch(metric)])

    def seconds_to(self, metric: str, value: float) -> float | None:
        """Return the training seconds until the metric on the test half first reached `value`, or None if never."""
        reached = np.flatnonzero(self.history[metric] >= value)
        return float(self.history["seconds"][reached[0]]) if len(reached) else None


@dataclass(frozen=True, repr=False)
class Comparison:
    """The runs of several samplers on one split of one data set.

    `compare` returns such an object, and `load` reads one from a file.

    Attributes
    ----------
    runs : list of Run
        One run per sampler and seed.
    references : dict
        The test metrics of the reference models, which are not trained by steps:
        ``{"EASE": {"mrr": 0.7, ...}, ...}``.
    settings : dict
        The data, the split and the parameters, as JSON values. ``settings["metric"]`` is the metric that chose the
        best epochs.
    groups : dict or None
        The results for groups of labels, as JSON values; None unless `compare` was called with ``by="popularity"``.

        - ``by`` is ``"popularity"``, and ``names`` lists the names of the groups.
        - ``n_labels``, ``n_train_pairs`` and ``n_test_pairs`` have one number per group; see `GroupScores`. The test
          pairs are those of the test half.
        - ``metric`` is the metric of the values. It is the metric of the comparison if that is defined for every
          pair. Otherwise (AUC, PSP@k, PSnDCG@k and coverage@k) it is MRR.
        - ``values`` maps each sampler to one list per seed, and each reference model to one list. A list has one
          number per group: the mean of the metric over the group's pairs, at the best epoch of the run.

    Examples
    --------
    >>> import vsenumba as vse
    >>> def history(*values):
    ...     made = vse.History()
    ...     for epoch, mrr in enumerate(values, start=1):
    ...         made.append({"epoch": epoch, "seconds": float(epoch), "mrr": mrr, "validation_mrr": mrr})
    ...     return made
    >>> runs = [
    ...     vse.Run("warp", "warp", 0, history(0.1, 0.2, 0.4)),
    ...     vse.Run("adaptive", "logistic", 0, history(0.4, 0.6)),
    ... ]
    >>> comparison = vse.Comparison(runs, {}, {"metric": "mrr"})
    >>> comparison.samplers
    ['warp', 'adaptive']
    >>> comparison.speed_up("adaptive", "warp")
    [3.0]
    """

    runs: Sequence[Run]
    references: Mapping[str, Mapping[str, float]]
    settings: Mapping[str, Any]
    groups: Mapping[str, Any] | None = None

    def __repr__(self) -> str:
        lines = [f"\n  {name}  {value:.4f}" for name, value in self.medians().items()]
        return f"<Comparison of {self._sizes()}, best {self.metric}{''.join(lines)}>"

    def _repr_html_(self) -> str:
        best, metric = self.medians(), self.metric
        curves = {sampler: self.runs_of(sampler)[0].history[metric] for sampler in self.samplers}
        low, high = (float(end([np.nan, *np.concatenate([*curves.values()])])) for end in (np.nanmin, np.nanmax))
        rows: list[tuple[Any, ...]] = []
        for sampler in self.samplers:
            runs = self.runs_of(sampler)
            values = [run.best(metric) for run in runs]
            # None stands for a best that is not a number, and becomes NaN.
            seconds = np.array([run.seconds_to(metric, value) for run, value in zip(runs, values, strict=True)], float)
            span = f"{min(values):.4f} to {max(values):.4f}" if len(runs) > 1 else ""
            curve = html.curve(curves[sampler], low=low, high=high)
            rows.append((sampler, best[sampler], span, float(np.median(seconds)), curve))
        rows += [
            (html.Html(f"<em>{html.text(name)}</em>"), value) for name, value in self.reference_values(metric).items()
        ]
        head = ("sampler", f"best {metric}", "range of seeds", "seconds to best", f"{metric} by epoch")
        return html.panel("Comparison", self._sizes(), html.table(rows, head))

    def _sizes(self) -> str:
        n_runs, n_samplers = len(self.runs), len(self.samplers)
        return f"{n_samplers} sampler{'s' * (n_samplers != 1)}, {n_runs} run{'s' * (n_runs != 1)}"

    def medians(self) -> dict[str, float]:
        """Return each sampler's best value of the metric, the median over its seeds."""
        return {name: float(np.median([run.best(self.metric) for run in self.runs_of(name)])) for name in self.samplers}

    @property
    def metric(self) -> str:
        """The metric that chose the best epochs."""
        return str(self.settings["metric"])

    @property
    def samplers(self) -> list[str]:
        """The names of the samplers, in the order of their first runs."""
        return list(dict.fromkeys(run.sampler for run in self.runs))

    @property
    def warp(self) -> str | None:
        """The name of the first WARP sampler, whatever its parameters, or None if there is none."""
        return next((sampler for sampler in self.samplers if sampler.split(" ")[0] == "warp"), None)

    def runs_of(self, sampler: str) -> list[Run]:
        """Return the runs of one sampler, in the order of their seeds.

        Parameters
        ----------
        sampler : str
            A name from `samplers`.

        Returns
        -------
        list of Run

        Raises
        ------
        UnknownNameError
            If there is no run of that sampler.
        """
        if sampler not in self.samplers:
            raise unknown_name("sampler", sampler, self.samplers)
        return [run for run in self.runs if run.sampler == sampler]

    def histories(self) -> dict[str, list[History]]:
        """Return the histories of the runs of each sampler, for `vse.plot.convergence`."""
        return {sampler: [run.history for run in self.runs_of(sampler)] for sampler in self.samplers}

    def reference_values(self, metric: str) -> dict[str, float]:
        """Return the value of a metric for each reference model for which it is defined."""
        return {name: float(values[metric]) for name, values in self.references.items() if metric in values}

    def seconds_to_reach(self, sampler: str, rival: str) -> list[float | None]:
        """Return how long one sampler needed to reach the best value of another.

        Parameters
        ----------
        sampler : str
            The sampler whose time is measured.
        rival : str
            The sampler whose best value has to be reached.

        Returns
        -------
        list of float or None
            Training seconds, one number per seed; None if the sampler never reached the value.
        """
        pairs = zip(self.runs_of(sampler), self.runs_of(rival), strict=True)
        return [run.seconds_to(self.metric, other.best(self.metric)) for run, other in pairs]

    def lowest_best(self) -> float:
        """Return the lowest best value of all runs, which every run has reached."""
        return min(run.best(self.metric) for run in self.runs)

    def speed_up(self, sampler: str, rival: str) -> list[float | None]:
        """Return by what factor one sampler reached the best value of another sooner than that sampler itself.

        Parameters
        ----------
        sampler : str
            The sampler whose speed-up is measured.
        rival : str
            The sampler that it is compared with.

        Returns
        -------
        list of float or None
            One factor per seed; above 1 if `sampler` was faster, None if it never reached the rival's best value.
        """
        own = [run.seconds_to(self.metric, run.best(self.metric)) for run in self.runs_of(rival)]
        reached = self.seconds_to_reach(sampler, rival)
        # The time of the rival is never None, because a run reaches its own best value.
        return [None if mine is None else float(theirs or 0) / mine for mine, theirs in zip(reached, own, strict=True)]

    def to_json(self) -> dict[str, Any]:
        """Return the settings, references, groups, and each sampler's summary and curves as JSON values."""
        samplers = {}
        for sampler in self.samplers:
            runs = self.runs_of(sampler)
            rivals = [other for other in self.samplers if other != sampler]
            best = [run.best(self.metric) for run in runs]
            samplers[sampler] = {
                "loss": runs[0].loss,
                "best": _spread(best),
                "seconds_to_reach_best_of": {rival: self.seconds_to_reach(sampler, rival) for rival in rivals},
                "speed_up_against_warp": _spread(self.speed_up(sampler, self.warp)) if self.warp else None,
                "steps_per_second": _spread([run.history[-1]["steps"] / run.history[-1]["seconds"] for run in runs]),
                "runs": [
                    {
                        "seed": run.seed,
                        "best": run.best(self.metric),
                        "best_epoch": int(run.history[run.best_epoch(self.metric)]["epoch"]),
                        "curve": {name: column.tolist() for name, column in run.history.to_columns().items()},
                    }
                    for run in runs
                ],
            }
        references = {name: dict(values) for name, values in self.references.items()}
        groups = {} if self.groups is None else {"groups": dict(self.groups)}
        return {"settings": dict(self.settings), "references": references, **groups, "samplers": samplers}

    def save(self, path: str | PathLike[str]) -> None:
        """Write the runs to a vsenumba ``.h5`` file.

        Parameters
        ----------
        path : str or path-like
            The file; an existing file is replaced. The format is described in ``docs/reference/file-format.md``.

        Raises
        ------
        InputError
            If the file cannot be written.
        """
        runs = {
            str(i): {
                "run": storage.Json({"sampler": run.sampler, "loss": run.loss, "seed": run.seed}),
                "history": run.history.to_columns(),
            }
            for i, run in enumerate(self.runs)
        }
        elements = {
            "settings": storage.Json(dict(self.settings)),
            "references": storage.Json({name: dict(values) for name, values in self.references.items()}),
            "runs": runs,
        }
        if self.groups is not None:
            elements["groups"] = storage.Json(dict(self.groups))
        storage.write_file(path, "runs", elements)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Comparison:
        """Read a comparison from a file that `save` wrote.

        Parameters
        ----------
        path : str or path-like
            The file.

        Returns
        -------
        Comparison

        Raises
        ------
        FileFormatError
            If the file does not contain runs, is damaged, or was written by a newer version of vsenumba.
        """
        elements = storage.read_file(path, "runs").elements
        with storage.content_of(path):
            schema.check(schema.Elements({"settings": _SETTINGS}), elements)
            schema.check(_runs_schema(elements["settings"]["metric"]), elements)
        runs = [
            Run(**{name: one["run"][name] for name in _RUN}, history=History.from_columns(one["history"]))
            for one in elements["runs"].values()
        ]
        return cls(runs, elements["references"], elements["settings"], elements.get("groups"))


def _runs_schema(metric: str) -> schema.Spec:
    """Return the schema of a file of runs, apart from its settings."""
    # Speeds are divided by the seconds, so these must be positive.
    records = (("epoch", 1), ("seconds", 1e-9), ("steps", 0), (metric, None), (f"validation_{metric}", None))
    columns = {
        name: schema.Array(schema.NUMBERS, ("later_epochs+1",), least=least, finite=least is not None)
        for name, least in records
    }
    history = schema.Columns("later_epochs+1", columns)
    return schema.Elements(
        {
            "references": schema.Each(schema.Object({metric: schema.Number()}, each=schema.Number())),
            "groups": schema.Optional(_GROUPS),
            "runs": schema.Each(schema.Elements({"run": schema.Object(_RUN), "history": history}), own_sizes=True),
        }
    )


def _spread(values: Sequence[float | None]) -> dict[str, Any]:
    """Return the median and range of the known values, how many are known, and how many there are in all."""
    known = [value for value in values if value is not None]
    summary = {"median": None, "min": None, "max": None} if not known else {
        "median": float(np.median(known)), "min": min(known), "max": max(known),
    }  # fmt: skip
    return summary | {"n": len(known), "of": len(values)}
