"""WordEmbedder: what it learns, how it goes on, what it saves, what it refuses."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from command_line import ENVIRONMENT
from hypothesis import given, settings
from strategies import corpora
from worlds import Ears

import vsenumba as vse
from vsenumba.training.text import ARCHITECTURES

SMALL = {"n_factors": 4, "n_epochs": 2, "n_threads": 1, "random_state": 0, "subsample": 0.0}


def topics(n_sentences=60, seed=0):
    """Return sentences of two topics that share no word but "the"."""
    rng = np.random.default_rng(seed)
    words = (["cat", "dog", "cow", "pig", "hen"], ["oak", "elm", "ash", "fir", "yew"])
    return [["the", *rng.choice(words[i % 2], 6).tolist()] for i in range(n_sentences)]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_words_in_like_company_are_alike(architecture):
    model = vse.WordEmbedder(architecture, **SMALL | {"n_factors": 8, "n_epochs": 20, "learning_rate": 0.05}).fit(
        topics()
    )
    for word, friends in (("cat", {"dog", "cow", "pig", "hen"}), ("oak", {"elm", "ash", "fir", "yew"})):
        assert {one.name for one in model.neighbors(word, 4)} == friends
    assert model.history_["loss"][-1] < model.history_["loss"][0]
    assert model.analogy("cat", "dog", "oak", 1)[0].name in {"elm", "ash", "fir", "yew"}


@settings(max_examples=10)
@given(corpus=corpora(min_words=2))
def test_any_text_can_be_learnt_from(corpus):
    model = vse.WordEmbedder(**SMALL).fit(corpus)
    assert model.word_factors_.shape == model.output_factors_.shape == (corpus.n_words, 4)
    assert np.isfinite(model.word_factors_).all()
    assert list(model.words_) == list(corpus.words)
    assert np.array_equal(model.counts_, corpus.counts)


def test_the_same_seed_gives_the_same_vectors():
    settings = SMALL | {"n_threads": None, "deterministic": True}
    tables = [vse.WordEmbedder(**settings).fit(topics()).word_factors_ for _ in range(2)]
    assert np.array_equal(*tables)
    other = vse.WordEmbedder(**settings | {"random_state": 1}).fit(topics()).word_factors_
    assert not np.array_equal(tables[0], other)
    with pytest.warns(UserWarning, match="deterministic=True reduces n_threads=2 to 1"):
        vse.WordEmbedder(**settings | {"n_threads": 2}).fit(topics())


def test_training_in_two_parts_is_training_in_one(tmp_path):
    settings = SMALL | {"schedule": "constant", "optimiser": "adagrad"}
    whole = vse.WordEmbedder(**settings | {"n_epochs": 3}).fit(topics())
    callback = vse.Checkpoint(tmp_path / "m.h5")
    vse.WordEmbedder(**settings | {"n_epochs": 2}).fit(topics(), callbacks=[callback])
    parts = vse.load_model(tmp_path / "m.h5").partial_fit(topics())
    assert np.array_equal(parts.word_factors_, whole.word_factors_)
    assert np.array_equal(parts.output_factors_, whole.output_factors_)
    assert parts.history_["epoch"].tolist() == [1, 2, 3]
    assert parts.history_["steps"].tolist() == whole.history_["steps"].tolist()


@pytest.mark.parametrize("n_new", [0, 1, 5])
def test_more_text_brings_new_words(n_new):
    model = vse.WordEmbedder(**SMALL).fit(topics())
    before = {word: model.word_vectors_[word].copy() for word in model.words_}
    counts = dict(zip(model.words_, model.counts_.tolist(), strict=True))
    new = [f"new-{i}" for i in range(n_new)]
    # In an order of their own, so that the text's numbers are not the model's.
    model.partial_fit([[*new, "hen", "cat"]] * 3, n_epochs=2)
    assert list(model.words_)[len(before) :] == new
    assert dict(zip(model.words_, model.counts_.tolist(), strict=True)) == counts | dict.fromkeys(new, 3) | {
        "hen": counts["hen"] + 3, "cat": counts["cat"] + 3,
    }  # fmt: skip
    moved = {word for word in before if not np.array_equal(model.word_vectors_[word], before[word])}
    assert moved == {"hen", "cat"}
    assert all(np.abs(model.word_vectors_[word]).max() > 0 for word in new)
    assert len(model.history_) == 4


def test_partial_fit_alone_begins():
    model = vse.WordEmbedder(**SMALL).partial_fit(topics())
    assert len(model.history_) == 1
    # What the constructor was given stays.
    assert model.n_epochs == SMALL["n_epochs"]


def test_everything_is_in_the_file(tmp_path):
    sampler = vse.AdaptiveSampler(lam=0.2)
    model = vse.WordEmbedder("cbow", **SMALL, sampler=sampler).fit(topics())
    model.save(tmp_path / "m.h5")
    program = (
        "import vsenumba as vse; model = vse.load_model('m.h5'); print(model.neighbors('cat', 1)[0].name, "
        "model.sampler.lam, model.architecture, len(model.history_), model.partial_fit([['cat', 'ox']]).words_[-1])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [model.neighbors("cat", 1)[0].name, "0.2", "cbow", "2", "ox"]


def test_callbacks_hear_of_epochs_and_of_parts_of_them():
    ears = Ears()
    model = vse.WordEmbedder(**SMALL | {"n_epochs": 5}).fit(topics(), callbacks=[ears])
    assert len(model.history_) == 2
    first = ears.heard[: ears.heard.index("epoch")]
    assert len(first) >= 20
    assert first == tuple(sorted(first))
    assert first[-1] == 1


def test_a_window_longer_than_every_sentence():
    model = vse.WordEmbedder(**SMALL | {"window": 1000}).fit([["a", "b"], ["c"], ["a", "c", "b"]])
    # One pair twice and three words of which each has two others, as far as reaches are drawn.
    assert 2 <= model.history_[0]["steps"] <= 8


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ([], "no word is frequent enough"),
        ([[]], "no word is frequent enough"),
        ([["a"], ["b"]], "has no sentence with two words"),
        ([["a", "a", "a"]], "the text has only one word, 'a'"),
        ("text.txt", "must be a Corpus"),
    ],
)
def test_texts_without_anything_to_learn(text, message):
    with pytest.raises(vse.InputError, match=message):
        vse.WordEmbedder(**SMALL).fit(text)


def test_a_refused_text_leaves_nothing_on_the_model():
    model = vse.WordEmbedder(**SMALL)
    with pytest.raises(vse.InputError, match="only one word"):
        model.fit([["a", "a"]])
    assert len(model.words_) == 0


@pytest.mark.parametrize(
    ("parameter", "value", "message"),
    [
        ("architecture", "skip-gram", "did you mean 'skipgram'"),
        ("sampler", "popular", "did you mean 'popularity'"),
        ("optimiser", "adam", "unknown optimiser"),
        ("schedule", "lin", "unknown schedule"),
        ("n_factors", 0, "n_factors must be a whole number"),
        ("window", 2.5, "window must be a whole number"),
        ("n_negatives", None, "n_negatives must be a whole number"),
        ("n_draws", 0, "n_draws must be a whole number"),
        ("draws_per", "sentence", "unknown draws_per 'sentence'; choose from pair, window, block"),
        ("n_epochs", "5", "n_epochs must be a whole number"),
        ("subsample", -1, "subsample must be finite and not negative"),
        ("learning_rate", np.inf, "learning_rate must be positive and finite"),
        ("random_state", "x", "random_state must be"),
    ],
)
def test_parameters_are_checked(parameter, value, message):
    with pytest.raises(vse.VsenumbaError, match=message):
        vse.WordEmbedder(**SMALL | {parameter: value}).fit(topics())


@pytest.mark.parametrize("draws_per", [None, "pair", "window", "block"])
@pytest.mark.parametrize("sampler", [vse.PopularitySampler(), vse.AdaptiveSampler()])
def test_a_block_shares_no_draws_that_depend_on_a_windows_vector(draws_per, sampler):
    model = vse.WordEmbedder(**SMALL, draws_per=draws_per, sampler=sampler)
    if draws_per == "block" and sampler.by_vector:
        with pytest.raises(vse.InputError, match="draws_per must be 'window', 'pair' or None"):
            model.fit(topics())
    else:
        assert model.fit(topics()).history_["loss"][-1] < np.log(2) * 6


def test_a_rate_that_is_too_large_is_called_so():
    with np.errstate(all="ignore"), pytest.raises(vse.TrainingDivergedError, match="after epoch 1"):
        vse.WordEmbedder(**SMALL | {"learning_rate": 1e30}).fit(topics())


def test_where_sentences_begin_does_not_stay_in_memory(monkeypatch):
    # With ten times the text the map of it took 100 MB.
    released = []
    monkeypatch.setattr("vsenumba.training.text.trainer.release_pages", released.append)
    corpus = vse.Corpus.from_sentences(topics())
    vse.WordEmbedder(**SMALL).fit(corpus)
    assert any(one is corpus.offsets for one in released)
    assert any(one is corpus.tokens for one in released)


def test_only_the_very_text_is_resumed_with(tmp_path):
    """Found 2026-11: words and their counts were compared, so that a text of other sentences was trained on."""
    text, cut = [["a", "b", "c", "d"]] * 20, [["a", "b"], ["c", "d"]] * 20
    checkpoint = vse.Checkpoint(tmp_path / "model.h5")
    vse.WordEmbedder(n_factors=4, n_epochs=3, random_state=0).fit(
        text, callbacks=[checkpoint, lambda model, record: record["epoch"] == 1]
    )
    with pytest.raises(vse.InputError, match="resume needs the data that training began with"):
        vse.load_model(tmp_path / "model.h5").resume(cut)
    assert len(vse.load_model(tmp_path / "model.h5").resume(text).history_) == 3
    # A file from before there were digests says the words and their counts.
    early = vse.load_model(tmp_path / "model.h5")
    del early.provenance_["data_sha256"]
    early.save(tmp_path / "early.h5", include_optimiser=True)
    assert len(vse.load_model(tmp_path / "early.h5").resume(cut).history_) == 3
    with pytest.raises(vse.InputError, match="resume needs the data that training began with"):
        vse.load_model(tmp_path / "early.h5").resume([["a", "b", "c", "e"]] * 20)
