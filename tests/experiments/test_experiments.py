"""Comparisons: the same split for all, the choosing half apart from the reporting half, files, summaries."""

from __future__ import annotations

import json

import numpy as np
import pytest
from golden_files import golden_path

import vsenumba as vse
from vsenumba.experiments.compare_samplers import split_for_comparison

SMALL = {"n_factors": 4, "n_threads": 1, "n_epochs": 3, "n_seeds": 2}


@pytest.fixture(scope="module")
def data():
    return vse.synthetic(200, 30, 1200, rng=0)


@pytest.fixture(scope="module")
def compared(data):
    return vse.compare(data, samplers=["uniform", "popularity"], **SMALL)


def history(values, seconds=None, metric="mrr"):
    made = vse.History()
    for epoch, value in enumerate(values):
        when = float(epoch + 1) if seconds is None else seconds[epoch]
        made.append(
            {"epoch": epoch + 1, "seconds": when, "steps": 10, metric: value, f"validation_{metric}": -abs(value - 0.5)}
        )
    return made


def test_one_run_per_sampler_and_seed(compared):
    comparison, _ = compared
    assert [(run.sampler, run.seed) for run in comparison.runs] == [
        ("uniform", 0), ("popularity", 0), ("uniform", 1), ("popularity", 1),
    ]  # fmt: skip
    assert all(len(run.history) == 3 for run in comparison.runs)
    assert set(comparison.references) == {"popularity ranking", "EASE"}
    assert {"mrr", "validation_mrr", "recall@5", "recall@10", "auc"} <= set(comparison.runs[0].history.columns)


def test_the_model_that_is_kept_knows_all_pairs_and_what_its_run_reached(compared, data):
    """Found 2026-11: it was the measured one, which suggests labels that images have."""
    comparison, model = compared
    best = max(comparison.runs, key=lambda run: run.history["validation_mrr"].max())
    measured = model.provenance_["measured"]
    assert str(model.sampler) == best.sampler
    assert measured["metrics"]["mrr"] == pytest.approx(best.best("mrr"))
    assert measured["n_epochs"] == len(model.history_) == best.best_epoch("mrr") + 1
    assert measured["n_pairs"] == comparison.settings["data"]["n_test_pairs"]
    assert model.seen_ is data
    suggested = model.annotate(data.image_ids, n=2)
    assert not any(
        match.name in data.labels_of(image)
        for image, matches in zip(data.image_ids, suggested, strict=True)
        for match in matches
    )


def test_the_halves_share_no_pair_and_cover_all(data):
    split = split_for_comparison(data, 3)
    again = split_for_comparison(data, 3)
    assert np.array_equal(split.chooses, again.chooses)
    assert split.train.n_pairs + split.held_out.n_pairs == data.n_pairs
    assert 0.3 < split.chooses.mean() < 0.7


def test_files_and_json_hold_the_same(compared, tmp_path):
    comparison, _ = compared
    comparison.save(tmp_path / "runs.h5")
    loaded = vse.Comparison.load(tmp_path / "runs.h5")
    assert json.loads(json.dumps(loaded.to_json())) == json.loads(json.dumps(comparison.to_json()))
    assert loaded.histories() == comparison.histories()
    with pytest.raises(vse.FileFormatError):
        vse.load_model(tmp_path / "runs.h5")


def test_a_file_of_runs_of_version_1_still_loads():
    comparison = vse.Comparison.load(golden_path("runs", 1))
    assert comparison.runs_of("adaptive")[0].best("mrr") == 0.25
    assert comparison.reference_values("mrr") == {"EASE": 0.75}


def test_the_best_value_is_of_the_epoch_that_the_other_half_chose():
    run = vse.Run("uniform", "logistic", 0, history([0.2, 0.5, 0.9]))
    assert run.best_epoch("mrr") == 1
    assert run.best("mrr") == 0.5
    assert run.seconds_to("mrr", 0.5) == 2.0
    assert run.seconds_to("mrr", 0.95) is None


def test_speed_up_is_how_many_times_sooner_the_rivals_best_was_reached():
    runs = [
        vse.Run("warp", "warp", 0, history([0.1, 0.3, 0.5], seconds=[4.0, 8.0, 12.0])),
        vse.Run("adaptive", "logistic", 0, history([0.2, 0.5, 0.6], seconds=[1.0, 2.0, 3.0])),
        vse.Run("warp", "warp", 1, history([0.5], seconds=[4.0])),
        vse.Run("adaptive", "logistic", 1, history([0.4], seconds=[1.0])),
    ]
    comparison = vse.Comparison(runs, {}, {"metric": "mrr"})
    assert comparison.seconds_to_reach("adaptive", "warp") == [2.0, None]
    assert comparison.speed_up("adaptive", "warp") == [6.0, None]
    assert comparison.speed_up("warp", "warp") == [1.0, 1.0]
    spread = comparison.to_json()["samplers"]["adaptive"]["speed_up_against_warp"]
    assert spread == {"median": 6.0, "min": 6.0, "max": 6.0, "n": 1, "of": 2}
    with pytest.raises(vse.UnknownNameError, match="did you mean 'adaptive'"):
        comparison.runs_of("adaptve")


@pytest.mark.parametrize(("metric", "told"), [("recall@3", "recall@3"), ("psp@3", "mrr"), ("coverage@3", "mrr")])
def test_samplers_are_compared_by_popularity_at_their_best_epoch(data, tmp_path, metric, told):
    comparison, _ = vse.compare(
        data, samplers=["uniform", "warp"], metric=metric, by="popularity", **(SMALL | {"deterministic": True})
    )
    groups = comparison.groups
    assert (groups["by"], groups["metric"]) == ("popularity", told)
    assert list(groups["values"]) == ["uniform", "warp", "popularity ranking", "EASE"]
    assert [len(runs) for runs in groups["values"].values()] == [2, 2, 1, 1]
    # One test label an image: the mean over the pairs of all groups is that over the images.
    shares = np.array(groups["n_test_pairs"]) / comparison.settings["data"]["n_test_pairs"]
    for run in comparison.runs:
        value = run.history[told][run.best_epoch(metric)]
        assert shares @ groups["values"][run.sampler][run.seed] == pytest.approx(value)
    assert shares @ groups["values"]["EASE"][0] == pytest.approx(comparison.references["EASE"][told])
    assert sum(groups["n_train_pairs"]) <= comparison.settings["data"]["n_train_pairs"]
    comparison.save(tmp_path / "runs.h5")
    assert vse.Comparison.load(tmp_path / "runs.h5").to_json() == comparison.to_json()


def test_without_being_asked_nothing_is_compared_by_popularity(compared):
    assert compared[0].groups is None
    assert "groups" not in compared[0].to_json()


def test_a_time_budget_ends_every_run(data):
    comparison, _ = vse.compare(
        data, samplers=["uniform"], time_budget=0.02, **{**SMALL, "n_seeds": 1, "metric": "recall@3"}
    )
    assert comparison.runs[0].history["seconds"][-1] >= 0.02
    assert comparison.metric == "recall@3"
    assert comparison.settings["n_epochs"] is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"samplers": ["unifrom"]}, "did you mean 'uniform'"),
        ({"samplers": ["uniform", "uniform"]}, "each sampler can appear only once"),
        ({"metric": "mmr"}, "unknown metric 'mmr'"),
        ({"by": "label"}, "unknown by 'label'"),
        ({"n_seeds": 0}, "n_seeds must be a whole number"),
        ({"samplers": ["uniform"], "loss": "hing"}, "did you mean 'hinge'"),
    ],
)
def test_bad_arguments_are_refused_by_name(data, arguments, message):
    with pytest.raises(vse.VsenumbaError, match=message):
        vse.compare(data, **(SMALL | arguments))


def test_an_image_without_an_auc_does_not_spoil_the_mean():
    """An image whose only candidate is its test label has no AUC; it once made the mean NaN."""
    full = [["a", "b", "c", "d", "e"]]
    data = vse.AnnotationSet.from_lists(full * 4 + [["a", "b", "c"], ["b", "c", "d"], ["a", "c", "e"]] * 8)
    comparison, _ = vse.compare(data, samplers=["uniform"], **(SMALL | {"metric": "auc", "n_seeds": 1}))
    assert np.isfinite(comparison.runs[0].history["auc"]).all()
    assert np.isfinite(comparison.reference_values("auc")["EASE"])


def test_too_small_a_set_is_refused():
    with pytest.raises(vse.InputError, match="too small to compare samplers"):
        vse.compare(vse.AnnotationSet.from_pairs(["a", "b"], ["x", "y"]), **SMALL)


def test_a_set_of_which_nothing_could_be_learnt_once_a_label_is_held_out_is_refused():
    """Found 2026-11: it ended in what the reference model said of its test images."""
    data = vse.AnnotationSet.from_lists([["a", "b"]] * 6 + [["a", "c"]] * 6)
    with pytest.raises(vse.InputError, match="nothing can be learnt after one label .* try inputs 'ids'"):
        vse.compare(data, samplers=["uniform"], **SMALL)
    comparison, _ = vse.compare(data, samplers=["uniform"], inputs="ids", **SMALL)
    assert list(comparison.references) == ["popularity ranking"]


def test_what_is_not_defined_for_any_image_is_left_out(tmp_path):
    """Found 2026-11: AUC, where each label is held out or known, was NaN, and the comparison could not be saved."""
    data = vse.AnnotationSet.from_lists([["a", "b", "c"]] * 8 + [["a"]])
    with pytest.raises(vse.InputError, match="auc is not defined for these images, .* another metric, such as mrr"):
        vse.compare(data, samplers=["uniform"], inputs="ids", **(SMALL | {"metric": "auc"}))
    comparison, model = vse.compare(data, samplers=["uniform"], inputs="ids", **SMALL)
    assert comparison.reference_values("mrr") == {"popularity ranking": 1, "EASE": 1}
    assert comparison.reference_values("auc") == {}
    comparison.save(tmp_path / "runs.h5")
    assert vse.Comparison.load(tmp_path / "runs.h5").to_json()["references"] == comparison.to_json()["references"]
    model.save(tmp_path / "model.h5")
    assert vse.load_model(tmp_path / "model.h5").provenance_["measured"]["metrics"]["auc"] is None
