"""Images of which a model knows nothing: no label is made up for them."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
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


@pytest.mark.parametrize("model", [model_of(), vse.EaseAnnotator(l2=1.0)], ids=["labels", "ease"])
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


@pytest.mark.parametrize("model", [model_of("ids"), vse.PopularityAnnotator()], ids=["ids", "popularity"])
def test_models_that_need_no_label_suggest_some(model):
    data = with_an_unlabelled_image(checkerboard())
    model.fit(data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(model.annotate(["bare"], n=2)[0]) == 2
    assert "bare" in [one.name for one in model.find_images("label 2", n=99)]
