"""The models: fitting, growing, folding in, suggesting, saving; the baselines; scikit-learn's conventions."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse as sp
from golden_files import golden_path
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import check_estimator

import vsenumba as vse
from vsenumba.models import MODELS
from vsenumba.models.parameters import from_json, to_json
from vsenumba.samplers import SAMPLERS
from vsenumba.training.annotation.inputs import INPUTS

# One combination for all tests that do not need another: each takes the compiler seconds.
PLAIN = {"n_factors": 4, "sampler": "uniform", "n_epochs": 3, "schedule": "constant", "random_state": 0}


def model_of(inputs="labels", **parameters):
    return vse.ImageAnnotator(inputs=inputs, **(PLAIN | parameters))


def checkerboard(n=24, n_labels=10, seed=0):
    """Return a set whose right answer is known: even images have even labels, odd images odd ones."""
    rng = np.random.default_rng(seed)
    matrix = (np.add.outer(np.arange(n), np.arange(n_labels)) % 2 == 0) & (rng.random((n, n_labels)) < 0.8)
    matrix[np.arange(n), np.arange(n) % 2] = True
    matrix[np.arange(n), np.arange(n) % 2 + 2] = True
    names = [f"label {j}" for j in range(n_labels)]
    return vse.AnnotationSet.from_csr(matrix, [f"image {i}" for i in range(n)], names)


def every_model():
    return [model_of(inputs) for inputs in INPUTS] + [vse.EaseAnnotator(l2=1.0), vse.PopularityAnnotator()]


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
        with pytest.raises(vse.InputError, match="X must be an AnnotationSet, a matrix or label lists, not 'tags.csv'"):
            model.fit("tags.csv")


@pytest.mark.parametrize("inputs", INPUTS)
def test_the_checkerboard_is_learnt(inputs):
    train, test = vse.leave_one_out(checkerboard(40, 12), rng=0)
    model = model_of(inputs, n_epochs=40, n_factors=8).fit(train)
    # Among the labels an image does not have, those of its own colour come first: 3 of 8 or so.
    assert vse.evaluate(model, test, exclude=train, metrics=["auc"]).mean["auc"] > 0.9


@pytest.mark.parametrize("inputs", INPUTS)
def test_the_same_seed_gives_bit_equal_factors_when_deterministic(inputs):
    data = checkerboard()
    a, b, c = (model_of(inputs, deterministic=True, random_state=seed).fit(data) for seed in (1, 1, 2))
    assert np.array_equal(a.label_factors_, b.label_factors_)
    assert not np.array_equal(a.label_factors_, c.label_factors_)


@pytest.mark.parametrize("inputs", INPUTS)
def test_what_is_left_out_is_taken_from_the_recipe(inputs):
    kind, data = INPUTS[inputs](), checkerboard()
    recipe = kind.recipe
    written_out = {name: getattr(recipe, name) for name in ("learning_rate", "l2", "n_negatives")}
    models = [
        vse.ImageAnnotator(inputs=inputs, n_factors=4, n_epochs=2, random_state=0, deterministic=True, **parameters)
        for parameters in ({}, {**written_out, "sampler": kind.default_sampler(data.n_labels)})
    ]
    left_out, given = (model.fit(data).label_factors_ for model in models)
    assert np.array_equal(left_out, given)
    assert models[0].sampler is None


def test_the_default_samplers_look_at_more_labels_where_there_are_more():
    counts = {
        name: [INPUTS[name]().default_sampler(n).n_candidates for n in (1, 400, 2631, 10**6)]
        for name in ("labels", "ids")
    }
    assert counts == {"labels": [6, 6, 13, 16], "ids": [2, 4, 10, 32]}


def test_fit_starts_afresh_and_partial_fit_goes_on():
    data = checkerboard()
    once = model_of(deterministic=True).fit(data)
    again = model_of(deterministic=True).fit(data).fit(data)
    assert np.array_equal(once.label_factors_, again.label_factors_)
    whole = model_of(deterministic=True, n_epochs=5).fit(data)
    parts = model_of(deterministic=True, n_epochs=3).fit(data).partial_fit(data, n_epochs=2)
    assert np.array_equal(whole.label_factors_, parts.label_factors_)
    assert parts.history_["epoch"].tolist() == [1, 2, 3, 4, 5]
    assert parts.history_[-1]["steps"] == whole.history_[-1]["steps"]


def test_training_that_is_taken_up_from_a_checkpoint_goes_the_same_way(tmp_path):
    data = checkerboard()
    whole = model_of(deterministic=True, n_epochs=5).fit(data)
    path = tmp_path / "checkpoint.h5"

    def stop_at_two(model, record):
        return record["epoch"] == 2

    model_of(deterministic=True, n_epochs=5).fit(data, callbacks=[vse.Checkpoint(path), stop_at_two])
    resumed = vse.load_model(path).partial_fit(data, n_epochs=3)
    assert np.array_equal(whole.label_factors_, resumed.label_factors_)


@pytest.mark.parametrize("inputs", INPUTS)
def test_partial_fit_grows_the_tables(inputs):
    data = checkerboard()
    more = vse.AnnotationSet.from_pairs(["image 0", "new", "new"], ["brand new", "label 1", "brand new"])
    model = model_of(inputs).fit(data)
    model.partial_fit(more)
    assert model.label_factors_.shape == (data.n_labels + 1, 4)
    assert list(model.label_names_)[-1] == "brand new"
    assert list(model.image_ids_) == [*data.image_ids, "new"]
    assert model.seen_.n_pairs == data.n_pairs + 3
    assert "brand new" not in [name for name, _ in model.annotate(["new"], n=99)[0]]
    nothing = vse.AnnotationSet.from_csr(sp.csr_array((0, data.n_labels)), [], data.label_names)
    assert model.partial_fit(nothing).label_factors_.shape == (data.n_labels + 1, 4)


def test_partial_fit_on_nothing_fitted_begins():
    assert model_of().partial_fit(checkerboard()).history_[-1]["epoch"] == 1


@pytest.mark.parametrize("inputs", INPUTS)
def test_fold_in_gives_factors_and_leaves_the_model_alone(inputs):
    data = checkerboard(40, 12)
    model = model_of(inputs, n_epochs=40).fit(data)
    before = {name: table.copy() for name, table in model.tables_.items()}
    factors = model.fold_in([["label 0", "label 4"], ["label 1"]])
    assert factors.shape == (2, 4)
    assert all(np.array_equal(before[name], table) for name, table in model.tables_.items())
    even = [int(name.split()[1]) % 2 == 0 for name, _ in model.annotate_factors(factors, n=4)[0]]
    assert sum(even) >= 3
    with pytest.raises(vse.UnknownNameError, match="unknown label 'lable 0'"):
        model.fold_in([["lable 0"]])
    with pytest.raises(vse.InputError, match="one list of names per image"):
        model.fold_in(["label 0"])
    with pytest.raises(vse.InputError, match="factors must be"):
        model.annotate_factors(np.ones((2, 3)))


def test_embed_is_what_scores_are_made_of():
    data = checkerboard()
    for inputs in INPUTS:
        model = model_of(inputs).fit(data)
        vectors = model.embed(data)
        assert vectors.dtype == np.float32
        assert model.score_block(data, np.arange(3)) == pytest.approx(vectors[:3] @ model.label_factors_.T, abs=1e-5)
    stranger = vse.AnnotationSet.from_pairs(["stranger"], ["label 0"])
    assert model_of("labels").fit(data).embed(stranger).shape == (1, 4)
    with pytest.raises(vse.UnknownNameError, match="unknown image 'stranger'"):
        model_of("ids").fit(data).embed(stranger)


def test_a_transposed_matrix_is_pointed_out():
    model = model_of().fit(checkerboard())
    with pytest.raises(vse.InputError, match="did you pass the transpose"):
        model.embed(checkerboard().to_csr().T)
    with pytest.raises(vse.InputError, match="did you pass the transpose"):
        vse.AnnotationSet.from_csr(np.eye(3, 5), image_ids=list("abcde"), label_names=list("abc"))


def test_early_stopping_puts_the_best_epoch_back():
    train, test = vse.leave_one_out(checkerboard(), rng=0)
    stopping = vse.EarlyStopping("mrr", patience=2)
    model = model_of(n_epochs=50, deterministic=True).fit(train, validation=test, callbacks=[stopping])
    assert len(model.history_) == min(stopping.best_epoch_ + 2, 50)
    assert vse.evaluate(model, test, exclude=train).mean["mrr"] == pytest.approx(stopping.best_value_)
    assert stopping.best_value_ == model.history_["mrr"].max()
    with pytest.raises(vse.InputError, match="give fit a validation set"):
        model_of().fit(train, callbacks=[vse.EarlyStopping()])
    with pytest.raises(vse.InputError, match="patience must be"):
        vse.EarlyStopping(patience=0)


def test_a_checkpoint_that_cannot_be_written_is_found_before_training(tmp_path):
    epochs = []
    with pytest.raises(vse.VsenumbaError, match="missing"):
        model_of().fit(
            checkerboard(),
            callbacks=[vse.Checkpoint(tmp_path / "missing" / "m.h5"), lambda m, r: epochs.append(1)],
        )
    assert epochs == []


def test_a_time_budget_ends_training():
    model = model_of(n_epochs=10_000).fit(checkerboard(), callbacks=[vse.TimeBudget(0.01)])
    assert model.history_[-1]["seconds"] >= 0.01
    assert len(model.history_) < 10_000


def test_divergence_keeps_the_last_finite_checkpoint(tmp_path):
    path = tmp_path / "m.h5"
    # Every step turns a row over and doubles it: finite for an epoch or two, and then no more.
    model = model_of("ids", optimiser="sgd", learning_rate=1.0, l2=3.0, n_epochs=60)
    with (
        np.errstate(all="ignore"),
        pytest.raises(vse.TrainingDivergedError, match="is not finite after epoch") as caught,
    ):
        model.fit(checkerboard(), callbacks=[vse.Checkpoint(path)])
    saved = vse.load_model(path)
    assert len(saved.history_) == caught.value.epoch - 1 > 0
    assert all(np.isfinite(table).all() for table in saved.tables_.values())


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_factors": 0}, "n_factors must be a whole number"),
        ({"n_epochs": 1.5}, "n_epochs must be a whole number"),
        ({"n_negatives": True}, "n_negatives must be a whole number"),
        ({"learning_rate": 0}, "learning_rate must be positive"),
        ({"learning_rate": float("nan")}, "learning_rate must be positive"),
        ({"l2": -1}, "l2 must be finite"),
        ({"device": "cuda"}, "device must be 'cpu'"),
        ({"inputs": "pixels"}, "unknown inputs 'pixels'"),
        ({"sampler": "adaptve"}, "did you mean 'adaptive'"),
        ({"loss": 3}, "loss must be a loss or a name"),
        ({"schedule": "never"}, "unknown schedule 'never'"),
        ({"random_state": "seed"}, "random_state must be"),
        ({"n_threads": 0}, "n_threads must be"),
    ],
)
def test_bad_parameters_are_refused_by_name(parameters, message):
    with pytest.raises(vse.VsenumbaError, match=message):
        model_of(**parameters).fit(checkerboard())


def test_nothing_to_learn_from_is_refused():
    with pytest.raises(vse.InputError, match="there is nothing to learn from"):
        model_of().fit(np.zeros((3, 2)))


def test_threads_reduced_for_determinism_are_said():
    with pytest.warns(UserWarning, match="deterministic=True reduces n_threads=2 to 1"):
        model_of(deterministic=True, n_threads=2).fit(checkerboard())


@pytest.mark.parametrize("random_state", [np.random.default_rng(3), np.random.SeedSequence(4), None, 2**100])
def test_every_kind_of_random_state_can_be_saved(random_state, tmp_path):
    model = model_of(random_state=random_state).fit(checkerboard())
    model.save(tmp_path / "m.h5")
    loaded = vse.load_model(tmp_path / "m.h5")
    assert loaded.seed_entropy_ == model.seed_entropy_
    assert np.array_equal(loaded.label_factors_, model.label_factors_)


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_models_members_survive_as_json(name):
    model = model_of(sampler=SAMPLERS[name](), loss=vse.HingeLoss(margin=0.5), optimiser=vse.Sgd())
    parameters = model.get_params(deep=False)
    assert from_json(json.loads(json.dumps(to_json(parameters)))) == parameters


def test_a_models_members_survive_saving(tmp_path):
    model = model_of(loss=vse.HingeLoss(margin=0.5), optimiser=vse.Sgd())
    model.fit(checkerboard()).save(tmp_path / "m.h5")
    assert vse.load_model(tmp_path / "m.h5").get_params() == model.get_params()


def test_ease_solves_its_own_problem():
    """B minimises |X - XB|² + l2 |B|² with a zero diagonal (Steck 2019, eq. 4)."""
    data = checkerboard()
    X = data.to_csr().toarray().astype(float)
    B = vse.EaseAnnotator(l2=2.0).fit(data).weights_.astype(float)
    assert (np.diag(B) == 0).all()
    gradient = X.T @ (X @ B - X) + 2.0 * B
    np.fill_diagonal(gradient, 0)
    assert gradient == pytest.approx(0, abs=1e-4)


def test_ease_refuses_what_does_not_fit_and_names_the_bytes():
    with pytest.raises(vse.MemoryLimitError, match="needs 2,400 bytes for its matrices between 10 labels"):
        vse.EaseAnnotator(max_bytes=1000).fit(checkerboard())
    with pytest.raises(vse.InputError, match="l2 must be positive"):
        vse.EaseAnnotator(l2=0).fit(checkerboard())


def test_clone_and_grid_search():
    model = model_of(sampler=vse.AdaptiveSampler(lam=0.1))
    assert clone(model).get_params() == model.get_params()
    data = checkerboard()

    def mrr(model, X, y=None):
        train, test = vse.leave_one_out(vse.AnnotationSet.from_csr(X), rng=0)
        return vse.evaluate(model, test, exclude=train, metrics=["mrr"]).mean["mrr"]

    search = GridSearchCV(model_of(), {"l2": [0.001, 0.1]}, scoring=mrr, cv=2)
    search.fit(data.to_csr())
    assert set(search.best_params_) == {"l2"}


class _Thresholded:
    """Makes scikit-learn's numbers into pairs: a label is where a value is above 0."""

    def fit(self, X, y=None):
        return super().fit(self._pairs(X), y)

    def _pairs(self, X):
        if sp.issparse(X):
            return X > 0
        X = np.asarray(X)
        if X.dtype.kind == "f" and np.isfinite(X).all() and X.ndim == 2:
            return X > 0
        return X


class ThresholdedImageAnnotator(_Thresholded, vse.ImageAnnotator):
    def partial_fit(self, X, y=None):
        return super().partial_fit(self._pairs(X), y)


class ThresholdedEase(_Thresholded, vse.EaseAnnotator):
    pass


class ThresholdedPopularity(_Thresholded, vse.PopularityAnnotator):
    pass


# Scikit-learn's checks that do not hold, and why.
EXPECTED_FAILURES = {
    "check_dtype_object": "an object array is read as numbers, and what is not a number is refused as an InputError",
    "check_positive_only_tag_during_fit": "the thresholded numbers of this test are never negative",
    "check_fit_non_negative": "likewise",
}


@pytest.mark.filterwarnings("ignore:.*")
@pytest.mark.parametrize(
    "model",
    [ThresholdedImageAnnotator(**PLAIN, deterministic=True), ThresholdedEase(), ThresholdedPopularity()],
    ids=lambda model: type(model).__name__,
)
def test_scikit_learns_checks_fail_only_where_expected(model):
    results = check_estimator(model, on_fail=None)
    failed = {one["check_name"]: one["exception"] for one in results if one["status"] == "failed"}
    assert set(failed) == set(EXPECTED_FAILURES), failed
    assert sum(one["status"] == "passed" for one in results) >= 30


def test_a_model_file_of_version_1_still_loads():
    model = vse.load_model(golden_path("model", 1))
    assert model.sampler == vse.AdaptiveSampler(lam=0.05)
    assert model.annotate(["a"])[0] == [("dog", pytest.approx(0.5 / 2**0.75))]
    assert model.fold_in([["猫"]]).tolist() == [[0.5, 0.5]]
    assert model.history_["epoch"].tolist() == [1, 2]
    assert model.seed_entropy_ == 7


def test_all_kinds_can_be_loaded(tmp_path):
    captioned = vse.CaptionSet.from_lists(np.eye(2), ["a cat", "a dog"])
    settings = {vse.ImageAnnotator: PLAIN, vse.CrossModalRetriever: {"n_factors": 2, "min_count": 1, "n_epochs": 1}}
    data = {vse.WordEmbedder: [["a", "b"]], vse.CrossModalRetriever: captioned}
    for kind, cls in MODELS.items():
        model = cls(**settings.get(cls, {}))
        model.fit(data.get(cls, checkerboard())).save(tmp_path / f"{kind}.h5")
        assert type(vse.load_model(tmp_path / f"{kind}.h5")) is cls
