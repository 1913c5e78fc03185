"""CrossModalRetriever: what it learns, keeps, saves, finds and refuses."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from scenes import scenes

import vsenumba as vse
from vsenumba.objectives import OBJECTIVES
from vsenumba.poolings import POOLINGS

SMALL = {
    "n_factors": 12, "word_factors": 8, "min_count": 1, "n_epochs": 4, "batch_size": 8, "learning_rate": 0.01,
    "random_state": 0,
}  # fmt: skip
with_the_compiler = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="learning takes minutes without the compiler")


@with_the_compiler
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_learns(objective):
    data = scenes()
    model = vse.CrossModalRetriever(**SMALL | {"objective": objective, "n_epochs": 12}).fit(data)
    # 40 images of 20 kinds: those of a kind cannot be told apart, so a match is among the first two half the time.
    scores = model.evaluate(data)
    assert scores.mean["t2i_recall@5"] > 0.5
    assert scores.mean["i2t_recall@5"] > 0.5
    assert model.history_["seconds"][0] > 0
    assert (np.diff(model.history_["epoch"]) == 1).all()


def test_the_record_of_an_epoch_is_that_of_a_naive_count():
    """At a rate of next to nothing the model after the epoch is the one that was measured."""
    rng = np.random.default_rng(0)
    data = vse.CaptionSet.from_lists(rng.normal(size=(5, 3)), ["a cat", "a dog", "a fish", "one bird", "two birds"])
    settings = SMALL | {"n_epochs": 1, "learning_rate": 1e-30, "objective": "sum-of-hinges", "schedule": "constant"}
    fixed = settings | {"weight_decay": 0.0, "row_dropout": 0.0, "warmup_epochs": 0}
    model = vse.CrossModalRetriever(**fixed).fit(data)
    scores = model.embed_images(data).astype(np.float64) @ model.embed_captions(data).T
    margin, loss = model.member("objective").margin, 0.0
    for i in range(5):
        for j in range(5):
            if i != j:
                loss += max(0.0, margin + scores[i, j] - scores[i, i]) + max(0.0, margin + scores[i, j] - scores[j, j])
    record = model.history_[0]
    assert (record["epoch"], record["steps"], record["group_size"]) == (1, 5, 4)
    assert record["learning_rate"] == 1e-30
    assert record["loss"] == pytest.approx(loss, rel=1e-4)
    assert record["spread"] == pytest.approx(scores.std(), rel=1e-4)
    # A pair that is left over has no negative, and is no step.
    pairs = vse.CrossModalRetriever(**fixed | {"batch_size": 2}).fit(data).history_[0]
    assert (pairs["steps"], pairs["group_size"]) == (4, 1)


@with_the_compiler
@pytest.mark.parametrize("pooling", POOLINGS)
def test_every_pooling_learns(pooling):
    data = scenes()
    model = vse.CrossModalRetriever(**SMALL | {"image_pooling": pooling, "caption_pooling": pooling, "n_epochs": 12})
    assert model.fit(data).evaluate(data).mean["rsum"] > 2


@with_the_compiler
def test_images_never_seen_are_found():
    model = vse.CrossModalRetriever(**SMALL | {"n_epochs": 12}).fit(scenes(copies=4))
    unseen = scenes(seed=9, copies=1)
    # Of 20 images by chance a quarter.
    assert model.evaluate(unseen).mean["t2i_recall@5"] > 0.6
    found = model.find_images("a green bird", unseen, n=3)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


def test_the_seed_decides():
    first, again, other = (
        vse.CrossModalRetriever(**SMALL | {"n_epochs": 1, "random_state": seed}).fit(scenes()) for seed in (0, 0, 1)
    )
    assert all(np.array_equal(first.tables_[name], again.tables_[name]) for name in first.tables_)
    assert not np.array_equal(first.tables_["words"], other.tables_["words"])


def test_the_best_epoch_is_kept():
    train, validation = scenes(), scenes(seed=5, copies=1)
    model = vse.CrossModalRetriever(**SMALL | {"n_epochs": 6}).fit(train, validation=validation)
    values = model.history_["rsum"]
    assert model.best_epoch_ == 1 + int(np.argmax(values))
    assert model.evaluate(validation).mean["rsum"] == pytest.approx(values.max())


@pytest.mark.parametrize("objective", ["adopt", "lseh"])
def test_a_checkpoint_resumes_exactly(tmp_path, objective):
    train, validation = scenes(), scenes(seed=5, copies=1)
    settings = SMALL | {"n_epochs": 5, "objective": objective}
    straight = vse.CrossModalRetriever(**settings).fit(train, validation=validation)

    def stop(model, record):
        return record["epoch"] == 2

    checkpoint = vse.Checkpoint(tmp_path / "model.h5")
    vse.CrossModalRetriever(**settings).fit(train, validation=validation, callbacks=[checkpoint, stop])
    resumed = vse.load_model(tmp_path / "model.h5")
    assert len(resumed.history_) == 2
    resumed.resume(train, validation=validation)
    assert resumed.best_epoch_ == straight.best_epoch_
    assert resumed.history_["loss"].tolist() == straight.history_["loss"].tolist()
    for name, table in straight.tables_.items():
        assert np.array_equal(resumed.tables_[name], table), name


def test_a_loaded_model_does_all_it_did(tmp_path):
    data = scenes(copies=1)
    settings = SMALL | {
        "n_epochs": 1, "image_pooling": vse.AdPool(padding="released"),
        "objective": vse.AdOpt(margin=vse.SemanticMargin(weight=0.1), negatives="constant"),
    }  # fmt: skip
    model = vse.CrossModalRetriever(**settings).fit(data)
    model.save(tmp_path / "model.h5")
    again = vse.load_model(tmp_path / "model.h5")
    assert again.get_params() == model.get_params()
    assert np.array_equal(again.embed_images(data), model.embed_images(data))
    with pytest.warns(
        UserWarning, match="1 of 2 captions have no word that the model knows; their vectors carry no information"
    ):
        assert np.array_equal(again.embed_captions(["a red cat", "?"]), model.embed_captions(["a red cat", "?"]))
    assert again.find_captions("3", data, 2) == model.find_captions("3", data, 2)
    assert again.evaluate(data).mean == model.evaluate(data).mean
    assert again.history_ == model.history_
    assert again.provenance_ == model.provenance_
    assert again.provenance_ | {"n_threads": 0} == {
        "n_images": 20, "n_captions": 40, "data_sha256": data.digest(), "words_from": "the training captions",
        "device": "cpu", "n_threads": 0,
    }  # fmt: skip
    with pytest.raises(vse.InputError, match="has no optimiser's memory"):
        again.set_params(n_epochs=2).resume(data)


@with_the_compiler
def test_rows_of_tokens():
    rng = np.random.default_rng(0)
    hidden = rng.normal(size=(30, 5))
    images = hidden @ rng.normal(size=(5, 8))
    tokens = hidden @ rng.normal(size=(5, 6))
    data = vse.CaptionSet.from_lists(images, tokens=tokens, classes=np.arange(30) % 3)
    model = vse.CrossModalRetriever(**SMALL | {"n_epochs": 30, "row_dropout": 0.0}).fit(data)
    scores = model.evaluate(data)
    assert scores.mean["rsum"] > 4
    assert 0 < scores.mean["i2t_class_map"] <= 1
    assert model.words_ is None
    assert np.allclose(model.embed_captions(tokens), model.embed_captions(data))
    with pytest.raises(vse.InputError, match="find_captions needs texts"):
        model.find_captions("0", data)


def test_given_word_vectors_are_where_words_begin():
    data = scenes(copies=1)
    words = vse.WordVectors(["cat", "zebra"], np.ones((2, 8)))
    settings = SMALL | {"n_epochs": 1, "learning_rate": 1e-12, "weight_decay": 0.0}
    model = vse.CrossModalRetriever(**settings).fit(data, words=words)
    (cat,) = model.words_.index(["cat"])
    assert np.allclose(model.tables_["words"][cat], 1)
    with pytest.raises(vse.InputError, match="words have 2 dimensions, but word_factors is 8"):
        vse.CrossModalRetriever(**settings).fit(data, words=vse.WordVectors(["cat"], np.ones((1, 2))))


def test_a_collapse_is_told_with_its_cure():
    rng = np.random.default_rng(0)
    data = vse.CaptionSet.from_lists(np.ones((8, 4)) + 1e-6 * rng.normal(size=(8, 4)), ["same words"] * 8)
    model = vse.CrossModalRetriever(
        **SMALL | {"n_epochs": 1, "objective": "max-of-hinges", "warmup_epochs": 0, "row_dropout": 0.0}
    )
    with pytest.warns(UserWarning, match="the space has collapsed; raise warmup_epochs"):
        model.fit(data)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"image_projection": "liner"}, "did you mean 'linear'"),
        ({"image_pooling": "men"}, "did you mean 'mean'"),
        ({"objective": "adpot"}, "did you mean 'adopt'"),
        ({"schedule": "steps"}, "did you mean 'step'"),
        ({"n_factors": 0}, "n_factors must be a whole number of at least 1"),
        ({"batch_size": 1}, "batch_size must be a whole number of at least 2"),
        ({"warmup_epochs": -1}, "warmup_epochs must be a whole number of at least 0"),
        ({"learning_rate": 0}, "learning_rate must be positive"),
        ({"row_dropout": 1}, "row_dropout must be at least 0 and below 1"),
        ({"min_count": 1000}, "no word occurs min_count=1000 times"),
        ({"random_state": "x"}, "random_state must be"),
    ],
)
def test_bad_parameters(parameters, message):
    with pytest.raises(vse.VsenumbaError, match=message):
        vse.CrossModalRetriever(**SMALL | parameters).fit(scenes(copies=1))


def test_bad_data():
    data = scenes(copies=1)
    model = vse.CrossModalRetriever(**SMALL | {"n_epochs": 1})
    with pytest.raises(vse.InputError, match="must be a CaptionSet"):
        model.fit([["a"]])
    with pytest.raises(vse.InputError, match="all images have the same subject"):
        model.fit(vse.CaptionSet.from_lists(np.ones((1, 10)), ["a cat"]))
    tokens = vse.CaptionSet.from_lists(np.eye(4), tokens=np.eye(4))
    with pytest.raises(vse.InputError, match="need captions as texts"):
        vse.CrossModalRetriever(**SMALL | {"objective": "lseh"}).fit(tokens)
    model.fit(data)
    with pytest.raises(vse.InputError, match="rows must have 10 numbers, not 4"):
        model.embed_images(np.eye(4))
    with pytest.raises(vse.InputError, match="trained on captions as texts, and the data has none"):
        model.embed_captions(tokens)
    model = vse.CrossModalRetriever(**SMALL | {"n_epochs": 1}).fit(tokens)
    with pytest.raises(vse.InputError, match="caption rows must have 4 numbers, not 3"):
        model.embed_captions(np.ones((2, 3)))


@pytest.fixture(scope="module")
def retriever():
    return vse.CrossModalRetriever(**SMALL | {"n_epochs": 1}).fit(scenes(copies=1))


def test_a_text_of_unknown_words_finds_nothing(retriever):
    """It found pictures, whose cosines meant nothing."""
    data = scenes(copies=1)
    for text, message in (
        ("xyzzy", "the model knows no word of 'xyzzy': unknown word 'xyzzy'; choose from a, the"),
        ("Brid cta", "the model knows no word of 'Brid cta': unknown word 'brid'; did you mean 'bird'"),
    ):
        with pytest.raises(vse.UnknownNameError, match=message):
            retriever.find_images(text, data)
    for text, message in (
        ("?!", r"the text has no words: '\?!'"),
        ("", "the text has no words: ''"),
        (None, "caption 0 must be a text, not None"),
        (["a cat"], r"caption 0 must be a text, not \['a cat'\]"),
    ):
        with pytest.raises(vse.InputError, match=message):
            retriever.find_images(text, data)
    with pytest.warns(UserWarning, match="the model does not know 'xyzzy', 'plugh'; treating it as a rare word"):
        assert len(retriever.find_images("a xyzzy cat plugh", data, 3)) == 3


def test_captions_of_unknown_words_are_counted_and_not_found(retriever):
    data = vse.CaptionSet.from_lists(scenes(copies=1).images.select(np.arange(3)), ["a cat", "xyzzy", "..."])
    with pytest.warns(UserWarning, match="2 of 3 captions have no word that the model knows; they are left out"):
        assert [one.name for one in retriever.find_captions("0", data)] == ["a cat"]
    with pytest.warns(
        UserWarning, match="2 of 3 captions have no word that the model knows; their vectors carry no information"
    ):
        retriever.embed_captions(data)
    with pytest.warns(UserWarning, match="1 of 1 captions have no word"):
        retriever.embed_captions("xyzzy")


def test_what_is_asked_for_is_checked_before_anything_is_embedded(retriever):
    data = scenes(copies=1)
    for find in (lambda n: retriever.find_images("a cat", data, n), lambda n: retriever.find_captions("0", data, n)):
        for n in (0, -1, 2.5, "3"):
            with pytest.raises(vse.InputError, match="n must be a whole number of at least 1, not"):
                find(n)
    for bad in (np.ones((3, 10)), "pictures.h5", None):
        for ask in (
            lambda bad: retriever.find_images("a", bad), lambda bad: retriever.find_captions("0", bad),
            retriever.evaluate,
        ):  # fmt: skip
            with pytest.raises(
                vse.InputError, match="must be a CaptionSet, such as the result of load_caption_set, not"
            ):
                ask(bad)
    for bad, message in (
        ({"a cat", "a dog"}, "captions must be a list of texts, not"),
        (5, "captions must be a list of texts, not 5"),
        (["a cat", None], "caption 1 must be a text, not None"),
        (["a cat", b"a dog"], "caption 1 must be a text, not b'a dog'"),
    ):
        with pytest.raises(vse.InputError, match=message):
            retriever.embed_captions(bad)
    tokens = vse.CaptionSet.from_lists(np.eye(4), tokens=np.eye(4))
    with pytest.raises(vse.InputError, match="knows no words; embed the text's rows instead"):
        vse.CrossModalRetriever(**SMALL | {"n_epochs": 1}).fit(tokens).find_images("a cat", tokens)


def test_a_validation_set_that_does_not_fit_is_refused_before_training():
    data, narrow = scenes(copies=1), vse.CaptionSet.from_lists(np.eye(4), ["a", "b", "c", "d"])
    tokens = vse.CaptionSet.from_lists(np.ones((2, 10)), tokens=np.eye(2))
    for validation, message in ((narrow, "rows must have 10 numbers, not 4"), (tokens, "the data has none")):
        model = vse.CrossModalRetriever(**SMALL)
        with pytest.raises(vse.InputError, match=message):
            model.fit(data, validation=validation)
        assert len(model.history_) == 0


def test_divergence_names_the_epoch_and_the_table():
    model = vse.CrossModalRetriever(**SMALL | {"learning_rate": 1e38, "warmup_epochs": 0})
    with np.errstate(all="ignore"), pytest.raises(vse.TrainingDivergedError, match="after epoch 1"):
        model.fit(scenes())


def _stopped(model, record):
    return record["epoch"] == 1


def test_only_the_very_data_is_resumed_with(tmp_path):
    """Found 2026-11: numbers of images and captions were compared, so captions swapped among images were trained on."""
    data = scenes()
    checkpoint = vse.Checkpoint(tmp_path / "model.h5")
    vse.CrossModalRetriever(**SMALL).fit(data, callbacks=[checkpoint, _stopped])
    swapped = vse.CaptionSet(data.images, data.captions[::-1], data.image_subjects, data.caption_subjects)
    with pytest.raises(vse.InputError, match="resume needs the data that training began with"):
        vse.load_model(tmp_path / "model.h5").resume(swapped)
    with pytest.raises(vse.InputError, match="data must be a CaptionSet"):
        vse.load_model(tmp_path / "model.h5").resume([1, 2])
    # The same data from a file is the same.
    data.save(tmp_path / "set.h5")
    assert len(vse.load_model(tmp_path / "model.h5").resume(vse.load_caption_set(tmp_path / "set.h5")).history_) == 4
    # A file from before there were digests says how many there were.
    early = vse.load_model(tmp_path / "model.h5")
    del early.provenance_["data_sha256"]
    early.save(tmp_path / "early.h5", include_optimiser=True)
    assert len(vse.load_model(tmp_path / "early.h5").resume(data).history_) == 4
    with pytest.raises(vse.InputError, match="resume needs the data that training began with"):
        vse.load_model(tmp_path / "early.h5").resume(data.select(np.arange(9)))


@pytest.mark.parametrize("words", [{}, [], "words.vec", np.eye(8)])
def test_words_that_are_no_word_vectors_are_refused(words):
    """Found 2026-11: they were a raw AttributeError."""
    with pytest.raises(vse.InputError, match="words must be WordVectors, such as a model's word_vectors_, not"):
        vse.CrossModalRetriever(**SMALL).fit(scenes(), words=words)


def test_a_validation_that_is_no_set_is_refused():
    """Found 2026-11: it was a raw AttributeError."""
    with pytest.raises(vse.InputError, match="validation must be a CaptionSet"):
        vse.CrossModalRetriever(**SMALL).fit(scenes(), validation=[1, 2])
