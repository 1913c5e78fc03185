"""Word vectors on a cluster: two processes of this machine, in turns that a plain loop foretells."""

from __future__ import annotations

import gzip
import os
import signal
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
from command_line import run as run

import vsenumba as vse
from vsenumba.cluster import text_trainer as text_trainer_module
from vsenumba.cluster.text_merge import merged_text
from vsenumba.cluster.text_trainer import TextClusterTrainer, rates_of
from vsenumba.cluster.text_turn import text_part, text_settings_of, text_task_of, train_text_turn
from vsenumba.data.text.corpus_parts import joined
from vsenumba.training.run import Trainer

distributed = pytest.importorskip("distributed")

# Dask's own tasks may still be pending when a loop ends, and sockets open.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(autouse=True)
def few_rounds(monkeypatch):
    """With few sentences, most of a round is the way there and back."""
    monkeypatch.setattr(text_trainer_module, "N_ROUNDS", 3)


def some_text(n_sentences=300, n_words=40, seed=0):
    """Return sentences of 1 to 12 words, of which the first are frequent."""
    rng = np.random.default_rng(seed)
    numbers = (n_words * rng.random((n_sentences, 12)) ** 2).astype(int)
    return [[f"w{n}" for n in some[: rng.integers(1, 13)]] for some in numbers]


def some_corpus(*arguments, **parameters):
    return vse.Corpus.from_sentences(some_text(*arguments, **parameters))


def embedder(**parameters):
    return vse.WordEmbedder(**{"n_factors": 6, "n_epochs": 2, "deterministic": True, "random_state": 0} | parameters)


class Here(TextClusterTrainer):
    """Trains in turns one after another, in this process, as if there were so many workers."""

    def __init__(self, corpus, task, tables, sums, seeds, n_workers):
        self._corpus, self._task, self._tables, self._sums, self._seeds = corpus, task, tables, sums, seeds
        self.steps, self.seconds, self._n_workers, self._sent, self._own = 0, 0.0, n_workers, [], ()
        self._client, self._ahead, self._n_done, self._stride = SimpleNamespace(status="running"), [], 0, 1
        self._divide()

    def _send(self):
        self._sent = [self._part(part) for part in range(self._n_parts)]

    def _train(self, epoch, rate_at, progress):
        shared, plan = self._shared | {"records": []}, self._rounds(epoch)
        for number, parts in enumerate(plan):
            rates = rates_of(lambda done, number=number: rate_at((number + done) / len(plan)))
            moved = [
                train_text_turn(
                    self._sent[part], shared, text_settings_of(self._task), self._of_words, self._seed(int(part)),
                    epoch, rates, 1,
                )
                for part in parts
            ]  # fmt: skip
            shared = merged_text(
                shared, moved, text_settings_of(self._task), self._of_words, rate_at((number + 0.5) / len(plan))
            )
        self._shared = shared


def trained_here(monkeypatch, corpus, n_workers, **parameters):
    """Return the model that a cluster of so many workers would make, trained in this process."""

    def trainer(self, corpus, rows, task, client):
        return Here(corpus, task, self.tables_, self._memory, self._spawned(1), n_workers)

    with monkeypatch.context() as here:
        here.setattr(vse.WordEmbedder, "_trainer", trainer)
        return embedder(**parameters).fit(corpus)


RECORDED = ("steps", "skipped", "loss", "tokens", "kept", "negative_gradient", "trials", "refreshes", "learning_rate")


@pytest.mark.parametrize(
    "parameters",
    [{}, {"architecture": "cbow", "schedule": "step"}],
    ids=["skipgram", "cbow"],
)
def test_an_epoch_is_that_of_a_plain_loop(client, monkeypatch, parameters):
    corpus = some_corpus()
    model = embedder(**parameters).fit(corpus, client=client)
    expected = trained_here(monkeypatch, corpus, 2, **parameters)
    for name, table in expected.tables_.items():
        # Products of matrices are added up in another order where they have other threads.
        assert model.tables_[name] == pytest.approx(table, rel=1e-4, abs=1e-5), name
    for name in RECORDED:
        assert model.history_[name] == pytest.approx(expected.history_[name]), name
    assert model.history_["tokens"].tolist() == [corpus.n_tokens] * 2
    assert (np.diff(model.history_["seconds"], prepend=0) > 0).all()


def test_one_worker_trains_as_one_machine_does_but_for_its_draws(monkeypatch):
    """In one round, at rates that fall launch by launch."""
    corpus = some_corpus(600)
    alone = embedder().fit(corpus)
    model = trained_here(monkeypatch, corpus, 1)
    assert not np.array_equal(model.word_factors_, alone.word_factors_)
    # The whole text as one machine has it, and then its draws too.
    monkeypatch.setattr(
        TextClusterTrainer, "_seed",
        lambda self, part: {"entropy": self._seeds.entropy, "key": list(self._seeds.spawn_key)},
    )  # fmt: skip
    model = trained_here(monkeypatch, corpus, 1)
    for name, table in alone.tables_.items():
        assert model.tables_[name] == pytest.approx(table, rel=1e-4, abs=1e-6), name
    for name in RECORDED:
        assert model.history_[name] == pytest.approx(alone.history_[name]), name


def test_parts_are_runs_of_sentences_with_as_many_tokens():
    corpus = some_corpus(500)
    trainer = Here(corpus, None, {}, {}, np.random.SeedSequence(0), 3)
    parts = [trainer._part(part) for part in range(trainer._n_parts)]
    assert len(parts) == 3 * text_trainer_module.N_ROUNDS
    assert np.array_equal(np.concatenate([part["tokens"] for part in parts]), corpus.tokens)
    lengths = np.concatenate([np.diff(part["offsets"]) for part in parts])
    assert np.array_equal(lengths, np.diff(corpus.offsets))
    sizes = [len(part["tokens"]) for part in parts]
    assert max(sizes) - min(sizes) <= 2 * 12
    rounds = trainer._rounds(1)
    assert sorted(np.concatenate(rounds)) == list(range(len(parts)))
    assert all(sorted(turns % 3) == [0, 1, 2] for turns in rounds)


def test_a_text_with_few_sentences_has_as_few_parts(client):
    model = embedder().fit([["a", "b"], ["c"] * 50, ["b", "a", "c"]], client=client)
    assert model.history_["tokens"].tolist() == [55, 55]


def test_a_large_text_is_sent_in_parts_of_bounded_size(monkeypatch):
    monkeypatch.setattr(text_trainer_module, "_MOST_TOKENS", 100)
    corpus = some_corpus(500)
    trainer = Here(corpus, None, {}, {}, np.random.SeedSequence(0), 1)
    sizes = [len(trainer._part(part)["tokens"]) for part in range(trainer._n_parts)]
    assert max(sizes) <= 100 + 12
    assert len(trainer._rounds(1)) == len(sizes)


def test_what_is_known_of_all_words_reaches_the_turns():
    corpus = some_corpus()
    model = embedder(sampler=vse.PopularitySampler(), subsample=1e-3, n_draws=7, draws_per="window")
    held = {}
    model._trainer = lambda corpus, rows, task, client: held.update(task=task) or Nothing()
    model.fit(corpus)
    task = held["task"]
    again = text_task_of(text_settings_of(task), {"counts": task.counts, "keep": task.keep})
    assert again.counts.tolist() == corpus.counts.tolist()
    assert again.keep.tolist() == task.keep.tolist()
    assert (again.keep < 2**32).any()
    for name in ("sampler", "optimiser", "architecture", "window", "n_negatives", "draws_per", "n_draws", "longest"):
        assert getattr(again, name) == getattr(task, name), name


class Nothing(Trainer):
    steps, seconds = 0, 0.0

    def run_epoch(self, epoch, rate_at, progress):
        return {"epoch": epoch, "seconds": 0.0, "steps": 0, "loss": 0.0}


def test_a_part_without_words_changes_nothing():
    corpus = some_corpus(20)
    tables = {name: np.ones((corpus.n_words, 3), np.float32) for name in ("word_factors", "output_factors")}
    shared = {"tables": tables, "sums": {name: np.zeros(0, np.float32) for name in tables}}
    moved = train_text_turn(text_part(corpus, 0, 0), shared, "", {"counts": corpus.counts}, {}, 1, [0.1, 0.1], 1)
    assert moved == {"changes": {}, "record": {}}


def test_a_checkpoint_is_resumed_on_a_cluster(client, tmp_path):
    corpus = some_corpus()

    def stop(model, record):
        model.save(tmp_path / "checkpoint.h5", include_optimiser=True)
        if record["epoch"] == 2:
            raise KeyboardInterrupt

    whole = embedder(n_epochs=4).fit(corpus, client=client)
    with pytest.raises(KeyboardInterrupt):
        embedder(n_epochs=4).fit(corpus, client=client, callbacks=stop)
    resumed = vse.load_model(tmp_path / "checkpoint.h5").resume(corpus, client=client)
    for name, table in whole.tables_.items():
        assert np.array_equal(resumed.tables_[name], table), name
    assert resumed.history_["steps"].tolist() == whole.history_["steps"].tolist()


def test_workers_that_are_killed_change_nothing(client, monkeypatch):
    """An epoch they were lost in is done again, from the tables of the epoch before."""
    monkeypatch.setattr(text_trainer_module, "N_ROUNDS", 12)
    corpus = some_corpus(1000)
    expected = embedder(n_epochs=4).fit(corpus, client=client)
    victims = iter(sorted(client.run(os.getpid).values()))

    def kill(model, record):
        if record["epoch"] in (1, 2):
            # While the next epoch runs.
            threading.Timer(0.3, os.kill, (next(victims), signal.SIGKILL)).start()
            time.sleep(0.25 if record["epoch"] == 1 else 0)

    model = embedder(n_epochs=4).fit(corpus, client=client, callbacks=kill)
    assert next(victims, None) is None
    for name, table in expected.tables_.items():
        assert np.array_equal(model.tables_[name], table), name


def test_parts_are_files_with_some_of_the_text_each(client, tmp_path):
    text = some_text()
    whole = vse.Corpus.from_sentences(text)
    paths = [tmp_path / f"part-{i}.h5" for i in range(2)]
    for path, some in zip(paths, (text[:100], text[100:]), strict=True):
        vse.Corpus.from_sentences(some).save(path)
    both = joined([vse.Corpus.load(path) for path in paths])
    assert sorted(zip(both.words, both.counts.tolist(), strict=True)) == sorted(
        zip(whole.words, whole.counts.tolist(), strict=True)
    )
    assert [both.sentence(i) for i in range(both.n_sentences)] == text
    assert (np.diff(both.counts) <= 0).all()
    expected = embedder().fit(both, client=client)
    model = embedder().fit([str(path) for path in paths], client=client)
    assert model.provenance_["data_sha256"] == both.digest()
    assert np.array_equal(model.word_factors_, expected.word_factors_)
    alone = embedder().fit(paths[0], client=client)
    assert alone.provenance_["data_sha256"] == vse.Corpus.load(paths[0]).digest()


def test_parts_are_texts(client, tmp_path):
    lines = [" ".join(sentence) + "\n" for sentence in some_text()]
    paths = [tmp_path / "one.txt", tmp_path / "other.txt.gz"]
    paths[0].write_text("".join(lines[:100]))
    paths[1].write_bytes(gzip.compress("".join(lines[100:]).encode()))
    corpus = vse.Corpus.from_text(paths, tmp_path / "corpus.h5")
    model = embedder().fit(paths, client=client)
    assert model.provenance_["data_sha256"] == corpus.digest()
    with pytest.raises(vse.InputError, match=r"corpus\.h5 is a token file and .*one\.txt is not; give either"):
        embedder().fit([paths[0], tmp_path / "corpus.h5"], client=client)
    for number in range(2):
        (tmp_path / "empty.txt").write_text("...\n" * number)
        with pytest.raises(vse.InputError, match=r"the part .*empty\.txt has no text"):
            embedder().fit([paths[0], tmp_path / "empty.txt", paths[1]], client=client)
    nothing = vse.Corpus(np.zeros(0, np.int32), np.zeros(1, np.int64), ["a"], [0])
    nothing.save(tmp_path / "empty.h5")
    with pytest.raises(vse.InputError, match=r"the part .*empty\.h5 has no text"):
        embedder().fit([tmp_path / "corpus.h5", tmp_path / "empty.h5"], client=client)
    with pytest.raises(vse.InputError, match=r"nothing\.txt"):
        embedder().fit([paths[0], tmp_path / "nothing.txt"], client=client)


class MySampler(vse.UniformSampler):
    name = "mine"


def test_what_workers_cannot_do_is_refused(client):
    corpus = some_corpus(10)
    with pytest.raises(vse.InputError, match="the sampler mine is of a class of your own, which workers do not have"):
        embedder(sampler=MySampler()).fit(corpus, client=client)
    with pytest.raises(vse.InputError, match="device must be \"cpu\", not 'cuda'"):
        embedder(device="cuda", deterministic=False).fit(corpus, client=client)
    with pytest.raises(vse.InputError, match=r"client must be a distributed.Client, not 'tcp://localhost:1'"):
        embedder().fit(corpus, client="tcp://localhost:1")


def test_a_training_that_diverges_says_so(client):
    with pytest.raises(vse.TrainingDivergedError, match="after epoch 1"):
        embedder(learning_rate=1e38).fit(some_corpus(), client=client)


def test_the_command_line_connects_to_a_scheduler(run, cluster, tmp_path):
    (tmp_path / "text.txt").write_text("".join(" ".join(sentence) + "\n" for sentence in some_text()))
    model = tmp_path / "model.h5"
    command = ["words", "fit", tmp_path / "text.txt", "-o", model, "--epochs", "1", "--factors", "4"]
    done = run(*command, "--scheduler", cluster.scheduler_address)
    assert done.status == 0, done.err
    assert vse.load_model(model).history_["steps"][0] > 500
    done = run(*command, "--scheduler", "tcp://127.0.0.1:1")
    assert done.status == 1
    assert done.err.startswith("error: no scheduler answers at tcp://127.0.0.1:1: give the address")
