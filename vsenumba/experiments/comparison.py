"""A comparison: the runs of several samplers, what they reached and when; as a table, as JSON and as a file."""

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
    """One training run: a sampler and a loss, a seed, and its curve.

    Attributes
    ----------
    sampler, loss : str
        Names of the sampler and the loss.
    seed : int
        Number of the seed, from 0.
    history : History
        The training record, with each metric on the test half, and ``validation_<metric>`` on the other.
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
        """Return the position of the epoch that is best on the validation half."""
        return int(np.argmax(self.history[f"validation_{metric}"]))

    def best(self, metric: str) -> float:
        """Return the metric on the test half, at the epoch that is best on the validation half."""
        return float(self.history[metric][self.best_epoch(metric)])

    def seconds_to(self, metric: str, value: float) -> float | None:
        """Return the training seconds after which the metric on the test half first reached a value, None if never."""
        reached = np.flatnonzero(self.history[metric] >= value)
        return float(self.history["seconds"][reached[0]]) if len(reached) else None


@dataclass(frozen=True, repr=False)
class Comparison:
    """Runs of several samplers on one split of one data set.

    Attributes
    ----------
    runs : list of Run
        One per sampler and seed.
    references : dict
        Metrics on the test half of models that are not trained by steps: ``{"ease": {"mrr": ...}, ...}``.
    settings : dict
        The data, the split and the parameters, as JSON values; ``settings["metric"]`` is the metric compared by.
    groups : dict or None
        What `compare` was asked for by popularity, as JSON values. ``by``, ``names`` of the groups, and of each group
        ``n_labels``, ``n_train_pairs``, ``n_test_pairs`` are those of `GroupScores`, on the test half. ``values`` has
        for every sampler a list per seed, and for every reference model one list: of each group the mean of ``metric``
        over its pairs, at the epoch that is best on the validation half. That metric is the one compared by if it is
        defined for every pair; for auc, psp@k, psndcg@k and coverage@k it is mrr.
    """

    runs: Sequence[Run]
    references: Mapping[str, Mapping[str, float]]
    settings: Mapping[str, Any]
    groups: Mapping[str, Any] | None = None

    def __repr__(self) -> str:
        lines = [f"\n  {name}  {value:.4f}" for name, value in self._medians().items()]
        return f"<Comparison of {self._sizes()}, best {self.metric}{''.join(lines)}>"

    def _repr_html_(self) -> str:
        best, metric = self._medians(), self.metric
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

    def _medians(self) -> dict[str, float]:
        """Return each sampler's median best."""
        return {name: float(np.median([run.best(self.metric) for run in self.runs_of(name)])) for name in self.samplers}

    @property
    def metric(self) -> str:
        """The metric compared by."""
        return str(self.settings["metric"])

    @property
    def samplers(self) -> list[str]:
        """The names of the samplers, in the order of their runs."""
        return list(dict.fromkeys(run.sampler for run in self.runs))

    @property
    def warp(self) -> str | None:
        """The name of the first sampler that is WARP, of whatever parameters; None where there is none."""
        return next((sampler for sampler in self.samplers if sampler.split(" ")[0] == "warp"), None)

    def runs_of(self, sampler: str) -> list[Run]:
        """Return a sampler's runs, by seed."""
        if sampler not in self.samplers:
            raise unknown_name("sampler", sampler, self.samplers)
        return [run for run in self.runs if run.sampler == sampler]

    def histories(self) -> dict[str, list[History]]:
        """Return the curves of each sampler, as `vse.plot.convergence` accepts them."""
        return {sampler: [run.history for run in self.runs_of(sampler)] for sampler in self.samplers}

    def reference_values(self, metric: str) -> dict[str, float]:
        """Return each reference model's value of a metric, where it is defined."""
        return {name: float(values[metric]) for name, values in self.references.items() if metric in values}

    def seconds_to_reach(self, sampler: str, rival: str) -> list[float | None]:
        """Return, seed by seed, the seconds a sampler took to reach a rival's best; None where it never did."""
        pairs = zip(self.runs_of(sampler), self.runs_of(rival), strict=True)
        return [run.seconds_to(self.metric, other.best(self.metric)) for run, other in pairs]

    def lowest_best(self) -> float:
        """Return the lowest of all runs' bests: a value of the metric that every run reached."""
        return min(run.best(self.metric) for run in self.runs)

    def speed_up(self, sampler: str, rival: str) -> list[float | None]:
        """Return, seed by seed, how many times sooner than the rival itself a sampler reached the rival's best."""
        own = [run.seconds_to(self.metric, run.best(self.metric)) for run in self.runs_of(rival)]
        reached = self.seconds_to_reach(sampler, rival)
        # A run always reaches its own best.
        return [None if mine is None else float(theirs or 0) / mine for mine, theirs in zip(reached, own, strict=True)]

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON values: settings, references, groups, each sampler's summary and curves."""
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
        """Write the runs to a native ``.h5`` file; see ``docs/reference/file-format.md``."""
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
        """Read what `save` wrote.

        Raises
        ------
        FileFormatError
            If the file does not hold runs, is damaged, or comes from a newer version of this package.
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
    """Return what a file of runs that are compared by a metric holds beside its settings."""
    # Speeds are shares of the seconds, of which a run takes some.
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
    """Return the median and the range over the seeds where there is a value, and how many these are."""
    known = [value for value in values if value is not None]
    summary = {"median": None, "min": None, "max": None} if not known else {
        "median": float(np.median(known)), "min": min(known), "max": max(known),
    }  # fmt: skip
    return summary | {"n": len(known), "of": len(values)}
