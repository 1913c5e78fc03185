"""``vsenumba retrieval``: import, fit, evaluate, search; what goes wrong ends in one line."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest

import vsenumba as vse

QUICK = ["--epochs", "2", "--factors", "4", "--word-factors", "3", "--min-count", "1", "--threads", "1"]


def test_import_fit_evaluate_search(succeeds, folder):
    outcome = succeeds("retrieval", "import", "f30k_precomp", "-o", "f30k.h5")
    assert outcome.out == (
        "saved f30k.h5: 12 images of 3 rows of 6 numbers, 24 captions\n"
        "parts: dev 4 images, test 4 images, train 4 images\n"
    )
    outcome = succeeds("retrieval", "fit", "f30k.h5", "-o", "m.h5", *QUICK)
    assert outcome.out.startswith("trained  2 epochs on 4 images and 8 captions in ")
    assert "which has the highest validation rsum" in outcome.out
    assert "vsenumba retrieval evaluate m.h5 f30k.h5" in outcome.err
    outcome = succeeds("retrieval", "evaluate", "m.h5", "f30k.h5")
    assert outcome.out.startswith("4 images, 8 captions, rsum ")
    assert "caption to images" in outcome.out
    report = json.loads(succeeds("retrieval", "evaluate", "m.h5", "f30k.h5", "--folds", "2", "--json").out)
    assert report["folds"] == 2
    assert 0 <= report["rsum"] <= 6
    found = json.loads(succeeds("retrieval", "search", "m.h5", "f30k.h5", "a cat", "-n", "3", "--json").out)
    assert len(found) == 3
    assert found[0]["score"] >= found[1]["score"]


def test_export_embeds_a_set(succeeds, fails, folder):
    succeeds("retrieval", "fit", "pictures.h5", "-o", "m.h5", *QUICK)
    model, data = vse.load_model("m.h5"), vse.CaptionSet.load("pictures.h5")
    for what, names, vectors in (
        ((), data.image_ids, model.embed_images(data)),
        (("--what", "captions"), data.caption_ids, model.embed_captions(data)),
    ):
        succeeds("export", "m.h5", "--data", "pictures.h5", "-o", "e.npz", *what)
        with np.load("e.npz", allow_pickle=False) as archive:
            assert archive["names"].tolist() == list(names)
            np.testing.assert_array_equal(archive["factors"], vectors)
    assert data.caption_ids[0] == f"{data.image_ids[0]}#0"
    assert "pass the set to embed as data" in fails("export", "m.h5", "-o", "e.npz")
    assert "is a model of images and captions and has no vectors of labels; use --what images or captions" in fails(
        "export", "m.h5", "-o", "e.npz", "--data", "pictures.h5", "--what", "labels"
    )


def test_fit_takes_every_option(succeeds, folder):
    vectors = vse.WordVectors(["red", "car"], np.ones((2, 3)))
    vectors.save_word2vec("vectors.txt")
    report = json.loads(
        succeeds(
            "retrieval", "fit", "pictures.h5", "-o", "m.h5", *QUICK, "--image-projection", "linear", "--image-pooling",
            "adpool", "--caption-pooling", "mean", "--objective", "lseh", "--batch-size", "4", "--learning-rate",
            "0.01", "--schedule", "cosine", "--warmup-epochs", "0", "--row-dropout", "0", "--words", "vectors.txt",
            "--part", "train", "--validation", "test", "--checkpoint-every", "1", "--json",
        ).out
    )  # fmt: skip
    assert report["n_images"] == 4
    model = vse.load_model("m.h5")
    assert (model.objective, model.image_pooling, model.schedule, model.n_epochs) == ("lseh", "adpool", "cosine", 2)


def test_patience_stops_and_needs_a_validation_part(succeeds, fails, folder):
    report = json.loads(
        succeeds(
            "retrieval", "fit", "f30k_precomp", "-o", "m.h5", *QUICK, "--epochs", "50", "--learning-rate", "1e-9",
            "--patience", "2", "--json",
        ).out
    )  # fmt: skip
    assert report["n_epochs"] == report["best_epoch"] + 2 < 50
    arguments = ["retrieval", "fit", "pictures.h5", "-o", "m.h5", *QUICK, "--patience", "2"]
    assert "name one with --validation" in fails(*arguments)


def test_a_checkpoint_is_resumed(succeeds, folder):
    pictures = vse.CaptionSet.load("pictures.h5")
    settings = {"n_factors": 4, "word_factors": 3, "min_count": 1, "n_epochs": 3, "random_state": 0}
    stop = [vse.Checkpoint("m.h5"), lambda model, record: True]
    vse.CrossModalRetriever(**settings).fit(pictures.part("train"), callbacks=stop)
    outcome = succeeds("retrieval", "fit", "pictures.h5", "-o", "m.h5", "--resume")
    assert outcome.out.startswith("trained  3 epochs")
    assert "the last epoch is kept" in outcome.err


def test_search_names_the_words_that_say_nothing(succeeds, folder):
    with warnings.catch_warnings():
        warnings.simplefilter("default")  # in the tests they are errors
        outcome = succeeds("retrieval", "search", "retriever.h5", "pictures.h5", "a red xyzzy")
    assert outcome.err == "warning: the model does not know 'xyzzy'; treating it as a rare word\n"


def test_search_shows_pictures(succeeds, folder):
    outcome = succeeds("retrieval", "search", "retriever.h5", "pictures.h5", "a red car", "--sheet", "found.png")
    assert outcome.out.endswith("saved found.png\n")
    assert Path("found.png").read_bytes().startswith(b"\x89PNG")
    outcome = succeeds("retrieval", "search", "retriever.h5", "pictures.h5", "--image", "noto/1f697", "-n", "2")
    assert outcome.out.startswith("caption")
    assert outcome.out.count("\n") == 3


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["import", "notes.txt", "-o", "x.h5"], "not in a supported layout"),
        (["import", "dataset_flickr8k.json", "-o", "x.h5"], "give the image features"),
        (["import", "f30k_precomp", "-o", "x.h5", "--split", "train"], "expects PART=SHARE"),
        (["import", "f30k_precomp", "-o", "x.h5", "--split", "train=0.5"], "add up to 1"),
        (["import", "pictures.h5", "-o", "pictures.h5"], "it is also an input file"),
        (["fit", "pictures.h5", "-o", "x.h5", "--part", "trian"], "did you mean 'train'"),
        (["fit", "pictures.h5", "-o", "x.h5", "--objective", "adpot"], "did you mean 'adopt'"),
        (["fit", "pictures.h5", "-o", "x.h5", "--resume"], "nothing to resume: x.h5 does not exist"),
        (
            ["evaluate", "words.h5", "pictures.h5"],
            "holds a model of words (word-embedder), not a model of images and captions",
        ),
        (["evaluate", "retriever.h5", "tags.h5"], "expected 'caption-set'"),
        (["search", "retriever.h5", "pictures.h5"], "give either a TEXT, or an image"),
        (
            ["search", "retriever.h5", "pictures.h5", "fihs xyzzy"],
            "the model knows no word of 'fihs xyzzy': unknown word 'fihs'; did you mean 'fish'?",
        ),
        (["search", "retriever.h5", "pictures.h5", "--image", "noto"], "unknown image 'noto'"),
        (["search", "retriever.h5", "f30k_precomp", "a", "--sheet", "x.png"], "a SET with thumbnails"),
    ],
)
def test_errors(fails, words, message):
    assert message in fails("retrieval", *words)


def test_other_commands_refuse_the_model(fails):
    assert "holds a model of images and captions" in fails("annotate", "retriever.h5", "cat")
