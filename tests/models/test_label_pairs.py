"""Weights between labels beside vectors: what they add to scores, how much, and where they go."""

from __future__ import annotations

import numpy as np
import pytest
from checkerboards import checkerboard, model_of

import vsenumba as vse
from vsenumba.models import pair_strength
from vsenumba.models.label_pairs import LabelPairs, mean_labels
from vsenumba.models.pair_strength import chosen_settings
from vsenumba.training.annotation.label_weights import local_weights


def tags(n_images=400, n_topics=60, seed=0):
    """Return images that have two of the three labels of a topic, and one at random: rare labels, known by others."""
    rng = np.random.default_rng(seed)
    lists = []
    for topic in rng.integers(0, n_topics, n_images):
        own = rng.permutation(3)[:2]
        lists.append([*(f"{topic}.{i}" for i in own), f"any {rng.integers(5)}"])
    return vse.AnnotationSet.from_lists(lists, [f"image {i}" for i in range(n_images)])


@pytest.fixture(scope="module")
def model():
    return vse.ImageAnnotator(n_factors=8, n_epochs=3, random_state=0, n_threads=1).fit(tags())


def test_scores_are_products_and_what_known_labels_say(model):
    pairs, data = model.pairs_, model.seen_
    weights = pairs.weights.toarray()
    alone = vse.ImageAnnotator(n_factors=8, n_epochs=3, max_neighbours=0, random_state=0, n_threads=1).fit(data)
    np.testing.assert_array_equal(model.label_factors_, alone.label_factors_)
    rows = np.array([5, 0, 17])
    said = data.to_csr().toarray()[rows] @ weights
    expected = alone.score_block(data, rows) + pairs.strength * said
    assert model.score_block(data, rows) == pytest.approx(expected, rel=1e-4, abs=1e-5)
    for labels in (slice(3, 9), np.array([7, 2])):
        assert model.score_block(data, rows, labels) == pytest.approx(expected[:, labels], rel=1e-4, abs=1e-5)
    new = model.annotate([data.labels_of("image 5")], n=3)[0]
    assert new == [(match.name, pytest.approx(match.score, rel=1e-4)) for match in model.annotate(["image 5"], n=3)[0]]


def test_its_weights_are_those_of_ridge_regressions(model):
    pairs = model.pairs_
    assert mean_labels(model.seen_) == 3
    (expected,) = local_weights(model.seen_, [3 * pairs.l2], 128)
    np.testing.assert_array_equal(pairs.weights.toarray(), expected.toarray())
    assert mean_labels(vse.AnnotationSet.from_lists([["a"], [], ["a", "b", "c"]])) == 2
    assert mean_labels(vse.AnnotationSet([0, 0], [], 3)) == 0


def test_rare_labels_rank_better_than_by_vectors_alone():
    train, test = vse.leave_one_out(tags(1_200), rng=0)
    mrr = {
        n: vse.evaluate(
            vse.ImageAnnotator(n_factors=4, n_epochs=4, max_neighbours=n, random_state=0, n_threads=1).fit(train),
            test,
            exclude=train,
            metrics=["mrr"],
        ).mean["mrr"]
        for n in (0, 16)
    }
    assert mrr[16] > 1.3 * mrr[0]


class Truth:
    """A scorer by vectors that has learnt nothing: only the weights between labels tell labels apart."""

    def __init__(self, scale):
        self.scale = scale

    def score_block(self, known, rows):
        rng = np.random.default_rng(rows)
        return self.scale * rng.standard_normal((len(rows), known.n_labels), np.float32)


def test_what_says_more_counts_more():
    data, rng = tags(), np.random.default_rng
    weak = chosen_settings(lambda part: Truth(0.01), data, 16, rng(0), 1)
    strong = chosen_settings(lambda part: Truth(3.0), data, 16, rng(0), 1)
    assert weak.strength == 1 < strong.strength


def test_labels_are_held_out_of_what_is_trained_on():
    data, seen = tags(), []

    def train(part):
        seen.append(part)
        return Truth(1.0)

    chosen_settings(train, data, 16, np.random.default_rng(0), 1)
    (part,) = seen
    assert data.n_pairs - part.n_pairs == data.n_pairs // 8
    lost = data.labels_per_image - part.labels_per_image
    assert set(lost.tolist()) == {0, 1}
    assert (part.labels_per_image > 0).all()


def test_large_sets_are_tried_in_part(monkeypatch):
    monkeypatch.setattr(pair_strength, "_MOST_IMAGES", 350)
    sizes = []

    def train(part):
        sizes.append(part.n_images)
        return Truth(1.0)

    chosen_settings(train, tags(), 16, np.random.default_rng(0), 1)
    assert sizes == [350]


def test_with_little_to_try_by_nothing_is_tried():
    plain = chosen_settings(None, tags(60), 16, np.random.default_rng(0), 1)
    assert plain == (1.0, 4.0)


def test_the_least_strength_that_is_as_good():
    tried = np.zeros((8, 3, 100))
    tried[3:, 1, ::2] = 0.5
    tried[5, 2, ::2] = 0.5
    tried[5, 2, [0, 2, 4]] = 1.0, 1.0, 0.0  # better in two questions of a hundred and worse in one: as good
    assert pair_strength._most_cautious(tried) == (1.0, 8.0)


def test_more_pairs_are_solved_for_afresh(model, tmp_path):
    model.save(tmp_path / "m.h5")
    grown = vse.load_model(tmp_path / "m.h5")
    before = grown.pairs_
    more = vse.AnnotationSet.from_lists([["0.0", "new"], ["0.1", "new"]], ["other 1", "other 2"])
    grown.partial_fit(more)
    assert (grown.pairs_.l2, grown.pairs_.strength) == (before.l2, before.strength)
    expected = LabelPairs.of(model.seen_.union(more), before.l2, before.strength, 128, 1).weights
    np.testing.assert_array_equal(grown.pairs_.weights.toarray(), expected.toarray())
    assert grown.annotate([["0.0", "0.1"]], only=["new", "1.0"], n=1)[0][0].name == "new"


def test_a_model_that_grows_beyond_what_has_weights_by_default_keeps_its_own(model, tmp_path, monkeypatch):
    """They were solved for with no neighbours then, and so were gone without a word."""
    model.save(tmp_path / "m.h5")
    grown = vse.load_model(tmp_path / "m.h5")
    monkeypatch.setattr("vsenumba.training.annotation.inputs.labels.MOST_WEIGHED_PAIRS", model.seen_.n_pairs)
    grown.partial_fit(vse.AnnotationSet.from_lists([["0.0", "0.1"]], ["one more"]))
    assert grown.chosen("max_neighbours") == 0
    assert grown.pairs_.weights.nnz > 0.9 * model.pairs_.weights.nnz > 0


def test_training_that_ends_before_it_began_leaves_no_pairs(monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    stopped = vse.ImageAnnotator(n_epochs=1)
    monkeypatch.setattr("vsenumba.models.image_annotator.chosen_settings", interrupted)
    with pytest.raises(KeyboardInterrupt):
        stopped.fit(tags())
    with pytest.raises(vse.VsenumbaError):
        stopped.annotate(["image 0"])


def test_files_keep_them(model, tmp_path):
    model.save(tmp_path / "m.h5")
    loaded = vse.load_model(tmp_path / "m.h5")
    assert loaded.annotate(["image 3"]) == model.annotate(["image 3"])
    assert (loaded.pairs_.l2, loaded.pairs_.strength) == (model.pairs_.l2, model.pairs_.strength)
    model_of(n_epochs=1, max_neighbours=0).fit(checkerboard()).save(tmp_path / "plain.h5")
    assert vse.load_model(tmp_path / "plain.h5").pairs_ is None


def test_a_checkpoint_goes_on_with_its_own(tmp_path):
    data = tags()
    whole = vse.ImageAnnotator(n_factors=4, n_epochs=2, deterministic=True, random_state=0).fit(data)
    model = vse.ImageAnnotator(n_factors=4, n_epochs=2, deterministic=True, random_state=0)

    def stop(model, record):
        model.save(tmp_path / "m.h5", include_optimiser=True)
        return True

    model.fit(data, callbacks=[stop])
    resumed = vse.load_model(tmp_path / "m.h5").resume(data)
    assert resumed.annotate(["image 3"]) == whole.annotate(["image 3"])


def test_where_they_have_no_place(model, tmp_path):
    assert model_of("ids", n_epochs=1).fit(checkerboard()).pairs_ is None
    assert vse.ImageAnnotator(("labels", "ids"), n_epochs=1).fit(checkerboard()).pairs_ is None
    with pytest.raises(vse.InputError, match="set max_neighbours=0 with inputs='ids'"):
        vse.ImageAnnotator("ids", max_neighbours=8).fit(checkerboard())
    with pytest.raises(vse.InputError, match="max_neighbours must be a whole number of at least 0 or None, not -1"):
        vse.ImageAnnotator(max_neighbours=-1).fit(checkerboard())
    with pytest.warns(UserWarning, match="the model cannot learn anything"):
        assert vse.ImageAnnotator(n_epochs=1).fit([["a"], ["b"]]).pairs_ is None
    with pytest.raises(
        vse.InputError, match="an index uses vectors alone, but this model also has weights between labels"
    ):
        vse.models.ImageIndex.build(model)


def test_many_pairs_have_none_by_default():
    recipe = vse.training.annotation.inputs.as_inputs("labels").recipe_for
    from vsenumba.training.annotation.inputs.kind import Counts
    from vsenumba.training.optimisers import as_optimiser

    sizes = [recipe(None, None, as_optimiser("adagrad"), Counts(10, 10, n)).max_neighbours for n in (10**7, 10**7 + 1)]
    assert sizes == [128, 0]


def test_what_does_not_fit_into_memory_is_refused(monkeypatch):
    monkeypatch.setattr("vsenumba.models.input_tables.local_weight_bytes", lambda data, n: 1 << 60)
    with pytest.raises(vse.MemoryLimitError, match="leave out frequent labels, or set max_neighbours=0"):
        vse.ImageAnnotator(n_epochs=1).fit(checkerboard())


def test_with_features_a_model_goes_by_what_it_sees_and_by_what_goes_together():
    data = tags()
    data = data.with_features(np.random.default_rng(0).random((data.n_images, 6)))
    model = vse.ImageAnnotator(("features", "labels"), n_factors=4, n_epochs=1, random_state=0, n_threads=1).fit(data)
    assert model.pairs_ is not None
    assert len(model.annotate(["image 0"], n=5)[0]) == 5
    alone = vse.ImageAnnotator("features", n_factors=4, n_epochs=1, random_state=0, n_threads=1).fit(data)
    assert alone.pairs_ is None


def test_weights_that_were_changed_are_refused(model, tmp_path):
    model.save(tmp_path / "m.h5")
    broken = vse.load_model(tmp_path / "m.h5")
    broken.pairs_.weights = broken.pairs_.weights[:3]
    with pytest.raises(vse.InputError, match="the weights between labels must be float32 of the shape"):
        broken.annotate(["image 0"])
