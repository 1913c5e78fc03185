"""CrossModalRetriever: gradients of a whole step, training, resuming, searching, evaluation, bad input."""

from __future__ import annotations

import itertools

import numba
import numpy as np
import oracle_retrieval as oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import vsenumba as vse
from vsenumba.objectives import OBJECTIVES
from vsenumba.poolings import POOLINGS, as_pooling
from vsenumba.training.captions.adamw import AdamW
from vsenumba.training.captions.branch import Branch
from vsenumba.training.captions.caption_rows import UNKNOWN, WordCaptions, caption_words
from vsenumba.training.captions.projections import PROJECTIONS
from vsenumba.training.captions.trainer import thinned

SMALL = {
    "n_factors": 12, "word_factors": 8, "min_count": 1, "n_epochs": 4, "batch_size": 8, "learning_rate": 0.01,
    "random_state": 0,
}  # fmt: skip
with_the_compiler = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="learning takes minutes without the compiler")
COLOURS, THINGS = ["red", "blue", "green", "black"], ["cat", "dog", "bird", "fish", "car"]


def scenes(seed=0, copies=2, noise=0.1):
    """Return images whose rows are a colour, a thing and noise, with captions that name both."""
    rng = np.random.default_rng(seed)
    codes = {word: np.random.default_rng(1).normal(size=(9, 10))[i] for i, word in enumerate(COLOURS + THINGS)}
    rows, captions = [], []
    for colour, thing in list(itertools.product(COLOURS, THINGS)) * copies:
        parts = [codes[colour], codes[thing], *rng.normal(size=(rng.integers(0, 3), 10))]
        rows.append(np.array(parts) + noise * rng.normal(size=(len(parts), 10)))
        captions.append([f"a {colour} {thing}", f"the {thing} is {colour}"])
    return vse.CaptionSet.from_lists(rows, captions)


@pytest.mark.parametrize("projection", PROJECTIONS)
@pytest.mark.parametrize("pooling", POOLINGS)
def test_gradients_of_a_branch(projection, pooling):
    rng = np.random.default_rng(3)
    branch = Branch(projection=PROJECTIONS[projection](), pooling=as_pooling(pooling))
    offsets = np.array([0, 2, 5])
    rows = rng.normal(size=(5, 3)).astype(np.float32)
    parameters = {
        name: table + 0.1 * rng.normal(size=table.shape).astype(np.float32)
        for name, table in branch.fresh_parameters(3, 4, rng).items()
    }
    direction = rng.normal(size=(2, 4)).astype(np.float32)

    def loss(rows, tables):
        tables = {name: np.asarray(table, np.float32) for name, table in tables.items()}
        vectors, _ = branch.forward(np.asarray(rows, np.float32), offsets, tables)
        return float((direction * vectors.astype(np.float64)).sum())

    vectors, memory = branch.forward(rows, offsets, parameters)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    in_rows, gradients = branch.backward(direction, memory, in_rows=True)
    assert np.allclose(in_rows, oracle.slopes(lambda moved: loss(moved, parameters), rows, 1e-3), atol=1e-2)
    assert set(gradients) == set(parameters)
    for name, table in parameters.items():
        expected = oracle.slopes(lambda moved, name=name: loss(rows, parameters | {name: moved}), table, 1e-3)
        assert np.allclose(gradients[name], expected, atol=1e-2), name
    assert branch.backward(direction, memory)[0] is None


def test_adamw_is_that_of_the_paper():
    rng = np.random.default_rng(0)
    table = rng.normal(size=(3, 2)).astype(np.float32)
    mine, expected = {"a": table.copy()}, table.astype(np.float64)
    optimiser = AdamW(mine, 0.1, 2.0)
    first, second = np.zeros((2, 3, 2))
    for step in range(1, 5):
        gradient = rng.normal(size=(3, 2)).astype(np.float32) * 10 ** (step - 3)
        length = np.linalg.norm(gradient)
        assert optimiser.step({"a": gradient}, 0.05) == pytest.approx(length, rel=1e-5)
        cut = gradient * min(1, 2 / length)
        first, second = 0.9 * first + 0.1 * cut, 0.999 * second + 0.001 * cut**2
        expected *= 1 - 0.05 * 0.1
        expected -= 0.05 * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
    assert np.allclose(mine["a"], expected, atol=1e-5)


@given(lengths=st.lists(st.integers(1, 5), min_size=1, max_size=5), share=st.floats(0, 0.99), seed=st.integers(0, 99))
def test_dropout_leaves_a_row_of_each_item(lengths, share, seed):
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    rows = np.arange(offsets[-1])
    left, begins = thinned(rows, offsets, share, np.random.default_rng(seed))
    assert begins[-1] == len(left)
    for i, (first, last) in enumerate(itertools.pairwise(begins)):
        assert last > first
        assert set(left[first:last]) <= set(rows[offsets[i] : offsets[i + 1]])


def test_words_are_those_of_training_and_the_rest_is_unknown():
    words = caption_words(["a cat", "A CAT, a dog", "ünïcode"], min_count=2)
    assert list(words) == [UNKNOWN, "a", "cat"]
    captions = WordCaptions(["the cat", "...", "a"], words)
    tokens, offsets = captions.take(np.array([2, 0, 1]))
    assert tokens.tolist() == [1, 0, 2, 0]
    assert offsets.tolist() == [0, 1, 3, 4]


@with_the_compiler
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_learns(objective):
    data = scenes()
    model = vse.CrossModalRetriever(**SMALL | {"objective": objective, "n_epochs": 12}).fit(data)
    # 40 images of 20 kinds: those of a kind cannot be told apart, so a match is among the first two half the time.
    scores = model.evaluate(data)
    assert scores.mean["t2i_recall@5"] > 50
    assert scores.mean["i2t_recall@5"] > 50
    assert model.history_["seconds"][0] > 0
    assert (np.diff(model.history_["epoch"]) == 1).all()


@with_the_compiler
@pytest.mark.parametrize("pooling", POOLINGS)
def test_every_pooling_learns(pooling):
    data = scenes()
    model = vse.CrossModalRetriever(**SMALL | {"image_pooling": pooling, "caption_pooling": pooling, "n_epochs": 12})
    assert model.fit(data).evaluate(data).mean["rsum"] > 200


@with_the_compiler
def test_images_never_seen_are_found():
    model = vse.CrossModalRetriever(**SMALL | {"n_epochs": 12}).fit(scenes(copies=4))
    unseen = scenes(seed=9, copies=1)
    # Of 20 images by chance 25.
    assert model.evaluate(unseen).mean["t2i_recall@5"] > 60
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
    assert np.array_equal(again.embed_captions(["a red cat", "?"]), model.embed_captions(["a red cat", "?"]))
    assert again.find_captions("3", data, 2) == model.find_captions("3", data, 2)
    assert again.evaluate(data).mean == model.evaluate(data).mean
    assert again.history_ == model.history_
    assert again.provenance_ == {"n_images": 20, "n_captions": 40, "words_from": "the training captions"}
    with pytest.raises(vse.InputError, match="without the optimiser's memory"):
        again.resume(data)


@with_the_compiler
def test_rows_of_tokens():
    rng = np.random.default_rng(0)
    hidden = rng.normal(size=(30, 5))
    images = hidden @ rng.normal(size=(5, 8))
    tokens = hidden @ rng.normal(size=(5, 6))
    data = vse.CaptionSet.from_lists(images, tokens=tokens, classes=np.arange(30) % 3)
    model = vse.CrossModalRetriever(**SMALL | {"n_epochs": 30, "row_dropout": 0.0}).fit(data)
    scores = model.evaluate(data)
    assert scores.mean["rsum"] > 400
    assert 0 < scores.mean["i2t_class_map"] <= 1
    assert model.words_ is None
    assert np.allclose(model.embed_captions(tokens), model.embed_captions(data))
    with pytest.raises(vse.InputError, match="no texts"):
        model.find_captions("0", data)


def test_given_word_vectors_are_where_words_begin():
    data = scenes(copies=1)
    words = vse.WordVectors(["cat", "zebra"], np.ones((2, 8)))
    settings = SMALL | {"n_epochs": 1, "learning_rate": 1e-12, "weight_decay": 0.0}
    model = vse.CrossModalRetriever(**settings).fit(data, words=words)
    (cat,) = model.words_.index(["cat"])
    assert np.allclose(model.tables_["words"][cat], 1)
    with pytest.raises(vse.InputError, match="words have 2 dimensions, word_factors is 8"):
        vse.CrossModalRetriever(**settings).fit(data, words=vse.WordVectors(["cat"], np.ones((1, 2))))


def test_a_collapse_is_told_with_its_cure():
    rng = np.random.default_rng(0)
    data = vse.CaptionSet.from_lists(np.ones((8, 4)) + 1e-6 * rng.normal(size=(8, 4)), ["same words"] * 8)
    model = vse.CrossModalRetriever(
        **SMALL | {"n_epochs": 1, "objective": "max-of-hinges", "warmup_epochs": 0, "row_dropout": 0.0}
    )
    with pytest.warns(UserWarning, match="the space has collapsed; raise warmup_epochs"):
        model.fit(data)


class TestEvaluation:
    @given(
        scores=hnp.arrays(np.float64, st.tuples(st.integers(1, 6), st.integers(1, 6)), elements=st.integers(-3, 3)),
        draw=st.data(),
    )
    def test_ranks(self, scores, draw):
        n, m = scores.shape
        matching = draw.draw(hnp.arrays(np.int64, n, elements=st.integers(0, m - 1)))
        subjects = draw.draw(hnp.arrays(np.int64, m, elements=st.integers(0, 2)))
        wanted = subjects[matching]
        ranks = vse.evaluation.retrieval.first_ranks(scores, np.eye(m), wanted, subjects)
        for i in range(n):
            best = max(scores[i][j] for j in range(m) if subjects[j] == wanted[i])
            others = [j for j in range(m) if subjects[j] != wanted[i] and scores[i][j] >= best]
            assert ranks[i] == 1 + len(others)

    def test_five_captions_an_image(self):
        images = np.eye(4)
        captions = np.repeat(images, 5, axis=0)
        captions[0] = images[1]
        scores = vse.evaluate_vectors(images, captions, np.arange(4), np.repeat(np.arange(4), 5))
        assert scores.mean["i2t_recall@1"] == 75  # a caption of image 0 ties with those of image 1
        assert scores.mean["t2i_recall@1"] == 95
        assert scores.mean["t2i_mean_rank"] == pytest.approx((19 + 4) / 20)
        assert scores.mean["rsum"] == pytest.approx(570)

    def test_folds_are_evaluated_by_themselves(self):
        rng = np.random.default_rng(0)
        images, captions = rng.normal(size=(12, 3)), rng.normal(size=(24, 3))
        subjects, owners = np.arange(12), np.repeat(np.arange(12), 2)
        folded = vse.evaluate_vectors(images, captions, subjects, owners, n_folds=3)
        single = [
            vse.evaluate_vectors(images[4 * i : 4 * i + 4], captions[8 * i : 8 * i + 8], np.arange(4), owners[:8])
            for i in range(3)
        ]
        assert folded.mean["t2i_recall@1"] == pytest.approx(np.mean([one.mean["t2i_recall@1"] for one in single]))
        assert folded.image_ranks.tolist() == [rank for one in single for rank in one.image_ranks]

    def test_class_map(self):
        # Found in the order of classes 1, 0, 1: precisions of 1 and 2/3.
        value = vse.evaluation.retrieval.class_map(
            np.ones((1, 1)), np.array([[3.0], [2.0], [1.0]]), np.array([1]), np.array([1, 0, 1])
        )
        assert value == pytest.approx((1 + 2 / 3) / 2)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ((np.eye(2), np.eye(2), [0], [0, 1]), "subjects of 1 images"),
            ((np.eye(2) * np.nan, np.eye(2), [0, 1], [0, 1]), "image vectors are not finite"),
            ((np.eye(2), np.eye(2), np.array([0, 1]), np.array([0, 2])), "query 1 has no match"),
        ],
    )
    def test_what_is_refused(self, arguments, message):
        with pytest.raises(vse.InputError, match=message):
            vse.evaluate_vectors(*arguments)
        with pytest.raises(vse.InputError, match="n_folds must lie between"):
            vse.evaluate_vectors(np.eye(2), np.eye(2), np.arange(2), np.arange(2), n_folds=3)


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
        ({"min_count": 1000}, "no word of the captions stands min_count=1000 times"),
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
    with pytest.raises(vse.InputError, match="all images have one subject"):
        model.fit(vse.CaptionSet.from_lists(np.ones((1, 10)), ["a cat"]))
    tokens = vse.CaptionSet.from_lists(np.eye(4), tokens=np.eye(4))
    with pytest.raises(vse.InputError, match="need the captions' texts"):
        vse.CrossModalRetriever(**SMALL | {"objective": "lseh"}).fit(tokens)
    model.fit(data)
    with pytest.raises(vse.InputError, match="rows of 10 numbers, not 4"):
        model.embed_images(np.eye(4))
    with pytest.raises(vse.InputError, match="trained on texts; the data has none"):
        model.embed_captions(tokens)
    model = vse.CrossModalRetriever(**SMALL | {"n_epochs": 1}).fit(tokens)
    with pytest.raises(vse.InputError, match="captions must have rows of 4 numbers, not 3"):
        model.embed_captions(np.ones((2, 3)))


def test_a_validation_set_that_does_not_fit_is_refused_before_training():
    data, narrow = scenes(copies=1), vse.CaptionSet.from_lists(np.eye(4), ["a", "b", "c", "d"])
    tokens = vse.CaptionSet.from_lists(np.ones((2, 10)), tokens=np.eye(2))
    for validation, message in ((narrow, "rows of 10 numbers, not 4"), (tokens, "the data has none")):
        model = vse.CrossModalRetriever(**SMALL)
        with pytest.raises(vse.InputError, match=message):
            model.fit(data, validation=validation)
        assert len(model.history_) == 0


def test_divergence_names_the_epoch_and_the_table():
    model = vse.CrossModalRetriever(**SMALL | {"learning_rate": 1e38, "warmup_epochs": 0})
    with np.errstate(all="ignore"), pytest.raises(vse.TrainingDivergedError, match="after epoch 1"):
        model.fit(scenes())
