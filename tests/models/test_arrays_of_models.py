"""Models whose arrays come from elsewhere: read-only, in other orders of bytes and axes; and such as do not fit."""

from __future__ import annotations

import copy

import joblib
import numba
import numpy as np
import pytest
from array_forms import FORMS, frozen
from changed_sets import forced
from worlds import WORLDS

import vsenumba as vse
from vsenumba.data import Ragged
from vsenumba.training.annotation.epoch import run_launch as annotation_launch
from vsenumba.training.text.epoch import run_launch as text_launch

SOME_FORMS = ["read-only", "read-only Fortran", "big-endian", "float64", "every other column"]


@pytest.fixture(scope="module", params=WORLDS)
def fitted(request):
    world = WORLDS[request.param]
    return world, world.make(n_epochs=2).fit(world.data)


def in_form(arrays, form):
    return {name: form(array) if array.dtype.kind == "f" else frozen(array) for name, array in arrays.items()}


def answers(model, world):
    """Return numbers that the model gives, by everything that looks at its tables."""
    if isinstance(model, vse.WordEmbedder):
        found = [np.array([match.score for match in model.neighbors(model.words_[0], 3)]), model.vectors("words")[1]]
    elif isinstance(model, vse.CrossModalRetriever):
        found = [model.embed_images(world.data), model.embed_captions(world.data), np.array(model.score(world.other))]
    else:
        lists = model.annotate([model.image_ids_[0], model.image_ids_[3]], 3)
        found = [np.array([match.score for one in lists for match in one]), model.embed(world.data)]
        found += [np.array([match.score for match in model.find_images(model.label_names_[2], 4)])]
        found += [model.fold_in([[model.label_names_[1], model.label_names_[2]]])]
        found += [np.array(model.score(world.data))]
        scores = vse.evaluate(model, world.validation, exclude=world.data, metrics=["mrr", "auc"])
        found += [np.array([scores.mean["mrr"], scores.mean["auc"]])]
    return found


@pytest.mark.parametrize("name", SOME_FORMS)
def test_a_model_answers_and_trains_on_from_arrays_in_any_form(fitted, name):
    """Found 2026-11: a wall of Numba's types; and of a retriever, tables in Fortran's order were never trained."""
    world, model = fitted
    plain, other = copy.deepcopy(model), copy.deepcopy(model)
    other.tables_ = in_form(other.tables_, FORMS[name])
    other._memory = in_form(other._memory, FORMS[name])
    given = {**other.tables_}
    for one, expected in zip(answers(other, world), answers(plain, world), strict=True):
        np.testing.assert_allclose(one, expected, rtol=1e-4, atol=1e-6)
    other.partial_fit(world.other)
    plain.partial_fit(world.other)
    for table, expected in plain.tables_.items():
        np.testing.assert_array_equal(other.tables_[table], expected)
    # What was given is as it was.
    for table, expected in model.tables_.items():
        np.testing.assert_array_equal(given[table], expected)


def test_a_checkpoint_of_read_only_arrays_is_resumed(fitted):
    world, model = fitted
    plain, other = copy.deepcopy(model), copy.deepcopy(model)
    other.tables_, other._memory = in_form(other.tables_, frozen), in_form(other._memory, frozen)
    for one in (plain, other):
        one.set_params(n_epochs=4).resume(world.data)
    for table, expected in plain.tables_.items():
        np.testing.assert_array_equal(other.tables_[table], expected)


def test_a_model_that_joblib_maps_is_trained_on(fitted, tmp_path):
    world, model = fitted
    joblib.dump(model, tmp_path / "model")
    mapped = joblib.load(tmp_path / "model", mmap_mode="r")
    assert not any(table.flags.writeable for table in mapped.tables_.values())
    answers(mapped, world)
    mapped.partial_fit(world.other)
    expected = copy.deepcopy(model).partial_fit(world.other)
    for name, table in expected.tables_.items():
        np.testing.assert_array_equal(mapped.tables_[name], table)
    again = joblib.load(tmp_path / "model")
    for name, table in model.tables_.items():
        np.testing.assert_array_equal(again.tables_[name], table)


def test_a_finished_model_without_its_memory_has_nothing_to_resume(fitted, tmp_path):
    """Found 2026-11: ``'NoneType' object is not subscriptable``."""
    world, model = fitted
    model.save(tmp_path / "m.h5")
    loaded = vse.load_model(tmp_path / "m.h5")
    assert loaded.resume(world.data) is loaded
    for name, table in model.tables_.items():
        np.testing.assert_array_equal(loaded.tables_[name], table)


def read_only_data(data):
    if isinstance(data, vse.AnnotationSet):
        return vse.AnnotationSet(
            frozen(data.indptr), frozen(data.indices), *data.shape[1:], data.image_ids, data.label_names
        )
    if isinstance(data, vse.CaptionSet):
        rows, offsets = data.images.take(np.arange(data.n_images))
        images = Ragged.of_rows(frozen(rows), frozen(offsets), "image")
        return vse.CaptionSet(images, data.captions, frozen(data.image_subjects), frozen(data.caption_subjects))
    corpus = vse.Corpus.from_sentences(data)
    return vse.Corpus(frozen(corpus.tokens), frozen(corpus.offsets), corpus.words, frozen(corpus.counts))


def test_read_only_data_is_learnt_from_as_any_other_and_nothing_is_compiled_for_it(fitted):
    world, model = fitted
    compiled = [] if numba.config.DISABLE_JIT else [annotation_launch.compiled, text_launch.compiled]
    before = [list(one.signatures) for one in compiled]
    again = world.make(n_epochs=2).fit(read_only_data(world.data))
    for name, table in model.tables_.items():
        np.testing.assert_array_equal(again.tables_[name], table)
    assert [one.signatures for one in compiled] == before
    if world.metric == "mrr":
        known, test = read_only_data(world.data), read_only_data(world.validation)
        assert (
            vse.evaluate(model, test, exclude=known).mean
            == vse.evaluate(model, world.validation, exclude=world.data).mean
        )


# Arrays that do not fit.


def uses(model, world):
    """Return all that looks at the tables, by name."""
    ways = {"partial_fit": lambda: model.partial_fit(world.other)}
    ways["resume"] = lambda: model.set_params(n_epochs=4).resume(world.data)
    if isinstance(model, vse.ImageAnnotator):
        ways["annotate"] = lambda: model.annotate([model.image_ids_[0]])
        ways["find_images"] = lambda: model.find_images(model.label_names_[0])
        ways["fold_in"] = lambda: model.fold_in([[model.label_names_[0]]])
        ways["score"] = lambda: model.score(world.data)
        ways["evaluate"] = lambda: vse.evaluate(model, world.validation, exclude=world.data)
    if isinstance(model, vse.CrossModalRetriever):
        ways["embed_images"] = lambda: model.embed_images(world.data)
        ways["embed_captions"] = lambda: model.embed_captions(world.data)
    return ways


CUTS = {
    "half of it": lambda array: array[: len(array) // 2],
    "one row": lambda array: array[:1],
    "one row more": lambda array: np.concatenate([array, array[:1]]),
    "another axis": lambda array: array[None],
    "whole numbers": lambda array: array.astype(np.int64),
}


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
def test_a_table_that_does_not_fit_is_refused_by_its_name(fitted, cut):
    """Found 2026-11: IndexError; and an embedder whose tables were cut made up the missing rows without a word."""
    world, model = fitted
    for name, table in model.tables_.items():
        for way in uses(model, world):
            other = copy.deepcopy(model)
            other.tables_[name] = cut(table)
            with pytest.raises(vse.InputError, match=name):
                uses(other, world)[way]()
            assert len(other.history_) == 2


@pytest.mark.parametrize("cut", [CUTS["half of it"], CUTS["one row"], CUTS["another axis"]])
def test_an_optimisers_memory_that_does_not_fit_is_refused_by_its_name(fitted, cut):
    """Found 2026-11: a segmentation fault."""
    world, model = fitted
    for name, sums in model._memory.items():
        if np.shape(cut(sums)) == sums.shape:
            continue
        for way in ("partial_fit", "resume"):
            other = copy.deepcopy(model)
            other._memory[name] = cut(sums)
            with pytest.raises(vse.InputError, match=name):
                uses(other, world)[way]()


def test_best_tables_that_do_not_fit_are_not_put_back(fitted):
    """A sibling: a best epoch's table of one row was written over every row."""
    world, model = fitted
    if world.validation is None:
        return
    best = world.make(n_epochs=2).fit(
        world.data, validation=world.validation, callbacks=[vse.EarlyStopping(world.metric, patience=9)]
    )
    best.best_.tables = {name: table[:1] for name, table in best.best_.tables.items()}
    best._memory = model._memory
    with pytest.raises(vse.InputError, match=r"best_.tables\[.* must have the shape"):
        best.set_params(n_epochs=4).resume(world.data, validation=world.validation)


def test_data_whose_arrays_were_changed_is_refused_before_kernels_see_it():
    """A sibling: a label column beyond the last, set after the set was made, was read past the tables."""
    world = WORLDS["labels"]
    for name, value, seen_by in (
        ("indices", 10_000, "label columns must lie in 0..9"),
        ("indptr", 3, "indptr must rise"),
    ):
        data = copy.deepcopy(world.data)
        forced(data, name)[-1] = value
        with pytest.raises(vse.InputError, match=rf"the data's {name} must"):
            world.make(n_epochs=1, max_neighbours=0).fit(data)
        with pytest.raises(vse.InputError, match=seen_by):
            world.make(n_epochs=1).fit(data)
    model = world.make(n_epochs=1).fit(world.data)
    known = copy.deepcopy(world.data)
    forced(known, "indices")[-1] = 10_000
    with pytest.raises(vse.InputError, match=r"the indices of what is known must lie in 0..9, found 0..10000"):
        vse.evaluate(model, world.validation, exclude=known)
    words = WORLDS["words"].make(n_epochs=1).fit(WORLDS["words"].data)
    words.counts_ = words.counts_[:3]
    with pytest.raises(vse.InputError, match=r"counts_ must have the shape \(9,\), not \(3,\)"):
        words.partial_fit(WORLDS["words"].data)
