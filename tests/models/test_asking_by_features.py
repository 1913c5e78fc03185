"""Images that are asked about by what they look like, by their tags, or by both."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from checkerboards import checkerboard, model_of

import vsenumba as vse
from vsenumba.data.backbone_id import BackboneId

BOTH = ("labels", "features")


def described(data):
    """Return a set whose images look even or odd, with noise."""
    rng = np.random.default_rng(1)
    sides = np.arange(data.n_images) % 2 * 2 - 1
    looks = np.stack([sides, -sides, np.ones(data.n_images)], axis=1) + 0.1 * rng.standard_normal((data.n_images, 3))
    return data.with_features(looks.astype(np.float32), BackboneId("eyes", "a" * 64))


EVEN, ODD = [-1.0, 1.0, 1.0], [1.0, -1.0, 1.0]


@pytest.fixture(scope="module", params=["features", BOTH], ids=str)
def model(request):
    return model_of(request.param, n_epochs=20).fit(described(checkerboard(60, 10)))


def sides(found):
    return [sum(int(match.name.split()[1]) % 2 for match in one[:4]) for one in found]


def test_new_images_are_annotated_by_their_features_alone(model):
    features = np.array([EVEN, ODD])
    expected = model.annotate(vse.AnnotationSet.from_lists([[], []]).with_features(features))
    for given in (features, features.tolist(), features.astype(np.float16), sp.csr_array(features)):
        found = model.annotate(features=given)
        assert [[match.name for match in one] for one in found] == [[match.name for match in one] for one in expected]
    assert sides(expected) == [0, 4]
    assert [len(one) for one in expected] == [10, 10]
    assert [image for image, _ in model.annotate_each(features=features)] == ["new image 0", "new image 1"]
    only = model.annotate(features=features, only=["label 0", "label 1"], n=1)
    assert [one[0].name for one in only] == ["label 0", "label 1"]


def test_features_go_with_tags_and_with_ids(model):
    features = np.array([EVEN, ODD])
    known = model.annotate([["label 0"], []], features=features)
    assert [len(one) for one in known] == [9, 10]
    data = vse.AnnotationSet.from_lists([["label 0"], []], ["new image 0", "new image 1"]).with_features(features)
    assert known == [
        [(match.name, pytest.approx(match.score, rel=1e-4, abs=1e-5)) for match in one] for one in model.annotate(data)
    ]
    named = model.annotate(["image 0", "image 1"], features=features)
    assert [len(one) for one in named] == [10 - len(model.seen_.labels_of(image)) for image in ("image 0", "image 1")]
    assert len(model.annotate({"a": ["label 0"]}, features=features[:1])[0]) == 9


def test_tags_count_beside_features():
    """By sums: the scores of a picture with a tag are those of the two, which differ from those of either."""
    model = model_of(BOTH, n_epochs=20).fit(described(checkerboard(60, 10)))
    by_both, by_tags, by_looks = (
        dict(found[0])
        for found in (
            model.annotate([["label 0"]], features=np.array([EVEN])),
            model.annotate([["label 0"]]),
            model.annotate(features=np.array([EVEN])),
        )
    )
    data = model.align(vse.AnnotationSet.from_lists([["label 0"]])).with_features(np.array([EVEN]))
    scores = model.score_block(data, np.array([0]))[0]
    assert by_both == {name: pytest.approx(scores[model.label_names_.index([name])[0]], rel=1e-4) for name in by_both}
    assert all(by_both[name] not in (by_tags[name], by_looks[name]) for name in by_both)


def test_features_that_do_not_fit_are_refused(model):
    for features, what in (
        (np.ones((2, 4)), "the images have 4 features each, but the model was trained on 3"),
        (np.ones(3), "features must be a matrix with one row per image; pass a single vector as vector"),
        (np.full((2, 3), np.nan), "the features of image 0 hold NaN or inf"),
        (np.ones((2, 3, 1)), "features must be a matrix"),
    ):
        with pytest.raises(vse.InputError, match=what):
            model.annotate(features=features)
    with pytest.raises(vse.InputError, match="features must have one row per image"):
        model.annotate([["label 0"]], features=np.ones((2, 3)))
    data = described(checkerboard(6, 10))
    with pytest.raises(vse.InputError, match="the images already have features"):
        model.annotate(data, features=np.ones((6, 3)))
    with pytest.raises(vse.InputError, match="the features were computed with the backbone 'ears'"):
        model.annotate(data.with_features(data.features, BackboneId("ears", "b" * 64)))


def test_images_that_look_alike_are_found(model, tmp_path):
    model.save(tmp_path / "m.h5")
    for asked in (model, vse.load_model(tmp_path / "m.h5")):
        found = asked.similar_images(features=np.array(EVEN), n=5)
        assert all(int(match.name.split()[1]) % 2 == 0 for match in found)
        assert asked.similar_images("image 1", n=3)[0].name != "image 1"
        new = vse.AnnotationSet.from_lists([[]] * 6, [f"new {i}" for i in range(6)])
        new = new.with_features(described(checkerboard(6, 10)).features)
        assert all(int(match.name.split()[1]) % 2 for match in asked.find_images("label 1", n=3, images=new))
        assert all(
            int(match.name.split()[1]) % 2 for match in asked.similar_images(features=np.array([ODD]), n=3, images=new)
        )
    with pytest.raises(vse.InputError, match="features must be the vector of one image"):
        model.similar_images(features=np.ones((2, 3)))


def test_pictures_that_were_seen_are_known_after_a_model_was_read(model, tmp_path):
    """Found here: models that go by no ids looked none up, and the vectors of their pictures were lost."""
    model.save(tmp_path / "m.h5")
    other = vse.load_model(tmp_path / "m.h5")
    expected, found = (one.annotate(["image 0", "image 3"], n=4) for one in (model, other))
    assert found == [
        [(match.name, pytest.approx(match.score, rel=1e-4, abs=1e-5)) for match in one] for one in expected
    ]


def test_features_on_disk_are_read_block_by_block(model, tmp_path):
    features = np.tile(np.array([EVEN, ODD], np.float32), (500, 1))
    np.save(tmp_path / "x.npy", features)
    found = model.annotate(features=np.load(tmp_path / "x.npy", mmap_mode="r"), n=4)
    assert sides(found) == [0, 4] * 500
