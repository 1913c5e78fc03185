"""Models that look at features: asked in every way, saved and loaded, trained on, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

import vsenumba as vse
from vsenumba.data.backbone_id import BackboneId
from vsenumba.errors import InputError
from vsenumba.models.learnable import why_nothing_can_be_learnt

SETTINGS = {"n_factors": 8, "n_epochs": 12, "random_state": 0, "deterministic": True}


@pytest.fixture(scope="module")
def halves():
    """Return pictures of two halves, whose labels are what their features point to."""
    rng = np.random.default_rng(0)
    kinds = rng.integers(0, 6, 400)
    features = (np.eye(6)[kinds] + 0.2 * rng.normal(size=(400, 6))).astype(np.float32)
    names = [f"p{i}" for i in range(400)]
    data = vse.AnnotationSet.from_lists([[f"kind {k}", "warm" if k < 3 else "cold"] for k in kinds], names)
    data = data.with_features(features, BackboneId("eye", "1"))
    return data.select_images(np.arange(200)), data.select_images(np.arange(200, 400))


@pytest.fixture(scope="module", params=["features", "labels+features"])
def model(request, halves):
    return vse.ImageAnnotator(inputs=request.param, **SETTINGS).fit(halves[0])


def test_pictures_never_seen_get_their_labels(model, halves):
    scores = vse.evaluate(model, halves[1], exclude=None, metrics=["precision@2"])
    assert scores.mean["precision@2"] > 0.9
    suggested = model.annotate(halves[1].with_pairs(np.zeros(halves[1].n_pairs, bool)), n=2)
    right = [match.name in halves[1].labels_of(f"p{200 + i}") for i, found in enumerate(suggested) for match in found]
    assert np.mean(right) > 0.9
    assert model.score(halves[1]) > 0.9


def test_loaded_models_answer_by_id_and_by_features(model, halves, tmp_path):
    model.save(tmp_path / "m.h5")
    loaded = vse.load_model(tmp_path / "m.h5")
    assert loaded.backbone_ == BackboneId("eye", "1")
    for asked in (["p3", "p7"], halves[1].select_images([4, 9])):
        mine, theirs = model.annotate(asked, n=3), loaded.annotate(asked, n=3)
        assert [[one.name for one in found] for found in mine] == [[one.name for one in found] for found in theirs]
    assert model.find_images("kind 2", n=3, include_known=True)[0].score == pytest.approx(
        loaded.find_images("kind 2", n=3, include_known=True)[0].score, rel=1e-5
    )
    np.testing.assert_allclose(loaded.embed(halves[1]), model.embed(halves[1]), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", ["float16", "csr", "memmap"])
def test_however_features_are_kept_the_model_is_as_good(kind, halves, tmp_path):
    train, test = halves
    kept = sp.csr_array(train.features) if kind == "csr" else train.features.astype(np.float16)
    if kind == "memmap":
        np.save(tmp_path / "x.npy", kept)
        kept = np.load(tmp_path / "x.npy", mmap_mode="r")
    model = vse.ImageAnnotator(inputs="features", **SETTINGS).fit(train.with_features(kept))
    assert vse.evaluate(model, test, exclude=None, metrics=["precision@2"]).mean["precision@2"] > 0.9


def test_training_goes_on_from_a_checkpoint_as_if_it_had_not_stopped(halves, tmp_path):
    whole = vse.ImageAnnotator(inputs="labels+features", **SETTINGS).fit(halves[0])
    part = vse.ImageAnnotator(inputs="labels+features", **SETTINGS)

    def stop(model, record):
        if record["epoch"] == 5:
            model.save(tmp_path / "m.h5", include_optimiser=True)

    part.fit(halves[0], callbacks=stop)
    resumed = vse.load_model(tmp_path / "m.h5").resume(halves[0])
    for name, table in whole.tables_.items():
        np.testing.assert_array_equal(resumed.tables_[name], table, err_msg=name)
    with pytest.raises(InputError, match="needs features of the images"):
        vse.load_model(tmp_path / "m.h5").resume(halves[0].with_features(None))


def test_a_loaded_model_learns_more_pictures_and_forgets_vectors_that_are_out_of_date(model, halves, tmp_path):
    model.save(tmp_path / "m.h5")
    loaded = vse.load_model(tmp_path / "m.h5")
    more = halves[1].select_images(np.arange(20))
    loaded.partial_fit(more.with_pairs(more.pairs()[0] > 0), n_epochs=2)
    assert loaded.annotate(["p205"], n=1)[0]
    assert loaded.annotate(["p200"], n=1)[0]  # it came without labels, and with features
    if model.inputs == "features":
        with pytest.warns(UserWarning, match="nothing is known"):
            assert loaded.annotate(["p3"], n=1) == [[]]
    assert loaded.annotate(halves[0].select_images([3]), n=1)[0]
    model_in_memory = vse.ImageAnnotator(inputs="features", **SETTINGS).fit(halves[0])
    model_in_memory.partial_fit(halves[1].select_images(np.arange(20)))
    assert model_in_memory.annotate(["p3", "p205"], n=1)[1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data.with_features(data.features[:, :4], data.backbone), "have 4 features each.* trained on 6"),
        (lambda data: data.with_features(data.features, BackboneId("eye", "2")), "another version of 'eye'"),
        (lambda data: data.with_features(data.features, "clip"), "with the backbone 'clip'"),
    ],
)
def test_features_of_another_kind_are_refused(model, halves, change, message):
    other = change(halves[1])
    with pytest.raises(InputError, match=message):
        model.annotate(other)
    with pytest.raises(InputError, match=message):
        vse.evaluate(model, other, exclude=None)


def test_sets_without_features_are_refused_before_training(halves):
    with pytest.raises(InputError, match="inputs='features' needs features"):
        vse.ImageAnnotator(inputs="features").fit([["a", "b"], ["b"]])
    with pytest.raises(InputError, match="needs features"):
        vse.ImageAnnotator(inputs="labels, features").fit([["a", "b"], ["b"]])
    same = halves[0].with_features(np.ones((200, 3)))
    with pytest.raises(InputError, match="are the same"):
        vse.ImageAnnotator(inputs="features").fit(same)


def test_pictures_without_labels_are_known_after_loading_too(halves, tmp_path):
    """Found 2026-11: a model from a file knew nothing of pictures in its own set that nobody had tagged."""
    train = halves[0]
    rows, _ = train.pairs()
    model = vse.ImageAnnotator(inputs="labels+features", **SETTINGS).fit(train.with_pairs(rows >= 20))
    model.save(tmp_path / "m.h5")
    loaded = vse.load_model(tmp_path / "m.h5")
    for one in (model, loaded):
        assert one.annotate(["p3"], n=1)[0][0].name in train.labels_of("p3")
        assert "p3" in [match.name for match in one.find_images(train.labels_of("p3")[0], n=400)]


def test_a_set_without_labels_is_said_to_have_none(halves):
    nothing = halves[0].with_pairs(np.zeros(halves[0].n_pairs, bool))
    with pytest.raises(InputError, match="0 pair"):
        vse.ImageAnnotator(inputs="features", **SETTINGS).fit(nothing)
    assert "no image has a label" in why_nothing_can_be_learnt(nothing, "features")


def test_a_loaded_model_without_features_learns_on_from_a_set_that_has_some(tmp_path):
    """Found 2026-11: it was refused after a save and a load, for features that the model does not look at."""
    data = vse.load_dataset("openclipart")
    first, second = data.select_images(slice(0, 400)), data.select_images(slice(400, 600))
    vse.ImageAnnotator(n_factors=4, n_epochs=1, max_neighbours=0, random_state=0).fit(first).save(tmp_path / "m.h5")
    model = vse.load_model(tmp_path / "m.h5").partial_fit(second)
    assert model.seen_.n_images == 600
    model.save(tmp_path / "m.h5")
    assert vse.load_model(tmp_path / "m.h5").seen_.n_pairs == first.n_pairs + second.n_pairs
