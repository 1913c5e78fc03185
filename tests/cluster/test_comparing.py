"""Comparisons, and searches for parameters, on a cluster: every run is a task, with one machine's results."""

from __future__ import annotations

import importlib.util
import os

import numpy as np
import pytest

import vsenumba as vse

distributed = pytest.importorskip("distributed")

# Dask's own tasks may still be pending when a loop ends, and sockets open.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SMALL = {"samplers": ["uniform", "popularity"], "n_factors": 4, "n_epochs": 3, "n_seeds": 2, "n_threads": 1}


@pytest.fixture(scope="module")
def data():
    return vse.synthetic(60, 12, 240, rng=0)


@pytest.mark.parametrize("by", [None, "popularity"])
def test_a_comparison_is_that_of_one_machine_but_for_its_seconds(client, data, by):
    heard = []
    comparison, model = vse.compare(data, **SMALL, by=by, client=client, after_run=heard.append)
    expected, expected_model = vse.compare(data, **SMALL, by=by)
    for one, other in zip(comparison.runs, expected.runs, strict=True):
        assert (one.sampler, one.loss, one.seed) == (other.sampler, other.loss, other.seed)
        assert one.history.columns == other.history.columns
        for name in set(one.history.columns) - {"seconds"}:
            np.testing.assert_array_equal(one.history[name], other.history[name], name)
    assert comparison.references == expected.references
    assert comparison.settings == expected.settings
    assert comparison.groups == expected.groups
    assert [(one.sampler, one.seed, one.run, one.n_runs) for one in heard] == [
        ("uniform", 0, 0, 4), ("popularity", 0, 1, 4), ("uniform", 1, 2, 4), ("popularity", 1, 3, 4)
    ]  # fmt: skip
    assert model.provenance_["measured"] == expected_model.provenance_["measured"]
    for name, table in expected_model.tables_.items():
        np.testing.assert_array_equal(model.tables_[name], table)


def test_runs_are_told_of_here_too(data):
    heard = []
    vse.compare(data, **SMALL, after_run=lambda progress: heard.append(progress.run))
    assert heard == [0, 1, 2, 3]


def test_a_time_budget_ends_runs_on_workers(client, data):
    budget = {name: value for name, value in SMALL.items() if name != "n_epochs"}
    comparison, _ = vse.compare(data, **budget, time_budget=0.01, client=client)
    for one in comparison.runs:
        assert one.history["seconds"][-1] >= 0.01
        assert (one.history["seconds"][:-1] < 0.01).all()


def test_a_run_that_fails_raises_its_error(client, data):
    with pytest.raises(vse.TrainingDivergedError, match="after epoch 1 at learning rate"):
        vse.compare(data, **SMALL, learning_rate=1e30, client=client)


class MySampler(vse.UniformSampler):
    name = "mine"


def test_what_cannot_travel_is_refused(client, data):
    with pytest.raises(vse.InputError, match="callbacks follow a run where it is trained.* give after_run instead"):
        vse.compare(data, **SMALL, callbacks=lambda progress: [], client=client)
    mine = SMALL | {"samplers": ["uniform", MySampler()]}
    with pytest.raises(vse.InputError, match="the sampler mine is of a class of your own, which workers do not have"):
        vse.compare(data, **mine, client=client)
    with pytest.raises(vse.InputError, match="client must be a distributed.Client"):
        vse.compare(data, **SMALL, client="tcp://1")


@pytest.mark.skipif(importlib.util.find_spec("matplotlib") is None, reason="compare draws a figure")
def test_the_command_compares_on_a_cluster(run, cluster, data, tmp_path):
    data.save(tmp_path / "set.h5")
    words = ["compare", tmp_path / "set.h5", "--sampler", "uniform", "--seeds", "2", "--epochs", "2", "--threads", "1"]
    for folder, more in (("alone", []), ("cluster", ["--scheduler", cluster.scheduler_address])):
        done = run(*words, "--factors", "4", "--out", tmp_path / folder, *more)
        assert done.status == 0, done.err
    alone, there = (vse.Comparison.load(tmp_path / folder / "runs.h5") for folder in ("alone", "cluster"))
    for one, other in zip(alone.runs, there.runs, strict=True):
        np.testing.assert_array_equal(one.history["mrr"], other.history["mrr"])
    assert alone.references == there.references


def test_scikit_learn_searches_for_parameters_on_a_cluster(client, data):
    """By joblib, which hands each fit to a worker."""
    joblib = pytest.importorskip("joblib")
    from sklearn.model_selection import GridSearchCV

    model = vse.ImageAnnotator(n_factors=4, n_epochs=2, n_threads=1, random_state=0)
    grid = {"sampler__lam": [0.05, 0.1], "l2": [0.001, 0.01]}
    expected = GridSearchCV(model, grid, cv=2).fit(data)
    with joblib.parallel_config("dask", client=client):
        search = GridSearchCV(model, grid, cv=2).fit(data)
        places = GridSearchCV(model, grid, cv=2, scoring=lambda fitted, X: os.getpid(), refit=False).fit(data)
    assert search.best_params_ == expected.best_params_
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"])
    pids = {places.cv_results_[f"split{i}_test_score"][j] for i in range(2) for j in range(4)}
    assert pids <= set(client.run(os.getpid).values())
