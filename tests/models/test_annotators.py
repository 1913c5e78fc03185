"""Every model of images and labels: scores, suggestions, search, files, evaluation; and the baselines' own."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse as sp
from checkerboards import checkerboard, model_of
from sklearn.base import clone

import vsenumba as vse


def every_model():
    return [model_of(inputs) for inputs in ("ids", "labels")] + [
        vse.EaseAnnotator(l2=1.0),
        vse.EaseAnnotator(l2=1.0, max_neighbours=4),
        vse.PopularityAnnotator(),
    ]


@pytest.mark.parametrize("model", every_model(), ids=lambda model: getattr(model, "inputs", model.kind))
class TestEveryModel:
    def test_scores_have_one_column_per_label(self, model):
        data = checkerboard()
        scores = model.fit(data).score_block(data, np.array([3, 1]))
        assert scores.shape == (2, data.n_labels)
        assert scores.dtype == np.float32
        assert np.isfinite(scores).all()
        # One row and many take different paths through BLAS.
        assert scores[1:] == pytest.approx(model.score_block(data, np.array([1])), rel=1e-4, abs=1e-5)

    def test_annotate_leaves_known_labels_out(self, model):
        data = checkerboard()
        suggestions = model.fit(data).annotate(["image 3", "image 0"], n=4)
        assert [len(one) for one in suggestions] == [4, 4]
        assert not {name for name, _ in suggestions[0]} & set(data.labels_of("image 3"))
        scores = [score for _, score in suggestions[1]]
        assert scores == sorted(scores, reverse=True)
        everything = model.annotate(["image 3"], n=99)[0]
        assert len(everything) == data.n_labels - len(data.labels_of("image 3"))
        assert [score for _, score in everything[:4]] == pytest.approx([score for _, score in suggestions[0]], rel=1e-4)

    def test_find_images(self, model):
        data = checkerboard()
        found = model.fit(data).find_images("label 2", n=5)
        assert len(found) == 5
        assert not any("label 2" in data.labels_of(image) for image, _ in found)
        known = model.find_images("label 2", n=99, include_known=True)
        assert len(known) == data.n_images

    def test_unknown_names_suggest_the_nearest(self, model):
        model.fit(checkerboard())
        with pytest.raises(vse.UnknownNameError, match="unknown image 'imago 3'; did you mean 'image 3'"):
            model.annotate(["imago 3"])
        with pytest.raises(vse.UnknownNameError, match="unknown label 'lable 2'; did you mean 'label 2'"):
            model.find_images("lable 2")
        with pytest.raises(vse.InputError, match="must be a sequence of ids"):
            model.annotate("image 3")
        with pytest.raises(vse.InputError, match="n must be a whole number"):
            model.annotate(["image 3"], n=0)

    def test_every_public_method_works_after_loading_in_a_fresh_process(self, model, tmp_path):
        data = checkerboard()
        model.fit(data).save(tmp_path / "model.h5")
        data.save(tmp_path / "data.h5")
        program = (
            "import sys, json, numpy as np, vsenumba as vse\n"
            "model = vse.load_model(sys.argv[1]); data = vse.load_dataset(sys.argv[2])\n"
            "held = vse.leave_one_out(data, rng=0)[1]\n"
            "out = {'annotate': model.annotate(['image 3']), 'find': model.find_images('label 2'),\n"
            "       'scores': model.score_block(data, np.arange(3)).tolist(), 'params': repr(model),\n"
            "       'mrr': vse.evaluate(model, held, exclude=None, metrics=['mrr']).mean['mrr']}\n"
            "if isinstance(model, vse.ImageAnnotator):\n"
            "    out['embed'] = model.embed(data).tolist(); out['fold'] = model.fold_in([['label 2']]).tolist()\n"
            "    out['factors'] = model.annotate_factors(model.embed(data)[:1]); model.partial_fit(data)\n"
            "model.save(sys.argv[1])\n"
            "print(json.dumps(out))"
        )
        result = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / "model.h5"), str(tmp_path / "data.h5")],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
        out = json.loads(result.stdout)
        assert [tuple(one) for one in out["annotate"][0]] == model.annotate(["image 3"])[0]
        assert out["scores"] == model.score_block(data, np.arange(3)).tolist()
        assert out["params"] == repr(model)
        if isinstance(model, vse.ImageAnnotator):
            assert out["fold"] == model.fold_in([["label 2"]]).tolist()

    def test_sparse_formats_dense_and_lists_give_the_same_model(self, model):
        data = checkerboard(8, 6)
        matrix = data.to_csr()
        formats = [sp.csr_array, sp.csc_array, sp.coo_array, sp.lil_array, sp.dok_array, sp.csr_matrix]
        scores = [
            clone(model)
            .set_params(**({"n_threads": 1} if hasattr(model, "n_threads") else {}))
            .fit(X)
            .score_block(vse.AnnotationSet.from_csr(matrix), np.arange(8))
            for X in [*(form(matrix) for form in formats), matrix.toarray(), matrix.toarray().astype(bool)]
        ]
        for other in scores[1:]:
            assert np.array_equal(scores[0], other)

    def test_evaluation_takes_it(self, model):
        train, test = vse.leave_one_out(checkerboard(), rng=1)
        scores = vse.evaluate(model.fit(train), test, exclude=train, metrics=["mrr", "auc", "recall@3"])
        assert 0 < scores.mean["mrr"] <= 1
        assert scores.n_images == (test.labels_per_image > 0).sum()

    def test_a_fit_is_checked(self, model):
        with pytest.raises(vse.InputError, match="NaN"):
            model.fit(np.array([[1.0, np.nan]]))
        with pytest.raises(vse.InputError, match="negative"):
            model.fit(np.array([[1.0, -1.0]]))
        with pytest.raises(vse.InputError, match="fractional"):
            model.fit(np.array([[1.0, 0.5]]))
        with pytest.raises(vse.InputError, match="there is no file no-tags.csv"):
            model.fit("no-tags.csv")


def test_ease_solves_its_own_problem():
    """B minimises |X - XB|² + l2 |B|² with a zero diagonal (Steck 2019, eq. 4)."""
    data = checkerboard()
    X = data.to_csr().toarray().astype(float)
    B = vse.EaseAnnotator(l2=2.0).fit(data).weights_.astype(float)
    assert (np.diag(B) == 0).all()
    gradient = X.T @ (X @ B - X) + 2.0 * B
    np.fill_diagonal(gradient, 0)
    assert gradient == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("n_threads", [1, 2])
def test_each_label_of_a_sparse_ease_solves_its_own_problem_on_its_neighbours(n_threads):
    """The gradient of |x_b - X w|² + l2 |w|² is 0 in the weights there are, and none is on the diagonal."""
    data = vse.synthetic(300, 60, 1500, rng=0)
    X = data.to_csr().toarray().astype(float)
    weights = vse.EaseAnnotator(l2=2.0, max_neighbours=8, n_threads=n_threads).fit(data).weights_
    B, there = weights.toarray().astype(float), weights.copy()
    there.data[:] = 1
    gradient = X.T @ (X @ B - X) + 2.0 * B
    assert gradient[there.toarray() > 0] == pytest.approx(0, abs=1e-2)
    assert not there.diagonal().any()
    assert 4 < weights.nnz / 60 <= 8 + 1


def test_a_sparse_ease_with_room_for_all_labels_is_ease():
    data = vse.synthetic(300, 40, 2500, rng=0)
    exact = vse.EaseAnnotator(l2=5.0).fit(data)
    sparse = vse.EaseAnnotator(l2=5.0, max_neighbours=400).fit(data)
    assert sparse.weights_.toarray() == pytest.approx(exact.weights_, abs=1e-4)
    found, expected = (dict(model.similar_labels("label-3", 39)) for model in (sparse, exact))
    assert found == pytest.approx(expected, abs=1e-4)


def test_ease_refuses_what_does_not_fit_and_names_the_bytes():
    with pytest.raises(vse.MemoryLimitError, match="needs 2,400 bytes for matrices between 10 labels"):
        vse.EaseAnnotator(max_bytes=1000).fit(checkerboard())
    with pytest.raises(vse.InputError, match="l2 must be positive"):
        vse.EaseAnnotator(l2=0).fit(checkerboard())
