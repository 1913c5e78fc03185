"""What a cluster does but training: evaluation, suggestions, searches, vectors, comparisons; all as on one machine."""

from __future__ import annotations

import importlib.util
import os
import signal
import time
from concurrent.futures import CancelledError

import numpy as np
import pytest
from fixed_scores import FixedScorer

import vsenumba as vse
from vsenumba.cluster import over_parts as over_parts_module
from vsenumba.cluster import places as places_module
from vsenumba.cluster.over_parts import over_parts
from vsenumba.data import Ragged
from vsenumba.data.annotation.stacked_features import StackedFeatures
from vsenumba.errors import ClusterError
from vsenumba.models import encode_each
from vsenumba.models.travelling import parts_of

distributed = pytest.importorskip("distributed")

# Dask's own tasks may still be pending when a loop ends, and sockets open.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SMALL = {"samplers": ["uniform", "popularity"], "n_factors": 4, "n_epochs": 3, "n_seeds": 2, "n_threads": 1}

METRICS = ["mrr", "auc", "recall@5", "psp@3", "coverage@2"]


def some_images(n_images, n_labels, *, features=False, absent=False):
    """Return images with names of their own, in no order."""
    rng = np.random.default_rng(0)
    tags = rng.random((n_images, n_labels)) < 4 / n_labels
    tags[:, :2] = True
    ids = [f"image {i}" for i in rng.permutation(n_images)]
    numbers = rng.random((n_images, 5)).astype(np.float32) if features else None
    data = vse.AnnotationSet.from_csr(tags, ids, [f"label {j}" for j in range(n_labels)], numbers)
    return data.with_absent(~tags & (rng.random(tags.shape) < 0.1)) if absent else data


def fitted(data, inputs="labels", **parameters):
    return vse.ImageAnnotator(
        inputs, **{"n_factors": 4, "n_epochs": 1, "max_neighbours": 0, "n_threads": 1, "random_state": 0} | parameters
    ).fit(data)


def same_scores(one, other):
    assert one.mean == other.mean
    for name, values in one.per_image.items():
        np.testing.assert_array_equal(values, other.per_image[name])
    if one.groups is not None:
        for name, column in one.groups.to_columns().items():
            np.testing.assert_array_equal(column, other.groups.to_columns()[name])


@pytest.mark.parametrize("inputs", ["labels", "ids", "features", ("labels", "features")], ids=str)
def test_an_evaluation_is_that_of_one_machine(client, inputs):
    features = "features" in inputs
    train, test = vse.leave_one_out(some_images(1200, 30, features=features, absent=inputs == "labels"), rng=0)
    model = fitted(train, inputs)
    how = {"exclude": train, "metrics": METRICS, "by": "popularity"}
    same_scores(vse.evaluate(model, test, client=client, **how), vse.evaluate(model, test, **how))


def test_other_models_are_evaluated_too(client):
    train, test = vse.leave_one_out(some_images(200, 30), rng=0)
    weighed = fitted(train, max_neighbours=8)
    for model in (vse.PopularityAnnotator().fit(train), vse.EaseAnnotator().fit(train), weighed):
        same_scores(
            vse.evaluate(model, test, exclude=None, metrics=["mrr"], max_images=50, rng=1, client=client),
            vse.evaluate(model, test, exclude=None, metrics=["mrr"], max_images=50, rng=1),
        )


def test_an_image_with_a_label_in_both_sets_is_named_as_ever(client):
    data = some_images(60, 12)
    with pytest.raises(vse.InputError, match=r"image 'image \d+' has a label both in test and in exclude"):
        vse.evaluate(fitted(data), data, exclude=data, client=client)


@pytest.mark.parametrize("inputs", ["labels", "ids", "features"])
def test_suggestions_are_those_of_one_machine(client, inputs):
    # With so many labels a block has 64 images.
    data = some_images(400, 1 << 14, features=inputs == "features", absent=inputs == "labels")
    model = fitted(data, inputs)
    alone = list(model.annotate_each(data, n=3))
    assert list(model.annotate_each(data, n=3, client=client)) == alone
    assert len(alone) == 400
    some = {"n": 2, "only": ["label 3", "label 5", "label 7"], "least_score": alone[0][1][2].score - 1}
    ids = list(data.image_ids)[90:200]
    assert list(model.annotate_each(ids, **some, client=client)) == list(model.annotate_each(ids, **some))


def test_of_images_of_which_nothing_is_known_nothing_is_suggested(client):
    data = some_images(30, 12)
    model = fitted(data)
    asked = data.with_pairs(np.repeat(np.arange(30) > 3, data.labels_per_image))
    with pytest.warns(UserWarning, match="no labels are suggested for 4 image"):
        found = list(model.annotate_each(asked, client=client))
    assert [len(matches) > 0 for _, matches in found] == [False] * 4 + [True] * 26


@pytest.fixture(scope="module")
def many():
    """Four blocks of images, and a model."""
    rng = np.random.default_rng(0)
    data = vse.AnnotationSet.from_csr(rng.random((4 * 65_536 + 9, 6)) < 0.4)
    return data, fitted(data[:1000])


def test_searches_find_what_one_machine_finds(client, many):
    data, model = many
    label = model.label_names_[1]
    for how in ({}, {"include_known": True}, {"least_score": model.find_images(label, 7, images=data)[4].score}):
        alone = model.find_images([label, model.label_names_[3]], 50, images=data, **how)
        assert model.find_images([label, model.label_names_[3]], 50, images=data, **how, client=client) == alone
    for image in ("70000", [label]):
        found = model.similar_images(image, 20, images=data, client=client)
        assert found == model.similar_images(image, 20, images=data)
        assert "70000" not in [one.name for one in found] or image == [label]
    assert model.find_images(label, 3, client=client) == model.find_images(label, 3)


def test_vectors_come_in_blocks(client, many):
    data, model = many
    ids, vectors = (np.concatenate(one) for one in zip(*model.embed_each(data, client=client), strict=True))
    assert ids.tolist() == list(data.image_ids)
    np.testing.assert_array_equal(vectors, np.concatenate([one for _, one in model.embed_each(data)]))
    np.testing.assert_array_equal(vectors, model.embed(data))


def captioned(n=2100, *, tokens=False):
    """Return a set of so many images, of one or two regions, and as many captions: nine blocks."""
    rng = np.random.default_rng(0)
    rows = [rng.normal(size=(1 + i % 2, 3)) for i in range(n)]
    texts = [f"a {['cat', 'dog', 'hen'][i % 3]} number{i % 50}" for i in range(n)]
    return vse.CaptionSet(
        Ragged.of(rows, "image"),
        texts,
        np.arange(n),
        np.arange(n),
        tokens=Ragged.of(rows[::-1], "caption") if tokens else None,
    )


def retriever(data):
    parameters = {"n_factors": 4, "word_factors": 3, "min_count": 1, "n_threads": 1, "random_state": 0}
    return vse.CrossModalRetriever(n_epochs=1, **parameters).fit(data)


@pytest.mark.parametrize("tokens", [False, True])
def test_images_and_captions_are_encoded_as_on_one_machine(client, tmp_path, tokens):
    data = captioned(tokens=tokens)
    data.save(tmp_path / "captioned.h5")
    model = retriever(captioned(8, tokens=tokens))
    for what, expected in (("images", model.embed_images(data)), ("captions", model.embed_captions(data))):
        for source, where in ((data, None), (tmp_path / "captioned.h5", client)):
            names, vectors = zip(*encode_each(model, what, source, client=where), strict=True)
            assert np.concatenate(names).tolist() == list(data.image_ids if what == "images" else data.caption_ids)
            np.testing.assert_array_equal(np.concatenate(vectors), expected)
            assert len(vectors) == (1 if where is None else 4)


def test_captions_of_which_no_word_is_known_are_told_of(client):
    data = captioned(600)
    model = retriever(vse.CaptionSet.from_lists(np.eye(3), [["number1"], ["number2"], ["red"]]))
    with pytest.warns(UserWarning, match="576 of 600 captions have no word that the model knows; their vectors carry"):
        found = list(encode_each(model, "captions", data, client=client))
    assert sum(len(vectors) for _, vectors in found) == 600


def test_what_has_no_vectors_of_a_set_is_refused():
    data = captioned(8, tokens=True)
    for model, what, source, message in (
        (
            vse.PopularityAnnotator().fit(some_images(20, 12)),
            "images",
            None,
            "a PopularityAnnotator has no vectors of images",
        ),
        (retriever(data), "images", None, "a retriever does not store its training set"),
        (retriever(data), "captions", captioned(8), "trained on captions as feature rows, and the data has none"),
    ):
        with pytest.raises(vse.InputError, match=message):
            encode_each(model, what, source)


def test_features_on_disk_are_read_part_by_part(client, tmp_path, monkeypatch):
    train, test = vse.leave_one_out(some_images(1200, 30, features=True), rng=0)
    model = fitted(train, "features")
    np.save(tmp_path / "features.npy", train.features)
    train, test = (one.with_features(np.load(tmp_path / "features.npy", mmap_mode="r")) for one in (train, test))
    sent = []
    send = over_parts_module._Stream._send
    monkeypatch.setattr(over_parts_module._Stream, "_send", lambda self, make: sent.append(make()) or send(self, make))
    expected = vse.evaluate(model, test, exclude=train, metrics=["mrr"])
    same_scores(vse.evaluate(model, test, exclude=train, metrics=["mrr"], client=client), expected)
    features = [part["features"] for part in sent]
    assert len(sent) == 8
    assert all(type(one) is np.ndarray for one in features)
    np.testing.assert_array_equal(np.concatenate(features), train.features[expected.image_rows])
    # Large ones are read by the workers; others than a model's are not read at all.
    monkeypatch.setattr(places_module, "_LEAST_BYTES", 0)
    sent.clear()
    same_scores(vse.evaluate(model, test, exclude=train, metrics=["mrr"], client=client), expected)
    model.seen_ = train
    backwards = list(train.image_ids)[::-1]
    assert list(model.annotate_each(backwards, client=client)) == list(model.annotate_each(backwards))
    assert all("features_at" in part and "features" not in part for part in sent)
    sent.clear()
    by_labels = fitted(train)
    assert list(by_labels.annotate_each(train, client=client)) == list(by_labels.annotate_each(train))
    assert not any("features_at" in part or "features" in part for part in sent)


def test_features_in_several_files_are_read_by_workers_or_sent(client, tmp_path, monkeypatch):
    monkeypatch.setattr(places_module, "_LEAST_BYTES", 0)
    data = some_images(1200, 30, features=True)
    for name, some in (("a", slice(0, 500)), ("b", slice(500, 1200))):
        np.save(tmp_path / f"{name}.npy", data.features[some])
    pieces = [np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in "ab"]
    model = fitted(data, "features")
    ids = list(data.image_ids)[::-1]
    alone, alone_backwards = list(model.annotate_each(data)), list(model.annotate_each(ids))
    model.seen_ = data.with_features(None)
    model.seen_.features = StackedFeatures(pieces)
    assert list(model.annotate_each(model.seen_, client=client)) == alone
    assert list(model.annotate_each(ids, client=client)) == alone_backwards


@pytest.mark.parametrize(("n_blocks", "n_workers"), [(1, 2), (2, 2), (3, 1), (17, 2), (65, 2), (1000, 3)])
def test_parts_are_whole_blocks_and_none_has_one_alone(n_blocks, n_workers):
    blocks = [slice(10 * i, 10 * i + 10) for i in range(n_blocks)]
    parts = parts_of(blocks, n_workers)
    assert [parts[0].start, *(part.stop for part in parts)] == [*(part.start for part in parts), 10 * n_blocks]
    sizes = [(part.stop - part.start) // 10 for part in parts]
    assert min(sizes) >= min(2, n_blocks)
    assert max(sizes) <= 32
    assert len(parts) >= min(4 * n_workers, n_blocks // 2)
    assert parts_of([], n_workers) == []


def test_few_parts_are_in_memory_at_a_time(client):
    made = []

    def double(shared, part):
        return shared["times"] * part

    def making(number):
        def make():
            made.append(number)
            return number

        return make

    results = over_parts(client, double, {"times": 2}, map(making, range(20)))
    for number, result in enumerate(results):
        assert result == 2 * number
        assert len(made) <= number + 2 * 2 + 1
    assert made == list(range(20))


def test_a_part_whose_worker_is_killed_is_done_again(client):
    def slowly(shared, part):
        import time

        time.sleep(0.2)
        return shared["times"] * part

    victim = min(client.run(os.getpid).values())
    found = []
    for result in over_parts(client, slowly, {"times": 3}, [lambda number=number: number for number in range(16)]):
        found.append(result)
        if len(found) == 3:
            os.kill(victim, signal.SIGKILL)
    assert found == [3 * number for number in range(16)]
    client.wait_for_workers(2, timeout=60)


def test_workers_that_are_lost_again_and_again_are_an_error(client, monkeypatch):
    class Lost:
        def __init__(self, error):
            self.error = error

        def result(self):
            raise self.error

    attempts = []
    for error, n_attempts in ((CancelledError("lost"), 5), (distributed.KilledWorker("task", "worker", 3), 1)):
        attempts.clear()
        monkeypatch.setattr(
            type(client), "submit", lambda *words, error=error, **names: attempts.append(1) or Lost(error)
        )
        with pytest.raises(ClusterError, match="several workers were lost in a row with the same part: read"):
            list(over_parts(client, len, {}, [lambda: 1]))
        assert len(attempts) == n_attempts


def test_a_scheduler_that_is_lost_is_an_error():
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0") as cluster,
        distributed.Client(cluster, timeout=5) as client,
    ):
        results = over_parts(client, lambda shared, part: time.sleep(0.1) or part, {}, [lambda: 1] * 50)
        next(results)
        client.close()
        with pytest.raises(ClusterError, match="the connection to the scheduler was lost"):
            list(results)


class MySampler(vse.UniformSampler):
    name = "mine"


class MyAnnotator(vse.PopularityAnnotator):
    pass


def test_what_cannot_travel_is_refused_before_it_does(client):
    train, test = vse.leave_one_out(some_images(20, 12), rng=0)
    for model, message in (
        (fitted(train, sampler=MySampler()), "the sampler mine is of a class of your own, which workers do not have"),
        (MyAnnotator().fit(train), "MyAnnotator is not a class of vsenumba"),
        (fitted(train).set_params(device="cuda"), "device must be \"cpu\", not 'cuda'"),
    ):
        for ask in (
            lambda model: vse.evaluate(model, test, exclude=train, client=client),
            lambda model: model.annotate_each(train, client=client),
            lambda model: model.find_images("label 3", client=client),
        ):
            with pytest.raises(vse.InputError, match=message):
                ask(model)


def test_new_images_that_are_no_set_are_refused(client):
    model = fitted(some_images(20, 12))
    with pytest.raises(vse.InputError, match="with a client, images must be a set, or ids of"):
        model.annotate_each([["label 3"]], client=client)


def test_a_scorer_of_ones_own_is_refused(client):
    with pytest.raises(vse.InputError, match="a FixedScorer cannot be sent to a cluster"):
        vse.evaluate(FixedScorer(np.eye(3)), np.eye(3), exclude=None, client=client)


def test_what_is_no_cluster_that_can_work_is_refused(cluster, client, monkeypatch):
    data = some_images(20, 12)
    model = fitted(data)
    with distributed.Client(cluster) as closed:
        pass
    asks = (
        lambda client: model.annotate_each(data, client=client),
        lambda client: model.find_images("label 3", client=client),
        lambda client: model.embed_each(data, client=client),
    )
    for ask in asks:
        with pytest.raises(ClusterError, match="the client is closed: connect"):
            ask(closed)
        with pytest.raises(vse.InputError, match="client must be a distributed.Client, not 'tcp://1'"):
            ask("tcp://1")
    monkeypatch.setattr(type(client), "run", lambda self, ask: {"tcp://1": "0.0.1"})
    for ask in asks:
        with pytest.raises(ClusterError, match=r"tcp://1 has vsenumba 0\.0\.1, and needs"):
            ask(client)


@pytest.fixture(scope="module")
def data():
    return vse.synthetic(60, 12, 240, rng=0)


@pytest.mark.parametrize("by", [None, "popularity"])
def test_a_comparison_is_that_of_one_machine_but_for_its_seconds(client, data, by):
    heard = []
    comparison, model = vse.compare(data, **SMALL, by=by, client=client, after_run=heard.append)
    expected, expected_model = vse.compare(data, **SMALL, by=by)
    for one, other in zip(comparison.runs, expected.runs, strict=True):
        assert (one.sampler, one.loss, one.seed) == (other.sampler, other.loss, other.seed)
        assert one.history.columns == other.history.columns
        for name in set(one.history.columns) - {"seconds"}:
            np.testing.assert_array_equal(one.history[name], other.history[name], name)
    assert comparison.references == expected.references
    assert comparison.settings == expected.settings
    assert comparison.groups == expected.groups
    assert [(one.sampler, one.seed, one.run, one.n_runs) for one in heard] == [
        ("uniform", 0, 0, 4), ("popularity", 0, 1, 4), ("uniform", 1, 2, 4), ("popularity", 1, 3, 4)
    ]  # fmt: skip
    assert model.provenance_["measured"] == expected_model.provenance_["measured"]
    for name, table in expected_model.tables_.items():
        np.testing.assert_array_equal(model.tables_[name], table)


def test_runs_are_told_of_here_too(data):
    heard = []
    vse.compare(data, **SMALL, after_run=lambda progress: heard.append(progress.run))
    assert heard == [0, 1, 2, 3]


def test_a_time_budget_ends_runs_on_workers(client, data):
    budget = {name: value for name, value in SMALL.items() if name != "n_epochs"}
    comparison, _ = vse.compare(data, **budget, time_budget=0.01, client=client)
    for one in comparison.runs:
        assert one.history["seconds"][-1] >= 0.01
        assert (one.history["seconds"][:-1] < 0.01).all()


def test_a_run_that_fails_raises_its_error(client, data):
    with pytest.raises(vse.TrainingDivergedError, match="after epoch 1 at learning rate"):
        vse.compare(data, **SMALL, learning_rate=1e30, client=client)


def test_comparisons_of_what_cannot_travel_are_refused(client, data):
    with pytest.raises(vse.InputError, match="callbacks cannot be used with a client.* use after_run"):
        vse.compare(data, **SMALL, callbacks=lambda progress: [], client=client)
    mine = SMALL | {"samplers": ["uniform", MySampler()]}
    with pytest.raises(vse.InputError, match="the sampler mine is of a class of your own, which workers do not have"):
        vse.compare(data, **mine, client=client)
    with pytest.raises(vse.InputError, match="client must be a distributed.Client"):
        vse.compare(data, **SMALL, client="tcp://1")


def test_scikit_learn_searches_for_parameters_on_a_cluster(client, data):
    """By joblib, which hands each fit to a worker."""
    joblib = pytest.importorskip("joblib")
    from sklearn.model_selection import GridSearchCV

    model = vse.ImageAnnotator(n_factors=4, n_epochs=2, n_threads=1, random_state=0)
    grid = {"sampler__lam": [0.05, 0.1], "l2": [0.001, 0.01]}
    expected = GridSearchCV(model, grid, cv=2).fit(data)
    with joblib.parallel_config("dask", client=client):
        search = GridSearchCV(model, grid, cv=2).fit(data)
        places = GridSearchCV(model, grid, cv=2, scoring=lambda fitted, X: os.getpid(), refit=False).fit(data)
    assert search.best_params_ == expected.best_params_
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"])
    pids = {places.cv_results_[f"split{i}_test_score"][j] for i in range(2) for j in range(4)}
    assert pids <= set(client.run(os.getpid).values())


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Return a folder with a set and a model of some of its pairs."""
    monkeypatch.chdir(tmp_path)
    data = some_images(300, 1 << 14)
    data.save("set.h5")
    train, _ = vse.leave_one_out(data, rng=0)
    fitted(train).save("model.h5")
    return tmp_path


def test_commands_work_on_a_cluster(run, cluster, files):
    there = ["--scheduler", cluster.scheduler_address]
    for words in (
        ["evaluate", "model.h5", "set.h5", "--threads", "1", "--json"],
        ["annotate", "model.h5", "--all", "-n", "2"],
        ["annotate", "model.h5", "--set", "set.h5", "--only", "label 3,label 5"],
        ["find", "model.h5", "label 3", "label 5", "--set", "set.h5"],
        ["similar", "model.h5", "--image", "image 7"],
    ):
        alone = run(*words)
        assert alone.status == 0, alone.err
        assert run(*words, *there) == alone
    for words, file in (
        (["annotate", "model.h5", "--all", "-n", "2", "-o"], "table.csv"),
        (["export", "model.h5", "--what", "images", "--data", "set.h5", "-o"], "vectors.h5"),
    ):
        for more, name in (([], f"alone-{file}"), (there, file)):
            outcome = run(*words, name, *more)
            assert outcome.status == 0, outcome.err
    assert (files / "table.csv").read_bytes() == (files / "alone-table.csv").read_bytes()
    h5py = pytest.importorskip("h5py")
    with h5py.File("vectors.h5") as one, h5py.File("alone-vectors.h5") as other:
        assert one["names"].asstr()[:].tolist() == list(vse.load_dataset("set.h5").image_ids)
        np.testing.assert_array_equal(one["factors"], other["factors"])


def test_what_fit_holds_out_is_ranked_on_the_cluster(run, cluster, client, files, monkeypatch):
    some_images(60, 12).save("small.h5")
    asked = []
    count = vse.ImageAnnotator.count_on_cluster
    monkeypatch.setattr(
        vse.ImageAnnotator, "count_on_cluster", lambda self, *words: asked.append(words) or count(self, *words)
    )
    words = ["fit", "small.h5", "-o", "new.h5", "--factors", "4", "--epochs", "1", "--set", "max_neighbours=0"]
    done = run(*words, "--sampler", "uniform", "--scheduler", cluster.scheduler_address)
    assert done.status == 0, done.err
    assert len(asked) == 1
    assert "measured on 60 held-out pairs of 60 images" in done.out.splitlines()[0]


@pytest.mark.skipif(importlib.util.find_spec("matplotlib") is None, reason="compare draws a figure")
def test_the_command_compares_on_a_cluster(run, cluster, data, tmp_path):
    data.save(tmp_path / "set.h5")
    words = ["compare", tmp_path / "set.h5", "--sampler", "uniform", "--seeds", "2", "--epochs", "2", "--threads", "1"]
    for folder, more in (("alone", []), ("cluster", ["--scheduler", cluster.scheduler_address])):
        done = run(*words, "--factors", "4", "--out", tmp_path / folder, *more)
        assert done.status == 0, done.err
    alone, there = (vse.Comparison.load(tmp_path / folder / "runs.h5") for folder in ("alone", "cluster"))
    for one, other in zip(alone.runs, there.runs, strict=True):
        np.testing.assert_array_equal(one.history["mrr"], other.history["mrr"])
    assert alone.references == there.references


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["evaluate", "model.h5"], "--scheduler requires a SET"),
        (["annotate", "model.h5", "image 7"], "--scheduler requires --all or --set"),
        (["annotate", "model.h5", "--pictures", "."], "--scheduler requires --all or --set"),
        (["find", "model.h5", "label 3", "--index", "index"], "--scheduler and --index cannot be combined"),
        (["similar", "model.h5", "--label", "label 3"], "--scheduler requires --image"),
        (["export", "model.h5", "-o", "labels.h5"], "--scheduler requires '--what images'"),
        (["export", "model.h5", "--what", "images", "-o", "images.vec"], "--scheduler requires '--what images'"),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, list) else "",
)
def test_a_scheduler_is_refused_where_nothing_can_be_divided(run, words, message):
    outcome = run(*words, "--scheduler", "tcp://127.0.0.1:1")
    assert outcome.status == 2
    assert message in " ".join(outcome.err.split())
