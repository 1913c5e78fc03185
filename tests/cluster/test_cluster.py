"""Training on a cluster: two processes of this machine, in turns that a plain loop foretells."""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from benchmark_folder import benchmark as benchmark
from command_line import run as run

import vsenumba as vse
from vsenumba.cluster import places
from vsenumba.cluster import trainer as trainer_module
from vsenumba.cluster import workers as workers_module
from vsenumba.cluster.merge import merged
from vsenumba.cluster.parts import whole_of
from vsenumba.cluster.trainer import ClusterTrainer
from vsenumba.cluster.turn import of_images, part_from_arrays, part_to_arrays, settings_of, task_of, train_turn
from vsenumba.data import prune
from vsenumba.data.annotation.readers import native
from vsenumba.errors import ClusterError
from vsenumba.training.callbacks import RecordCallback, TimeBudget

distributed = pytest.importorskip("distributed")

# Dask's own tasks may still be pending when a loop ends, and sockets open.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def some_images(n_images=60, n_labels=12, features=False, seed=0):
    rng = np.random.default_rng(seed)
    tags = rng.random((n_images, n_labels)) < 0.3
    return vse.AnnotationSet.from_csr(tags, features=rng.random((n_images, 5)) if features else None)


def annotator(inputs="ids", **parameters):
    return vse.ImageAnnotator(
        inputs, **{"n_factors": 4, "n_epochs": 2, "max_neighbours": 0, "n_threads": 1, "random_state": 0} | parameters
    )


class Here(ClusterTrainer):
    """Trains in turns one after another, in this process."""

    def _send(self):
        self._sent = [part_to_arrays(self._task.data, rows) for rows in self._rows]
        self._of_parts = [of_images(self._tables, self._sums, self._own, rows) for rows in self._rows]

    def _train(self, epoch, rate_at, progress):
        shared = self._shared | {"records": []}
        for turns in self._rounds(epoch):
            moves = []
            for p in turns:
                seed = {"entropy": self._seeds.entropy, "key": [*self._seeds.spawn_key, 0, 4, int(p)]}
                done = train_turn(
                    self._sent[p], self._of_parts[p], shared, settings_of(self._task), self._task.data.label_counts,
                    seed, epoch, rate_at(0.0), 1,
                )  # fmt: skip
                moves.append(done["moved"])
                self._of_parts[p] = done["of_part"]
            shared = merged(shared, moves)
        self._shared = shared


@pytest.mark.parametrize("inputs", ["ids", "labels", "features", ("labels", "ids")], ids=str)
def test_an_epoch_is_that_of_a_plain_loop(client, monkeypatch, inputs):
    monkeypatch.setattr(trainer_module, "N_ROUNDS", 3)
    data = some_images(features=inputs == "features")
    model = annotator(inputs).fit(data, client=client)
    monkeypatch.setattr(
        vse.ImageAnnotator, "_trainer",
        lambda self, task, tables, sums, seeds, _=None: Here(task, client, tables, sums, seeds, 1),
    )  # fmt: skip
    expected = annotator(inputs).fit(data)
    for name, table in expected.tables_.items():
        assert model.tables_[name] == pytest.approx(table, rel=1e-5, abs=1e-6), name
    for name in ("steps", "skipped", "loss", "trials", "learning_rate"):
        assert model.history_[name] == pytest.approx(expected.history_[name]), name
    assert (model.history_["seconds"] > 0).all()


def test_a_model_that_a_cluster_trained_is_any_model(client, tmp_path):
    train, held_out = vse.leave_one_out(some_images(), rng=0)
    heard = []
    model = annotator(n_epochs=3).fit(
        train, client=client, validation=held_out, callbacks=lambda model, record: heard.append(record["mrr"])
    )
    assert heard == list(model.history_["mrr"])
    assert len(heard) == 3
    model.save(tmp_path / "model.h5")
    again = vse.load_model(tmp_path / "model.h5")
    assert np.array_equal(again.image_factors_, model.image_factors_)
    assert len(again.annotate(["0"], n=1)) == 1


def test_a_checkpoint_is_resumed_on_a_cluster(client, tmp_path):
    data = some_images()

    def stop(model, record):
        model.save(tmp_path / "checkpoint.h5", include_optimiser=True)
        if record["epoch"] == 2:
            raise KeyboardInterrupt

    whole = annotator(n_epochs=4).fit(data, client=client)
    with pytest.raises(KeyboardInterrupt):
        annotator(n_epochs=4).fit(data, client=client, callbacks=stop)
    resumed = vse.load_model(tmp_path / "checkpoint.h5").set_params(n_threads=1).resume(data, client=client)
    for name, table in whole.tables_.items():
        assert np.array_equal(resumed.tables_[name], table), name


def test_absences_and_whole_counts_reach_the_turns():
    tags = np.eye(6) + np.eye(6, k=1)
    data = vse.AnnotationSet.from_csr(tags).with_absent(vse.AnnotationSet.from_csr(np.eye(6, k=2)))
    part = data.select_images([0, 1])
    again = part_from_arrays(part_to_arrays(data, np.arange(2)), data.n_labels)
    assert np.array_equal(again.to_csr().toarray(), part.to_csr().toarray())
    assert again.absent.columns_of(0).tolist() == part.absent.columns_of(0).tolist() == [2]
    task = annotator(sampler="popularity")
    task.fit(data)
    whole = task._task(data)
    of_part = task_of(settings_of(whole), again, data.label_counts)
    assert of_part.counts.tolist() == data.label_counts.tolist() != again.label_counts.tolist()
    assert (of_part.sampler, of_part.loss, of_part.l2) == (whole.sampler, whole.loss, whole.l2)


def test_a_part_without_pairs_changes_nothing():
    data = some_images(10)
    model = annotator().fit(data)
    task = model._task(data)
    tables = {"tables": {"label_factors": model.label_factors_}, "sums": {"label_factors": np.ones(12, np.float32)}}
    rows = {"tables": {"image_factors": np.ones((2, 4), np.float32)}, "sums": {"image_factors": np.ones(2, np.float32)}}
    nothing = vse.AnnotationSet.from_csr(np.zeros((2, 12)))
    done = train_turn(
        part_to_arrays(nothing, np.arange(2)),
        rows,
        tables,
        settings_of(task),
        data.label_counts,
        {"entropy": 0, "key": []},
        1,
        0.1,
        1,
    )
    assert done["moved"]["changes"] == {}
    assert done["moved"]["record"]["steps"] == 0
    assert np.array_equal(done["of_part"]["tables"]["image_factors"], np.ones((2, 4)))


def test_parts_are_files_with_some_of_the_images_each(client, tmp_path):
    data = vse.AnnotationSet.from_lists([["a", "b"], ["c", "a"], ["d", "b"], ["a", "d"], ["c", "d"]], list("vwxyz"))
    paths = [tmp_path / f"part-{i}.h5" for i in range(3)]
    for path, rows in zip(paths, ([0, 1], [2, 3], [4]), strict=True):
        prune(data.select_images(rows), 1, 1).save(path)  # without the labels it does not have
    whole = annotator().fit(data, client=client)
    for parts in (paths, [str(path) for path in paths]):
        model = annotator().fit(parts, client=client)
        assert list(model.label_names_) == list(whole.label_names_)
        for name, table in whole.tables_.items():
            assert np.array_equal(model.tables_[name], table), name
    data.save(tmp_path / "whole.h5")
    assert annotator().fit(str(tmp_path / "whole.h5"), client=client).seen_.n_pairs == 10
    with pytest.raises(vse.InputError, match=r"image 'v' is in two parts, in .*part-0.h5.* and in .*whole.h5"):
        annotator().fit([paths[0], tmp_path / "whole.h5"], client=client)
    vse.AnnotationSet.from_lists([[]], ["empty"]).save(tmp_path / "empty.h5")
    with pytest.raises(vse.InputError, match=r"the part .*empty.h5 has no pairs"):
        annotator().fit([paths[0], tmp_path / "empty.h5"], client=client)
    with pytest.raises(vse.InputError, match=r"nothing.h5"):
        annotator().fit([paths[0], tmp_path / "nothing.h5"], client=client)


@pytest.mark.parametrize("kind", ["memmap", "hdf5", "parts"])
def test_features_in_files_are_read_by_the_workers(client, tmp_path, monkeypatch, kind):
    data = some_images(60, features=True)
    expected = annotator("features").fit(data, client=client)
    sent = []
    monkeypatch.setattr(trainer_module, "part_to_arrays", lambda *all_: sent.append(part_to_arrays(*all_)) or sent[-1])
    monkeypatch.setattr(places, "_LEAST_BYTES", 0)
    monkeypatch.setattr(native, "MAPPED_BYTES", 0)
    if kind == "memmap":
        data.save(tmp_path / "set.h5")
        source = vse.load_dataset(tmp_path / "set.h5")
    elif kind == "hdf5":
        with h5py.File(tmp_path / "features.h5", "w") as file:
            file["vectors"] = data.features
        source = data.with_features(h5py.File(tmp_path / "features.h5")["vectors"])
    else:
        source = [tmp_path / f"{i}.h5" for i in range(3)]
        for path, rows in zip(source, ([0, 1, 2], range(3, 40), range(40, 60)), strict=True):
            data.select_images(np.array(rows)).save(path)
    model = annotator("features").fit(source, client=client)
    assert all("features_at" in part and "features" not in part for part in sent)
    assert model.seen_.digest() == data.digest()
    # The standardisation, of blocks of a file, may be another in the last digit.
    for name, table in expected.tables_.items():
        assert model.tables_[name] == pytest.approx(table, rel=1e-4, abs=1e-5), name
    ask = type(client).run
    for stamp, message in ((None, "tcp://1 does not see .*h5: .*shared storage"), ("0 x", "tcp://1 sees another file")):

        def run(self, what, *all_, stamp=stamp):
            return {"tcp://1": [stamp]} if what is places._stamps else ask(self, what, *all_)

        monkeypatch.setattr(type(client), "run", run)
        with pytest.raises(ClusterError, match=message):
            annotator("features").fit(source, client=client)


def test_what_does_not_lie_in_a_file_row_by_row_is_sent(tmp_path, monkeypatch):
    """Columns that lie one after the other were read as rows."""
    monkeypatch.setattr(places, "_LEAST_BYTES", 0)
    numbers = np.arange(12, dtype=np.float32).reshape(4, 3)
    for name, array, lies in (("rows", numbers, True), ("columns", np.asfortranarray(numbers), False)):
        np.save(tmp_path / f"{name}.npy", array)
        mapped = np.load(tmp_path / f"{name}.npy", mmap_mode="r")
        found = places.places_of(mapped)
        assert (found is not None) == lies
        assert places.places_of(mapped[1:]) is None
        if found:
            rows = np.array([1, 3])
            assert np.array_equal(places.read_rows(places.rows_in_places(mapped, found, rows)), numbers[rows])


@pytest.mark.parametrize(
    ("one", "other", "message"),
    [
        (np.eye(3), np.eye(4), r"labels of .*0.h5 \(3: 0, 1, 2, ...\) and of .*1.h5 \(4: 0, .* do not match"),
        (np.eye(3), [["a"], ["b"], ["c"]], r"labels of .* name the labels"),
        ([["a"]], np.eye(1), r"labels of .* name the labels"),
    ],
)
def test_parts_whose_labels_do_not_go_together_are_refused(one, other, message, tmp_path):
    for i, tags in enumerate((one, other)):
        make = vse.AnnotationSet.from_lists if isinstance(tags, list) else vse.AnnotationSet.from_csr
        make(tags, image_ids=[f"{i}-{j}" for j in range(len(tags))]).save(tmp_path / f"{i}.h5")
    with pytest.raises(vse.InputError, match=message):
        whole_of([tmp_path / "0.h5", tmp_path / "1.h5"])


def test_parts_whose_features_do_not_go_together_are_refused(tmp_path):
    for i, width in enumerate((3, 4, 0)):
        data = vse.AnnotationSet.from_lists([["a"], ["b"]], [f"{i}-0", f"{i}-1"])
        data.with_features(np.eye(2, width) if width else None).save(tmp_path / f"{i}.h5")
    for i, width in ((1, 4), (2, 0)):
        with pytest.raises(vse.InputError, match=rf"features of .*0.h5 and of .*{i}.h5 .*n_features is 3 and {width}"):
            whole_of([tmp_path / "0.h5", tmp_path / f"{i}.h5"])


@pytest.mark.parametrize("n_images", [0, 1, 5, 100, 40_000])
def test_every_image_is_dealt_to_one_part(n_images):
    parts = trainer_module.dealt(n_images, 7, np.random.default_rng(0))
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(n_images))
    assert all((np.diff(part) > 0).all() for part in parts)
    assert len(parts) == 7
    lengths = [len(part) for part in parts]
    assert max(lengths) - min(lengths) <= 22  # runs of 22 images, 257 a part


def test_parts_are_no_larger_than_a_share_of_a_workers_memory(client, monkeypatch):
    data = some_images(400)
    monkeypatch.setattr(trainer_module, "least_memory", lambda client: 16 * 4000)
    task = annotator().fit(data)._task(data)
    trainer = ClusterTrainer(task, client, {"image_factors": np.zeros((400, 4))}, {}, np.random.SeedSequence(0))
    n_bytes = 4 * data.n_pairs + 8 * 400 + 400 * 16 * 2
    assert len(trainer._rows) == 2 * max(16, -(-n_bytes // 8000))


def test_workers_that_are_killed_change_nothing(client, monkeypatch):
    """What was not brought back from them is trained again."""
    data = some_images(300, 20)
    expected = annotator(n_epochs=4).fit(data, client=client)
    victims = iter(sorted(client.run(os.getpid).values()))

    class Kill(RecordCallback):
        def after_epoch(self, model, record):
            if record["epoch"] in (1, 2):
                # While the next epoch runs.
                threading.Timer(0.3, os.kill, (next(victims), signal.SIGKILL)).start()
                time.sleep(0.25 if record["epoch"] == 1 else 0)
            return False

    model = annotator(n_epochs=4).fit(data, client=client, callbacks=Kill())
    assert next(victims, None) is None
    for name, table in expected.tables_.items():
        assert np.array_equal(model.tables_[name], table), name


def test_rows_of_images_are_brought_back_where_somebody_looks(client, monkeypatch):
    """They came back after each epoch: with one worker it took 40 % longer than without a cluster."""
    monkeypatch.setattr(trainer_module, "N_ROUNDS", 1)
    brought = []
    take = ClusterTrainer._take
    monkeypatch.setattr(ClusterTrainer, "_take", lambda self: brought.append(len(self._ahead)) or take(self))
    data = some_images()
    expected = annotator(n_epochs=12).fit(data, client=client)
    assert brought == [10, 2]
    for callbacks, times in ((lambda model, record: None, [1] * 12), (TimeBudget(1e9), [10, 2])):
        brought.clear()
        model = annotator(n_epochs=12).fit(data, client=client, callbacks=callbacks)
        assert brought == times
        assert np.array_equal(model.image_factors_, expected.image_factors_)
        assert len(model.history_) == 12


@pytest.mark.parametrize(("inputs", "known"), [("ids", 0), ("labels", 2)])
def test_a_model_knows_the_epochs_that_came_back_from_a_lost_scheduler(cluster, inputs, known):
    class Cut(RecordCallback):
        def after_epoch(self, model, record):
            if record["epoch"] == 2:
                client.close()
            return False

    data = some_images()
    untrained = annotator(inputs, learning_rate=1e-30, l2=0).fit(data)
    model = annotator(inputs, n_epochs=4)
    with distributed.Client(cluster) as client, pytest.raises(ClusterError, match="resume from the last checkpoint"):
        model.fit(data, client=client, callbacks=Cut())
    assert len(model.history_) == known
    if not known:
        assert np.array_equal(model.label_factors_, untrained.label_factors_)


def test_what_is_no_cluster_is_refused(client, monkeypatch):
    data = some_images(10)
    with pytest.raises(vse.InputError, match=r"client must be a distributed.Client, not 'tcp://localhost:1'"):
        annotator().fit(data, client="tcp://localhost:1")
    with pytest.raises(vse.InputError, match="device must be \"cpu\", not 'cuda'"):
        annotator(device="cuda").fit(data, client=client)
    monkeypatch.setattr(type(client), "nthreads", lambda self: {"tcp://1": 2})
    with pytest.raises(vse.InputError, match="tcp://1 runs 2 tasks at a time.*nthreads=1"):
        annotator().fit(data, client=client)
    monkeypatch.setattr(type(client), "nthreads", lambda self: {})
    with pytest.raises(ClusterError, match="no workers: start one per machine"):
        annotator().fit(data, client=client)
    monkeypatch.undo()
    for theirs, message in ((None, "does not have vsenumba"), ("0.0.1", r"has vsenumba 0\.0\.1, and needs")):
        monkeypatch.setattr(type(client), "run", lambda self, ask, theirs=theirs: {"tcp://1": theirs})
        with pytest.raises(ClusterError, match=message):
            annotator().fit(data, client=client)
    monkeypatch.undo()
    monkeypatch.setattr(workers_module.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ClusterError, match=r"pip install \"vsenumba\[dask\]\""):
        annotator().fit(data, client=client)


class MySampler(vse.UniformSampler):
    name = "mine"


def test_a_sampler_of_ones_own_does_not_travel(client):
    with pytest.raises(vse.InputError, match="the sampler mine is of a class of your own, which workers do not have"):
        annotator(sampler=MySampler()).fit(some_images(10), client=client)


def test_a_client_that_is_closed_is_refused(cluster):
    client = distributed.Client(cluster)
    client.close()
    with pytest.raises(ClusterError, match="the client is closed: connect"):
        annotator().fit(some_images(10), client=client)


def test_a_training_that_diverges_says_so(client):
    with pytest.raises(vse.TrainingDivergedError, match="after epoch 1"):
        annotator(learning_rate=1e30).fit(some_images(), client=client)


def test_the_command_line_connects_to_a_scheduler(run, cluster, tmp_path):
    model = tmp_path / "model.h5"
    command = ["fit", "openclipart", "-o", model, "--epochs", "1", "--hold-out", "none", "--set", "max_neighbours=0"]
    done = run(*command, "--scheduler", cluster.scheduler_address)
    assert done.status == 0, done.err
    assert vse.load_model(model).history_["steps"][0] > 10_000
    started = time.perf_counter()
    done = run(*command, "--scheduler", "tcp://127.0.0.1:1")
    assert done.status == 1
    assert done.err.startswith("error: no scheduler answers at tcp://127.0.0.1:1: give the address")
    assert done.err.count("\n") == 1
    assert time.perf_counter() - started < 10


def test_a_scheduler_that_is_lost_is_not_logged_with_a_traceback(cluster):
    log = logging.getLogger("distributed.client")
    with workers_module.connected(cluster.scheduler_address):
        assert not log.isEnabledFor(logging.ERROR)
    assert log.isEnabledFor(logging.ERROR)


EXAMPLE = Path(__file__).parents[2] / "examples" / "on_a_cluster.py"


@pytest.mark.skipif(not EXAMPLE.is_file(), reason="the examples are not in the wheel, but in the source")
def test_the_example(monkeypatch, capsys):
    spec = importlib.util.spec_from_file_location("on_a_cluster", EXAMPLE)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    monkeypatch.setattr(sys, "argv", ["example", "--workers", "1", "--epochs", "1"])
    example.main()
    one, other = capsys.readouterr().out.splitlines()
    assert one.startswith("one machine  MRR 0.")
    assert other.startswith("1 workers    MRR 0.")


def test_the_benchmark(benchmark, tmp_path, capsys):
    benchmark("cluster").main(
        ["openclipart", "--workers", "1", "--inputs", "ids", "--seeds", "1", "--epochs", "1", "--out", str(tmp_path)]
    )
    alone, together = json.loads((tmp_path / "cluster.json").read_text())
    assert (alone["workers"], together["workers"]) == (0, 1)
    assert together["mrr"][0] == pytest.approx(alone["mrr"][0], abs=0.05)
    assert "1 workers" in capsys.readouterr().out
