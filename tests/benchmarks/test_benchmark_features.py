"""The benchmark of features, on a set that is small."""

from __future__ import annotations

import json

import numpy as np

import vsenumba as vse


def test_it_writes_a_line_for_each_method(benchmark, tmp_path, capsys):
    rng = np.random.default_rng(0)
    kinds = rng.integers(0, 4, 120)
    data = vse.AnnotationSet.from_lists([[f"kind {k}", "all"] for k in kinds], [f"p{i}" for i in range(120)])
    data.with_features(np.eye(4)[kinds] + 0.1 * rng.normal(size=(120, 4))).save(tmp_path / "set.h5")
    benchmark("features").main([str(tmp_path / "set.h5"), "--seeds", "1", "--peers", "--out", str(tmp_path)])
    lines = {line["method"]: line for line in json.loads((tmp_path / "features.json").read_text())}
    assert {"features, 30 epochs", "1 nearest", "40 nearest", "logistic regression"} <= set(lines)
    assert lines["5 nearest"]["precision@1"] > 0.9
    assert lines["logistic regression"]["mrr"] > 0.9
    assert "features, 30 epochs" in capsys.readouterr().out


def test_sums_are_asked_about_pictures_with_tags_and_without(benchmark, tmp_path):
    rng = np.random.default_rng(0)
    kinds = rng.integers(0, 4, 80)
    data = vse.AnnotationSet.from_lists([[f"kind {k}", f"too {k}"] for k in kinds], [f"p{i}" for i in range(80)])
    data.with_features(np.eye(4)[kinds]).save(tmp_path / "set.h5")
    words = ["--seeds", "1", "--inputs", "features", "labels", "labels+features", "--epochs", "2", "9"]
    benchmark("features").main([str(tmp_path / "set.h5"), *words, "--out", str(tmp_path)])
    lines = json.loads((tmp_path / "features.json").read_text())
    assert [(line["method"], line["asked"]) for line in lines if "9" in line["method"]] == [
        ("features, 9 epochs", "without tags"),
        ("features, 9 epochs", "with tags"),
        ("labels, 9 epochs", "with tags"),
        ("labels+features, 9 epochs", "without tags"),
        ("labels+features, 9 epochs", "with tags"),
    ]
    assert len(lines) == 10
