"""Models that are not fitted: one error everywhere, and no file."""

from __future__ import annotations

import io

import pytest
from sklearn import exceptions

import vsenumba as vse
from vsenumba.errors import VsenumbaError

MODELS = (vse.ImageAnnotator, vse.EaseAnnotator, vse.PopularityAnnotator, vse.WordEmbedder, vse.CrossModalRetriever)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_an_unfitted_model_is_not_saved(model, tmp_path):
    """Found 2026-11: scikit-learn's error alone, which is none of this package's."""
    for target in (tmp_path / "a.h5", io.BytesIO()):
        with pytest.raises(VsenumbaError, match=f"^this {model.__name__} is not fitted yet; call fit first$") as caught:
            model().save(target)
        assert isinstance(caught.value, exceptions.NotFittedError)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("model", MODELS[:3], ids=lambda model: model.__name__)
def test_an_unfitted_model_answers_nothing(model):
    with pytest.raises(VsenumbaError, match="is not fitted yet; call fit first"):
        model().annotate(["a"])


def test_a_fitted_model_needs_a_path(tmp_path):
    data = vse.AnnotationSet.from_lists([["a", "b"], ["b", "c"]])
    for one in (vse.PopularityAnnotator().fit(data), vse.EaseAnnotator().fit(data), data):
        with pytest.raises(VsenumbaError, match="cannot write to an object of type BytesIO; give the path of a file"):
            one.save(io.BytesIO())
