"""Images of which a model knows nothing: no label is made up for them."""

from __future__ import annotations

import tracemalloc
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from checkerboards import checkerboard, model_of

import vsenumba as vse

STRANGERS = (["stranger"], ["label 0"])


def with_an_unlabelled_image(data):
    """Return a set with one image more, which has no label."""
    matrix = np.vstack([data.to_csr().toarray(), np.zeros(data.n_labels)])
    return vse.AnnotationSet.from_csr(matrix, [*data.image_ids, "bare"], data.label_names)


def test_ids_know_no_image_that_they_were_not_trained_on():
    """Found 2026-11: `annotate` gave all labels with score 0.0, while `embed` refused."""
    model, strangers = model_of("ids").fit(checkerboard()), vse.AnnotationSet.from_pairs(*STRANGERS)
    for ask in (model.annotate, model.embed, lambda data: model.vectors("images", data)):
        with pytest.raises(vse.UnknownNameError, match="unknown image 'stranger'"):
            ask(strangers)
    # In a sum, the other input knows it.
    both = model_of(("ids", "labels")).fit(checkerboard())
    assert len(both.annotate(strangers, n=3)[0]) == 3


# A row of ids that no pair has trained is as it was drawn: what it says is made up.
@pytest.mark.parametrize(
    "model",
    [model_of(), model_of("ids"), model_of(("labels", "ids")), vse.EaseAnnotator(l2=1.0)],
    ids=["labels", "ids", "sum", "ease"],
)
def test_nothing_is_suggested_for_an_image_without_labels(model):
    data = with_an_unlabelled_image(checkerboard())
    model.fit(data)
    with pytest.warns(UserWarning, match="no labels are suggested for 1 image.*'bare': nothing is known"):
        suggested = model.annotate(["bare", "image 0"], n=2)
    assert [len(one) for one in suggested] == [0, 2]
    with pytest.warns(UserWarning, match="nothing is known"):
        assert model.annotate(data.select_images(np.array([data.n_images - 1]))) == [[]]
    # Nor is it found: its score of 0 beat others.
    assert "bare" not in [one.name for one in model.find_images("label 2", n=99, include_known=True)]


def test_ease_makes_nothing_up_of_a_label_that_stands_alone():
    """A sibling: a label that no other stands beside has weights of 0, and all labels came with score 0.0."""
    data = vse.AnnotationSet.from_lists([["cat", "animal"], ["dog", "animal"], ["alone"]], ["a", "b", "c"])
    model = vse.EaseAnnotator(l2=1.0).fit(data)
    with pytest.warns(UserWarning, match="no labels are suggested for 1 image.*'c'"):
        assert [len(one) for one in model.annotate(["a", "c"])] == [2, 0]
    assert [match.name for match in model.find_images("cat", include_known=True)] == ["a", "b"]


def test_popularity_needs_no_label():
    data = with_an_unlabelled_image(checkerboard())
    model = vse.PopularityAnnotator().fit(data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(model.annotate(["bare"], n=2)[0]) == 2
    assert "bare" in [one.name for one in model.find_images("label 2", n=99)]


@pytest.mark.parametrize("inputs", ["labels", "ids", ("labels", "ids")])
def test_an_image_folded_in_without_labels_gets_no_suggestion(inputs):
    """Found 2026-11: `fold_in([[]])` led to all labels with score 0.0, or with those of a row as it was drawn."""
    model = model_of(inputs).fit(checkerboard())
    factors = model.fold_in([[], ["label 0"]])
    assert not factors[0].any()
    assert factors[1].any()
    with pytest.warns(UserWarning, match=r"no labels are suggested for 1 image.*'row 0'"):
        assert [len(one) for one in model.annotate_factors(factors, n=2)] == [0, 2]
    with pytest.warns(UserWarning, match=r"no labels are suggested for 1 image.*'new image 0'"):
        assert [len(one) for one in model.annotate([[], ["label 0"]], n=2)] == [0, 2]


def test_searching_holds_the_scores_of_one_label_only():
    """Found 2026-11: `find_images` kept the scores of all labels for all images, 4 GB at 50,000 by 20,000."""
    everything = vse.AnnotationSet.from_csr(
        np.eye(2000, 20_000) + np.eye(2000, 20_000, 1), None, [f"label {j}" for j in range(20_000)]
    )
    for model in (model_of(), model_of("ids"), vse.PopularityAnnotator()):
        model.fit(everything)
        tracemalloc.start()
        found = model.find_images("label 7", n=3, include_known=True)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert len(found) == 3
        # All scores would take 160 MB.
        assert peak < 16e6


def shifted(data):
    """Return a set as it is read where ids went through floating point: "7.0" in place of "7"."""
    return vse.AnnotationSet.from_csr(data.to_csr(), [f"{i}.0" for i in range(data.n_images)], data.label_names)


@pytest.mark.parametrize("model", [model_of(), model_of("ids"), vse.EaseAnnotator(l2=1.0), vse.PopularityAnnotator()])
def test_evaluation_refuses_images_that_match_nothing(model):
    """Found 2026-11: ids read as floats matched no image, and the MRR was .006 instead of .625 without a word."""
    board = checkerboard()
    data = vse.AnnotationSet.from_csr(board.to_csr(), None, board.label_names)
    train, test = vse.leave_one_out(data, rng=0)
    model.fit(train)
    for exclude in (train, None):
        with pytest.raises(
            vse.InputError,
            match=r"neither the model nor exclude contains any image of the test set.*image '0.0'; did you mean '",
        ):
            vse.evaluate(model, shifted(test), exclude=exclude)
    if isinstance(model, vse.ImageAnnotator):
        with pytest.raises(vse.InputError, match="neither the model nor exclude contains any image of the test set"):
            model.fit(train, validation=shifted(test))


def test_evaluation_refuses_images_whose_rows_no_training_has_seen():
    """A sibling: test and exclude agree on ids that the model, which knows images by their rows, has never seen."""
    train, test = vse.leave_one_out(checkerboard(), rng=0)
    model = model_of("ids").fit(train)
    with pytest.raises(vse.InputError, match="knows nothing about any test image, such as '0.0'"):
        vse.evaluate(model, shifted(test), exclude=shifted(train))
    # By its labels an image is known whatever its id.
    assert vse.evaluate(model_of().fit(train), shifted(test), exclude=shifted(train)).mean["mrr"] > 0


def test_evaluation_warns_of_pairs_that_were_trained_on():
    """A sibling: a model that was fitted to all pairs is flattered by those that were held out of another."""
    data = checkerboard()
    train, test = vse.leave_one_out(data, rng=0)
    model = model_of().fit(data)
    for exclude in (train, None):
        with pytest.warns(
            UserWarning, match=f"trained on {test.n_pairs} of the {test.n_pairs} test pairs, so its scores"
        ):
            vse.evaluate(model, test, exclude=exclude)
    # Nothing is wrong with labels that images have beside those that were seen, or with new images of the same ids.
    model.fit(train)
    vse.evaluate(model, test, exclude=vse.AnnotationSet.from_csr(train.to_csr(), train.image_ids, train.label_names))
    assert 0 < vse.EaseAnnotator(l2=1.0).fit(data.to_csr()[:12]).score(data.to_csr()[12:]) <= 1


def test_evaluation_warns_of_some_images_that_match_nothing():
    train, test = vse.leave_one_out(checkerboard(), rng=0)
    ids = [f"img {i}" if i < 3 else name for i, name in enumerate(test.image_ids)]
    other = vse.AnnotationSet.from_csr(test.to_csr(), ids, test.label_names)
    with pytest.warns(UserWarning, match=r"3 of 24 test images are neither .*'img 0'; did you mean .*'img 1'"):
        vse.evaluate(model_of().fit(train), other, exclude=train)


@pytest.mark.parametrize("model", [model_of(), model_of("ids"), vse.EaseAnnotator(l2=1.0)])
@pytest.mark.parametrize("form", [list, np.array, sp.csr_array], ids=["lists", "matrix", "sparse"])
def test_rows_of_another_number_are_other_images(model, form):
    """Found 2026-11: the first rows of one matrix were taken for those of another, and ranked by what these had."""
    board = checkerboard(12, 6)
    matrix = board.to_csr().toarray() > 0
    if form is list:
        lists = [board.labels_of(image) for image in board.image_ids]
        model.fit(lists)
        others, known = lists[:5], [one[:1] for one in lists]
    else:
        model.fit(form(matrix))
        others, known = form(matrix[:5]), form(matrix & (np.cumsum(matrix, axis=1) == 1))
    with pytest.raises(
        vse.InputError, match="neither the model nor exclude contains any image of the test set: .* 'new image 0'"
    ):
        vse.evaluate(model, others, exclude=None)
    # As many rows are the model's images.
    assert vse.evaluate(model, known, exclude=None).n_images == 12
