"""Word vectors on a card against the oracle, and against the processor; simulated where there is no card."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle_groups import train_windows_by_groups
from strategies import corpora
from windows import FIRST, reaches_of, sentences_of, text_trainer, word_tables

from vsenumba import WordEmbedder
from vsenumba.data import Corpus
from vsenumba.errors import InputError
from vsenumba.gpu import text_device as device_module
from vsenumba.gpu.text_device import CudaTextDevice
from vsenumba.samplers import SAMPLERS
from vsenumba.training.optimisers import RowAdagrad, Sgd
from vsenumba.training.text import ARCHITECTURES
from vsenumba.training.text.draws import DRAWS_PER
from vsenumba.training.text.host import HostTextDevice

pytestmark = pytest.mark.on_card


@pytest.mark.parametrize("optimiser", [RowAdagrad(initial=0.1), Sgd()])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@settings(max_examples=5)
@given(
    corpus=corpora(min_words=2),
    draws_per=st.sampled_from(list(DRAWS_PER)),
    n_factors=st.integers(1, 5),
    window=st.integers(1, 3),
    n_draws=st.integers(1, 4),
    n_groups=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_an_epoch_is_the_oracles(
    architecture, optimiser, corpus, draws_per, n_factors, window, n_draws, n_groups, seed
):  # fmt: skip
    tables = word_tables(corpus.n_words, n_factors, seed)
    exact = {name: table.astype(np.float64) for name, table in tables.items()}
    with mock.patch.object(device_module, "_MOST_GROUPS", n_groups):
        trainer, sums = text_trainer(
            corpus, tables, architecture, sampler=FIRST, optimiser=optimiser, window=window, draws_per=draws_per,
            n_draws=n_draws, device=CudaTextDevice,
        )  # fmt: skip
        exact_sums = {name: memory.astype(np.float64) for name, memory in sums.items()}
        # In one launch, whose blocks the groups share.
        with mock.patch("vsenumba.training.text.trainer._LEAST_LAUNCHES", 1):
            record = trainer.run_epoch(1, lambda done: 0.1)
    expected = train_windows_by_groups(
        sentences_of(corpus), reaches_of(corpus, window), exact, exact_sums, architecture=architecture, rate=0.1,
        n_negatives=2, n_draws=n_draws, adagrad=isinstance(optimiser, RowAdagrad), draws_per=draws_per,
        n_groups=n_groups,
    )  # fmt: skip
    for name in tables:
        assert tables[name] == pytest.approx(exact[name], rel=1e-3, abs=1e-4)
        assert sums[name] == pytest.approx(exact_sums[name], rel=1e-3)
    assert (record["steps"], record["skipped"]) == (expected["steps"], expected["skipped"])
    assert record["trials"] == pytest.approx(expected["trials"], rel=1e-12)
    for name in ("loss", "negative_gradient"):
        assert record[name] == pytest.approx(expected[name], rel=1e-4)
    assert record["kept"] == record["tokens"] == corpus.n_tokens


@pytest.mark.parametrize(
    ("sampler", "draws_per"), [(name, "window") for name in SAMPLERS if name != "rank"] + [("popularity", "block")]
)
def test_the_very_same_words_are_kept_and_drawn_as_on_the_processor(sampler, draws_per):
    """Nothing moves at a rate of 0, and of such factors products are exact, whatever the order of their sum."""
    rng = np.random.default_rng(0)
    corpus = Corpus.from_sentences([[f"w{word}" for word in rng.integers(0, 9, n)] for n in (12, 3, 1)])
    records = []
    for device in (HostTextDevice, CudaTextDevice):
        tables = {name: np.round(8 * table) / 8 for name, table in word_tables(corpus.n_words, 4, 0).items()}
        trainer, _ = text_trainer(
            corpus, tables, "skipgram", sampler=sampler, draws_per=draws_per, subsample=0.02, device=device
        )
        record = trainer.run_epoch(1, lambda done: 0.0)
        records.append({name: value for name, value in record.items() if name not in ("seconds", "refreshes")})
    assert records[1] == pytest.approx(records[0], rel=1e-5)
    assert 0 < records[0]["kept"] < corpus.n_tokens


def test_windows_of_all_words_have_no_negatives_as_on_the_processor():
    corpus = Corpus.from_sentences([["a", "b", "a"]])
    records = []
    for device in (HostTextDevice, CudaTextDevice):
        trainer, _ = text_trainer(corpus, word_tables(2, 3, 0), "skipgram", device=device)
        records.append(trainer.run_epoch(1, lambda done: 0.0))
    assert records[0]["skipped"] == records[1]["skipped"] > 0


def test_a_model_of_words_trains_on_a_card():
    text = [["a", "cat", "sat", "on", "a", "mat"], ["a", "dog", "sat", "on", "a", "log"]]
    model = WordEmbedder(n_factors=3, n_epochs=1, subsample=0, device="cuda", random_state=0).fit(text)
    assert np.isfinite(model.word_factors_).all()
    assert model.history_["steps"][0] > 10


def test_draws_beyond_shared_memory_are_refused_by_bytes():
    text = [["a", "cat", "sat"]]
    with pytest.raises(InputError, match=r"keeps draws in 49,152 bytes of shared memory, but 5,000 draws of 8 factors"):
        WordEmbedder(n_factors=8, n_draws=5_000, device="cuda").fit(text)
