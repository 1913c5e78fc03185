"""What tests of word vectors' training share: trainers, tables, and how far windows reach."""

from __future__ import annotations

import numpy as np
import oracle

from vsenumba.data.text.reading import LONGEST_SENTENCE
from vsenumba.samplers import WarpSampler, as_sampler
from vsenumba.training.optimisers import Sgd
from vsenumba.training.text import as_architecture
from vsenumba.training.text.host import HostTextDevice
from vsenumba.training.text.task import text_task
from vsenumba.training.text.trainer import TextTrainer

# It tries all words in their order, and so finds the first that is no positive.
FIRST = WarpSampler(search="in order", max_trials=None, margin=1e6)


def word_tables(n_words, n_factors, seed, scale=0.5):
    rng = np.random.default_rng(seed)
    shape = (n_words, n_factors)
    return {
        name: (scale * rng.standard_normal(shape)).astype(np.float32) for name in ("word_factors", "output_factors")
    }


def task_for(corpus, architecture, *, sampler="popularity", optimiser=None, **arguments):
    settings = {"window": 2, "subsample": 0.0, "n_negatives": 2, "draws_per": "window", "n_draws": 3} | arguments
    return text_task(
        corpus.counts, LONGEST_SENTENCE, architecture=as_architecture(architecture), sampler=as_sampler(sampler),
        optimiser=optimiser or Sgd(), **settings,
    )  # fmt: skip


def text_trainer(corpus, tables, architecture, *, device=HostTextDevice, n_threads=1, seeds=None, **arguments):
    task = task_for(corpus, architecture, **arguments)
    sums = {name: task.optimiser.fresh_sums(len(table)) for name, table in tables.items()}
    seeds = seeds or np.random.SeedSequence(3)
    return TextTrainer(corpus, None, task, device(task, n_threads), tables, sums, seeds), sums


def reaches_of(corpus, window, epoch=1, seed=3):
    """Return how far every window reaches, drawn as the loop draws."""
    key = np.random.SeedSequence(seed, spawn_key=(epoch,)).generate_state(2, np.uint32).tolist()
    reaches = []
    for i in range(corpus.n_sentences):
        length = int(corpus.offsets[i + 1] - corpus.offsets[i])
        reaches.append([])
        for at in range(length):
            if at % 8 == 0:
                state = oracle.state_for(int(corpus.offsets[i]) + at, 1, key)
            state = oracle.xorshift(state)
            reaches[-1].append(1 + ((state >> 32) * window >> 32))
    return reaches


def sentences_of(corpus):
    return [corpus.tokens[a:b].tolist() for a, b in zip(corpus.offsets[:-1], corpus.offsets[1:], strict=True)]
