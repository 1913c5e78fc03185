"""The loop over windows against the oracle, gradients against finite differences, and what surrounds the loop."""

from __future__ import annotations

import itertools
import warnings
from unittest import mock

import numba
import numpy as np
import oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from strategies import corpora
from windows import FIRST, reaches_of, sentences_of, task_for, text_trainer, word_tables

from vsenumba.data import Corpus
from vsenumba.errors import TrainingDivergedError, UnknownNameError
from vsenumba.kernels.logistic import exp_minus, log_one_plus, logistic
from vsenumba.samplers import SAMPLERS
from vsenumba.training.optimisers import RowAdagrad, Sgd
from vsenumba.training.text import ARCHITECTURES, as_architecture
from vsenumba.training.text.architecture import gather_window, scatter_window
from vsenumba.training.text.draws import DRAWS_PER
from vsenumba.training.text.step import move_words
from vsenumba.training.text.tally import DRAWS, KEPT, STEPS
from vsenumba.training.text.task import kept_of_each_word


@pytest.mark.parametrize("optimiser", [RowAdagrad(initial=0.1), Sgd()])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@settings(max_examples=50)
@given(
    corpus=corpora(min_words=2),
    draws_per=st.sampled_from(list(DRAWS_PER)),
    n_factors=st.integers(1, 9),
    window=st.integers(1, 3),
    n_draws=st.integers(1, 6),
    seed=st.integers(0, 99),
)
def test_an_epoch_is_the_oracles(architecture, optimiser, corpus, draws_per, n_factors, window, n_draws, seed):
    tables = word_tables(corpus.n_words, n_factors, seed)
    exact = {name: table.astype(np.float64) for name, table in tables.items()}
    with mock.patch("vsenumba.training.text.host.N_SHARDS", 1):
        trainer, sums = text_trainer(
            corpus, tables, architecture, sampler=FIRST, optimiser=optimiser, window=window, draws_per=draws_per,
            n_draws=n_draws,
        )  # fmt: skip
        exact_sums = {name: memory.astype(np.float64) for name, memory in sums.items()}
        record = trainer.run_epoch(1, lambda done: 0.1)
    expected = oracle.train_windows(
        sentences_of(corpus), reaches_of(corpus, window), exact, exact_sums, architecture=architecture, rate=0.1,
        n_negatives=2, n_draws=n_draws, adagrad=isinstance(optimiser, RowAdagrad), draws_per=draws_per,
    )  # fmt: skip
    for name in tables:
        assert tables[name] == pytest.approx(exact[name], rel=1e-3, abs=1e-4)
        assert sums[name] == pytest.approx(exact_sums[name], rel=1e-3)
    assert (record["steps"], record["skipped"]) == (expected["steps"], expected["skipped"])
    assert record["trials"] == pytest.approx(expected["trials"], rel=1e-12)
    for name in ("loss", "negative_gradient"):
        assert record[name] == pytest.approx(expected[name], rel=1e-4)
    assert record["kept"] == record["tokens"] == corpus.n_tokens


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_an_update_is_the_gradient_by_finite_differences(architecture):
    corpus = Corpus.from_sentences([["a", "b", "c"], ["b", "a", "d"]])
    tables = word_tables(4, 3, seed=1)
    before = {name: table.astype(np.float64) for name, table in tables.items()}
    rate = 1e-4
    trainer, _ = text_trainer(corpus, tables, architecture, sampler=FIRST, window=1)
    trainer.run_epoch(1, lambda done: rate)

    def objective(tables):
        total = 0.0
        for sentence in sentences_of(corpus):
            for centre, others in oracle.windows(sentence, [1] * len(sentence)):
                of, positives = ([centre], others) if architecture == "skipgram" else (others, [centre])
                negative = min(set(range(4)) - set(positives))
                total += oracle.window_objective(
                    tables["word_factors"], tables["output_factors"], positives, [(negative, 2 * len(positives))], of
                )
        return total

    for name, table in before.items():
        for cell in np.ndindex(table.shape):
            step = np.zeros_like(table)
            step[cell] = 1e-6
            slope = (objective(before | {name: table + step}) - objective(before | {name: table - step})) / 2e-6
            assert (table[cell] - tables[name][cell]) / rate == pytest.approx(slope, rel=0.02, abs=0.01)


# Each combination is compiled for itself, so that not all of them are tried.
@pytest.mark.parametrize(("name", "architecture"), list(zip(SAMPLERS, itertools.cycle(ARCHITECTURES), strict=False)))
def test_every_sampler_trains_words(name, architecture):
    rng = np.random.default_rng(0)
    corpus = Corpus.from_sentences([[f"{topic}{word}" for word in rng.integers(0, 8, 6)] for topic in "ab" * 20])
    tables = word_tables(corpus.n_words, 4, seed=0, scale=0.1)
    trainer, _ = text_trainer(corpus, tables, architecture, sampler=name)
    records = [trainer.run_epoch(epoch, lambda done: 0.1) for epoch in (1, 2, 3)]
    assert records[-1]["loss"] < records[0]["loss"]
    assert all(record["trials"] >= 1 and record["negative_gradient"] > 0 for record in records)
    assert all((record["refreshes"] > 0) == (name == "adaptive") for record in records)


@pytest.mark.parametrize("subsample", [0.0, 1e-2])
def test_the_draws_do_not_depend_on_the_number_of_threads(subsample):
    """With a learning rate of 0 nothing moves, so that all that could differ is the draws."""
    n_sentences = 20 if numba.config.DISABLE_JIT else 4000
    rng = np.random.default_rng(0)
    corpus = Corpus.from_sentences([map(str, rng.zipf(1.5, 9) % 50) for _ in range(n_sentences)])
    records = []
    for n_threads in (1, 2):
        tables = word_tables(corpus.n_words, 2, seed=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a machine may have one core
            trainer, _ = text_trainer(
                corpus, tables, "cbow", sampler="adaptive", subsample=subsample, n_threads=n_threads
            )
        record = trainer.run_epoch(1, lambda done: 0.0)
        records.append({name: value for name, value in record.items() if name != "seconds"})
    for name in ("loss", "negative_gradient"):
        assert records[0].pop(name) == pytest.approx(records[1].pop(name), rel=1e-9)
    assert records[0] == records[1]


@settings(max_examples=50)
@given(rows=st.lists(st.integers(0, 9), min_size=1, max_size=13), n_factors=st.integers(1, 9), seed=st.integers(0, 99))
def test_words_move_one_after_the_other_though_they_move_by_four(rows, n_factors, seed):
    rng = np.random.default_rng(seed)
    vector, outputs = rng.standard_normal(n_factors), rng.standard_normal((10, n_factors))
    grads, sums = rng.standard_normal(len(rows)), np.full(10, 0.5)
    moved, gradient = outputs.astype(np.float32), np.zeros(n_factors, np.float32)
    memory, length = sums.astype(np.float32), float(vector @ vector)
    moving = numba.njit(lambda *arguments: move_words(*arguments))
    moving(
        vector.astype(np.float32), moved, memory, RowAdagrad().state(), np.float32(0.1), np.array(rows, np.int32),
        len(rows), grads.astype(np.float32), np.float32(length), gradient,
    )  # fmt: skip
    expected = np.zeros(n_factors)
    for row, grad in zip(rows, grads, strict=True):
        sums[row] += grad * grad * length / n_factors
        expected += grad * outputs[row]
        outputs[row] -= 0.1 / np.sqrt(sums[row]) * grad * vector
    assert gradient == pytest.approx(expected, rel=1e-3, abs=1e-4)
    assert moved == pytest.approx(outputs, rel=1e-3, abs=1e-4)
    assert memory == pytest.approx(sums, rel=1e-3)


@pytest.mark.parametrize(("draws_per", "n_times"), [("pair", 20), ("window", 11), ("block", 2)])
def test_how_often_negatives_are_drawn(draws_per, n_times):
    corpus = Corpus.from_sentences([list("abcdefghijk")])
    trainer, _ = text_trainer(corpus, word_tables(11, 2, 0), "skipgram", window=1, draws_per=draws_per)
    device = trainer._device
    device.launch(corpus.tokens.copy(), corpus.offsets.copy(), 0.1)
    tally = device.tally()
    assert (tally[KEPT], tally[STEPS]) == (11, 20)
    assert tally[DRAWS] == 3 * n_times


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_what_is_drawn_for_what_unless_told_otherwise(architecture, sampler):
    corpus = Corpus.from_sentences([list("abc") * 6])
    task = task_for(corpus, architecture, sampler=sampler, draws_per=None, n_draws=None)
    in_blocks = architecture == "skipgram" and sampler in {"uniform", "popularity"}
    per, factor = ("block", 6) if in_blocks else ("window", 3 if architecture == "skipgram" else 2)
    assert (task.draws_per, task.n_draws) == (DRAWS_PER[per], 2 * factor)


@pytest.mark.parametrize("name", [name for name in SAMPLERS if not SAMPLERS[name].by_vector])
def test_a_law_whose_draws_windows_share_does_not_depend_on_the_vector(name):
    rng = np.random.default_rng(0)
    one, other = SAMPLERS[name]().law(rng.standard_normal((2, 3)), rng.standard_normal((20, 3)), [[0], [0]])
    assert np.array_equal(one, other)


def test_words_are_thinned_out_by_the_rule_of_word2vec():
    counts = np.array([9000, 900, 99, 1])
    share = counts / counts.sum()
    expected = np.minimum(np.sqrt(0.01 / share) + 0.01 / share, 1)
    assert kept_of_each_word(counts, 0.01) / 2**32 == pytest.approx(expected, rel=1e-6)
    assert (kept_of_each_word(counts, 0.0) == 2**32).all()
    sentences = np.random.default_rng(0).permutation(np.repeat(np.arange(4), counts)).reshape(-1, 10)
    corpus = Corpus.from_sentences(sentences)
    trainer, _ = text_trainer(corpus, word_tables(4, 1, 0), "cbow", subsample=0.01, n_draws=1, n_negatives=1)
    kept = trainer.run_epoch(1, lambda done: 0.0)["kept"]
    # Five standard deviations: wrong once in two million for a right rule.
    assert abs(kept - (expected * corpus.counts).sum()) < 5 * np.sqrt((expected * (1 - expected) * corpus.counts).sum())


def test_the_rate_falls_within_an_epoch_and_its_progress_is_told():
    corpus = Corpus.from_sentences([["a", "b"]] * 100)
    trainer, _ = text_trainer(corpus, word_tables(2, 2, 0), "skipgram")
    asked, told = [], []
    trainer.run_epoch(1, lambda done: asked.append(done) or 0.1, told.append)
    assert asked == sorted(set(asked))
    assert asked[0] == 0
    assert 0.9 < asked[-1] < 1
    assert len(asked) >= 20
    assert told[-1] == 1


def test_the_adaptive_sampler_is_refreshed_after_so_many_draws():
    corpus = Corpus.from_sentences([list("abcdef")] * 200)
    sampler = SAMPLERS["adaptive"](refresh_every=300)
    trainer, _ = text_trainer(corpus, word_tables(6, 2, 0), "cbow", sampler=sampler)
    record = trainer.run_epoch(1, lambda done: 0.1)
    # 1,200 windows of 3 draws, in launches of 180.
    assert 3600 // (300 + 180) <= record["refreshes"] <= 3600 // 300 + 1


def test_divergence_names_epoch_rate_and_table():
    corpus = Corpus.from_sentences([["a", "b"]])
    tables = word_tables(2, 2, 0)
    tables["output_factors"][0, 0] = np.inf
    trainer, _ = text_trainer(corpus, tables, "skipgram")
    with np.errstate(all="ignore"), pytest.raises(TrainingDivergedError) as caught:
        trainer.run_epoch(7, lambda done: 0.5)
    assert (caught.value.epoch, caught.value.learning_rate) == (7, 0.5)


def test_architectures_by_name():
    with pytest.raises(UnknownNameError, match="unknown architecture 'skip-gram'; did you mean 'skipgram'"):
        as_architecture("skip-gram")
    for function in (gather_window, scatter_window):
        with pytest.raises(TypeError, match="no architecture"):
            function(None, *[None] * (7 if function is gather_window else 9))


@given(hnp.arrays(np.float32, 8, elements=st.floats(-1000, 1000, width=32)))
def test_the_logistic_function_is_that_of_the_library(scores):
    for score in scores:
        sigma, value = logistic(score)
        assert sigma == pytest.approx(oracle.sigmoid(float(score)), rel=1e-6, abs=1e-37)
        assert value == pytest.approx(np.logaddexp(0, float(score)), rel=1e-6, abs=1e-37)


@given(st.floats(0, 100, width=32))
def test_exponential_and_logarithm(x):
    assert exp_minus(np.float32(x)) == pytest.approx(np.exp(-min(x, 87.0)), rel=3e-7)
    t = np.float32(x / 100)
    assert log_one_plus(t) == pytest.approx(np.log1p(float(t)), rel=3e-7)
