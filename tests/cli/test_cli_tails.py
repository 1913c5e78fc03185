"""``evaluate --by`` and ``compare --by``: tables for people, all rows in JSON and in files."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

import vsenumba as vse


@pytest.fixture(scope="module")
def split():
    data = vse.synthetic(120, 40, 600, rng=0)
    train, test = vse.leave_one_out(data, rng=0)
    return train, test, vse.EaseAnnotator().fit(train)


@pytest.fixture
def files(split, folder):
    train, test, model = split
    test.save("test.h5")
    model.save("m.h5")
    return train, test, model


def test_labels_are_told_from_the_best_to_the_worst(files, succeeds):
    train, test, model = files
    scores = vse.evaluate(model, test, exclude=train, metrics=("mrr", "auc"), by="label")
    words = ("evaluate", "m.h5", "test.h5", "--metric", "mrr", "--metric", "auc", "--by", "label")
    document = json.loads(succeeds(*words, "--json").out)
    assert document["metrics"] == pytest.approx(scores.mean)
    assert document["macro_mean"] == pytest.approx(scores.groups.macro_mean)
    assert document["by"] == "label"
    values = [row["mrr"] for row in document["groups"]]
    assert values == sorted(values, reverse=True)
    assert {row["label"]: row["mrr"] for row in document["groups"]} == pytest.approx(
        dict(zip(scores.groups.names, scores.groups.micro["mrr"], strict=True))
    )
    lines = succeeds(*words).out.splitlines()
    table = lines[lines.index("") + 1 :]
    table = table[table.index("") + 1 :]
    assert table[0].split() == ["label", "training", "pairs", "test", "pairs", "mrr", "auc"]
    shown = [line.split()[0] for line in (*table[1:6], *table[7:12])]
    ranked = [row["label"] for row in document["groups"]]
    assert shown == [*ranked[:5], *ranked[-5:]]
    assert table[6] == f"... {len(ranked) - 10} more"
    assert [line[:16].strip() for line in table[12:]] == ["mean over pairs", "mean over labels"]


def test_popularity_is_told_from_rare_to_common(files, succeeds):
    train, test, model = files
    groups = vse.evaluate(model, test, exclude=train, metrics=("mrr",), by="popularity").groups
    lines = succeeds("evaluate", "m.h5", "test.h5", "--metric", "mrr", "--by", "popularity").out.splitlines()
    rows = [line.split() for line in lines[-2 - len(groups.names) : -2]]
    assert [row[0] for row in rows] == groups.names
    assert [int(row[3].replace(",", "")) for row in rows] == groups.n_test_pairs.tolist()
    assert [row[4] for row in rows] == [f"{value:.3f}" for value in groups.micro["mrr"]]


def test_a_file_has_all_labels(files, succeeds, fails):
    _, test, _ = files
    outcome = succeeds("evaluate", "m.h5", "test.h5", "--by", "label", "-o", "labels.csv")
    n_labels = int((test.label_counts > 0).sum())
    assert (outcome.out, outcome.err) == ("", f"saved labels.csv: {n_labels} labels\n")
    rows = list(csv.DictReader(Path("labels.csv").read_text(encoding="utf-8").splitlines()))
    assert len(rows) == n_labels
    assert list(rows[0]) == ["label", "n_train_pairs", "n_test_pairs", "mrr", "recall@5", "recall@10", "auc"]
    assert sum(int(row["n_test_pairs"]) for row in rows) == test.n_pairs
    assert "--excel requires -o" in fails("evaluate", "m.h5", "test.h5", "--by", "label", "--excel", status=2)
    assert "-o and --json cannot be combined" in fails(
        "evaluate", "m.h5", "test.h5", "--by", "label", "-o", "l.csv", "--json", status=2
    )
    assert "-o requires --by label" in fails("evaluate", "m.h5", "test.h5", "-o", "l.csv", status=2)
    assert "it is also an input file" in fails("evaluate", "m.h5", "test.h5", "--by", "label", "-o", "test.h5")


def test_what_is_not_defined_is_left_out_of_the_file_and_last(folder, succeeds):
    """The image with all labels but one has no other candidate for an AUC."""
    data = vse.AnnotationSet.from_lists([["a", "b"], ["a"], ["b"], ["a", "b"]])
    vse.PopularityAnnotator().fit(data).save("m.h5")
    vse.AnnotationSet.from_pairs(["1"], ["b"]).save("test.h5")
    words = ("evaluate", "m.h5", "test.h5", "--metric", "auc", "--metric", "mrr", "--by", "label")
    assert json.loads(succeeds(*words, "--json").out)["groups"][0]["auc"] is None
    assert "undefined" in succeeds(*words).out
    succeeds(*words, "-o", "l.csv")
    assert Path("l.csv").read_text().splitlines()[1] == "b,3,1,,1.0000"


def test_without_unseen_pairs_nothing_is_scored_by_label(folder, succeeds, fails):
    vse.synthetic(60, 12, 240, rng=0).save("s.h5")
    succeeds("fit", "s.h5", "-o", "m.h5", "--epochs", "1", "--factors", "4", "--sampler", "uniform")
    for words in (("m.h5",), ("m.h5", "s.h5")):
        message = fails("evaluate", *words, "--by", "label")
        assert "--by label needs a SET with pairs that m.h5 was not trained on" in message


def test_fit_and_compare_take_propensity_scored_metrics(folder, succeeds):
    vse.synthetic(60, 12, 240, rng=0).save("s.h5")
    small = ("--epochs", "1", "--factors", "4", "--sampler", "uniform")
    outcome = succeeds("fit", "s.h5", "-o", "m.h5", "--metric", "psp@3", *small, "--json")
    assert 0 <= json.loads(outcome.out)["held_out"]["metrics"]["psp@3"] <= 1
    words = ("compare", "s.h5", "--out", "c", "--metric", "psndcg@3", "--by", "popularity", "--seeds", "1", *small)
    lines = succeeds(*words).out.splitlines()
    document = json.loads(Path("c/comparison.json").read_text(encoding="utf-8"))
    groups = document["groups"]
    start = lines.index("MRR by number of training images per label") + 2
    header, labels, pairs, *rows = (line.split() for line in lines[start : start + 6])
    assert header[:3] == ["sampler", "or", "model"]
    assert header[3:] == [name.replace(name.split("–")[0] + "–", "≤") for name in groups["names"]]
    assert labels[1:] == list(map(str, groups["n_labels"]))
    assert pairs[2:] == list(map(str, groups["n_test_pairs"]))
    assert rows[0] == ["uniform", *(f"{value:.3f}" for value in groups["values"]["uniform"][0])]
    assert [row[0] for row in rows] == ["uniform", "popularity", "EASE"]
    assert max(map(len, lines[start - 2 : start + 6])) <= 80
