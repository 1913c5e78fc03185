"""Sizes that would never end, or take all the memory there is, are refused before anything is made."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from worlds import WORLDS

import vsenumba as vse
from vsenumba import memory
from vsenumba.training.captions.branch import Branch
from vsenumba.training.captions.projections import PROJECTIONS


@pytest.fixture(params=WORLDS)
def world(request):
    return WORLDS[request.param]


@pytest.fixture
def small_machine(monkeypatch):
    monkeypatch.setattr(memory, "available_bytes", lambda: 1 << 30)


def test_too_many_factors_are_refused_and_the_model_stays_as_it_was(world, small_machine):
    """Found 2026-11: ``n_factors=10**9`` took memory until the system ended the process."""
    with pytest.raises(vse.MemoryLimitError, match=r"n_factors=1000000000\b.* needs at least [0-9,]+ bytes of memory"):
        world.make(n_factors=10**9).fit(world.data)
    model = world.make(n_epochs=1).fit(world.data)
    before = copy.deepcopy(model.tables_)
    with pytest.raises(vse.MemoryLimitError):
        model.set_params(n_factors=10**9).fit(world.data)
    assert all(np.array_equal(model.tables_[name], table) for name, table in before.items())
    assert len(model.history_) == 1
    with pytest.raises(vse.MemoryLimitError):
        world.make(n_factors=2**62).partial_fit(world.data)


def test_more_labels_and_words_than_there_is_room_for_are_refused_when_they_come(world, monkeypatch):
    model = world.make(n_epochs=1).fit(world.data)
    monkeypatch.setattr(memory, "_SMALL", 0)
    monkeypatch.setattr(memory, "available_bytes", lambda: 10)
    with pytest.raises(vse.MemoryLimitError, match="bytes of memory, but 10 are free"):
        model.partial_fit(world.other)
    assert len(model.history_) == 1


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("labels", {"n_negatives": 10**9}, "n_negatives must be at most 10,000 or None, not 1000000000"),
        ("words", {"n_negatives": 10**9}, "n_negatives must be at most 10,000, not 1000000000"),
        ("words", {"n_draws": 10**9}, "n_draws must be at most 100,000 or None, not 1000000000"),
        ("words", {"window": 10**9}, "window must be at most 10,000, not 1000000000"),
        ("captions", {"word_factors": 10**9}, "word_factors=1000000000 .*needs at least"),
        ("captions", {"n_factors": 10**5}, "n_factors=100000.*needs at least"),
        ("labels", {"n_threads": -1}, "n_threads must be a whole number of at least 1 or None, not -1"),
        ("labels", {"n_threads": 2**70}, "n_threads must be a whole number"),
        ("labels", {"random_state": -1}, "random_state must be a whole number >= 0"),
        ("words", {"random_state": -1}, "random_state must be a whole number >= 0"),
        ("captions", {"random_state": -1}, "random_state must be a whole number >= 0"),
        ("labels", {"n_factors": -1}, "n_factors must be a whole number of at least 1, not -1"),
        ("words", {"window": -1}, "window must be a whole number of at least 1, not -1"),
    ],
)
def test_sizes_are_refused_by_name_and_number(small_machine, name, parameters, message):
    with pytest.raises((vse.InputError, vse.MemoryLimitError), match=message):
        WORLDS[name].make(**parameters).fit(WORLDS[name].data)


def test_a_batch_of_more_pairs_than_there_are_is_one_of_all(small_machine):
    world = WORLDS["captions"]
    all_of_it = world.make(n_epochs=1, batch_size=10**9).fit(world.data)
    assert len(all_of_it.history_) == 1
    # With data so large that a batch's cosines do not fit, it is refused.
    images, captions = np.ones((20_000, 1), np.float32), [f"a b{i}" for i in range(20_000)]
    with pytest.raises(vse.MemoryLimitError, match="batch_size=1000000000 needs at least"):
        world.make(batch_size=10**9).fit(vse.CaptionSet.from_lists(images, captions))


@pytest.mark.parametrize("n_labels", [3, 6])
def test_trials_without_end_are_as_many_as_find_every_violator(n_labels):
    """Found 2026-11: ``max_trials=10**9`` tried the same labels for seconds, where none violates the margin."""
    endless, images, labels = vse.WarpSampler(max_trials=10**12), np.ones((1, 1)), -np.ones((n_labels, 1))
    labels[0] = 9
    assert endless.draw(images, labels, 3, rng=0, positives=[[0]]).tolist() == [[-1, -1, -1]]
    labels[1:] = 8.5
    bounded = vse.WarpSampler(max_trials=64 * n_labels)
    for one in (endless, bounded):
        np.testing.assert_allclose(one.law(images, labels, [[0]])[0, 1:], 1 / (n_labels - 1))


def test_ease_asks_for_no_more_than_there_is(small_machine):
    data = vse.AnnotationSet([0, 1], [0], 10_000)
    with pytest.raises(vse.MemoryLimitError, match=r"EASE with 10,000 labels needs at least 2,400,000,000 bytes"):
        vse.EaseAnnotator(max_bytes=10**15).fit(data)


def test_scores_of_all_labels_are_asked_for_before_they_are_made(small_machine):
    data = vse.AnnotationSet([0, 2], [0, 1], 500_000)
    with pytest.raises(vse.MemoryLimitError, match=r"500,000 labels needs at least 2,[0-9,]+ bytes"):
        vse.ImageAnnotator(n_factors=2, loss="softmax").fit(data)


@pytest.mark.parametrize("pooling", ["mean", "gpo", "adpool"])
@pytest.mark.parametrize("projection", PROJECTIONS)
@pytest.mark.parametrize(("width", "n_factors"), [(7, 10), (64, 2), (1, 128)])
def test_the_size_of_parameters_is_known_before_they_are_made(pooling, projection, width, n_factors):
    model = vse.CrossModalRetriever(image_projection=projection, image_pooling=pooling)
    branch = Branch(projection=model.member("image_projection"), pooling=model.member("image_pooling"))
    made = branch.fresh_parameters(width, n_factors, np.random.default_rng(0))
    assert branch.parameter_shapes(width, n_factors) == {name: table.shape for name, table in made.items()}


def test_nothing_is_asked_and_nothing_answered():
    """Empty selections are answers without lines, or one line that says what is missing."""
    ids, captions = (WORLDS[name].make(n_epochs=1).fit(WORLDS[name].data) for name in ("ids", "captions"))
    labels = WORLDS["labels"].make(n_epochs=1).fit(WORLDS["labels"].data)
    for model in (ids, labels):
        assert model.annotate([]) == []
        assert model.fold_in([]).shape == (0, 4)
        assert model.annotate_factors(np.zeros((0, 4))) == []
        assert model.embed(WORLDS["ids"].data[np.zeros(0, int)]).shape == (0, 4)
        with pytest.raises(vse.InputError, match="there is nothing to evaluate"):
            vse.evaluate(model, WORLDS["ids"].data[np.zeros(0, int)], exclude=None)
        for bad in (0, -1, 2.5):
            with pytest.raises(vse.InputError, match="n must be a whole number of at least 1"):
                model.annotate([], bad)
    assert captions.embed_captions([]).shape == (0, 6)
    assert vse.UniformSampler().draw(np.ones((2, 1)), np.ones((3, 1)), 0).shape == (2, 0)
