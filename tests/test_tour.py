"""One small tour of everything, as a user would walk it: what every pass of the tests runs against the wheel."""

from __future__ import annotations

import json

import numpy as np

import vsenumba as vse

FIT = ("--epochs", "1", "--factors", "4")


def test_images_and_labels(succeeds, folder):
    succeeds("data", "info", "tags.csv")
    succeeds("data", "import", "tags.csv", "-o", "set.h5")
    succeeds("fit", "set.h5", "-o", "m.h5", *FIT, "--sampler", "uniform", "--checkpoint-every", "1")
    assert "mrr" in succeeds("evaluate", "m.h5", "tags.csv").out
    assert "suggested label" in succeeds("annotate", "m.h5", "cat-1.jpg").out
    assert succeeds("find", "m.h5", "animal", "--include-known").out
    succeeds("export", "m.h5", "-o", "labels.npz")
    with np.load("labels.npz", allow_pickle=False) as archive:
        assert archive["factors"].shape == (len(archive["names"]), 4)
    succeeds("compare", "set.h5", "--out", "c", *FIT, "--seeds", "1", "--sampler", "uniform", "--sampler", "popularity")
    succeeds("plot", "c/runs.h5", "-o", "c/auc.svg", "--metric", "auc")
    succeeds("sampler", "show", "uniform", "--model", "m.h5", "--draws", "60", "-o", "law.png")
    assert {"convergence.png", "runs.h5", "model.h5", "auc.svg"} <= {path.name for path in (folder / "c").iterdir()}


def test_words(succeeds, folder):
    succeeds("words", "fit", "notes.txt", "-o", "w.h5", *FIT, "--min-count", "1", "--corpus", "c.h5")
    assert "cosine" in succeeds("words", "neighbors", "w.h5", "cat").out
    assert succeeds("words", "analogy", "w.h5", "man", "king", "woman").out
    assert "spearman" in succeeds("words", "evaluate", "w.h5", "EN-SIMLEX-999.txt", "questions-words.txt").out
    succeeds("export", "w.h5", "-o", "w.bin")
    assert len(vse.WordVectors.load_word2vec("w.bin")) == len(vse.load_model("w.h5").words_)


def test_images_and_captions(succeeds, folder):
    succeeds("retrieval", "import", "f30k_precomp", "-o", "f30k.h5")
    succeeds("retrieval", "fit", "f30k.h5", "-o", "r.h5", *FIT, "--min-count", "1", "--word-factors", "3")
    report = json.loads(succeeds("retrieval", "evaluate", "r.h5", "f30k.h5", "--json").out)
    assert 0 <= report["rsum"] <= 6
    assert "cosine" in succeeds("retrieval", "search", "r.h5", "f30k.h5", "a cat").out


def test_the_machine(succeeds):
    assert vse.__version__ in succeeds("info").out
