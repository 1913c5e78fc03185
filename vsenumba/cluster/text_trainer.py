"""Train word vectors on a cluster."""

from __future__ import annotations

import math
from collections.abc import Callable, MutableMapping
from typing import Any

import numpy as np

from vsenumba.cluster.rounds import TrainerInRounds
from vsenumba.cluster.text_merge import merged_text
from vsenumba.cluster.text_turn import text_part, text_settings_of, train_text_turn
from vsenumba.cluster.workers import ready_workers
from vsenumba.data.text.corpus import Corpus
from vsenumba.storage import release_pages
from vsenumba.training.text.task import TextTask
from vsenumba.training.text.trainer import check_text_tables

# The number of merges per epoch. With 16 instead of 32 and eight workers, the correlation with word similarities was
# lower by .03 after two epochs (docs/explanation/cluster.md).
N_ROUNDS = 32

# The maximum number of tokens in a part, 64 MB. Parts are sent one by one, and a worker may spill them to its disk.
_MOST_TOKENS = 1 << 24

# The number of points of a turn for which the learning rate is sent; between them it is interpolated.
_N_RATES = 21


class TextClusterTrainer(TrainerInRounds):
    """Train word vectors on a cluster. Each part is a run of sentences; the parts have about the same length.

    Parameters
    ----------
    corpus : Corpus
        The text; the numbers of the words are the rows of the tables.
    task : TextTask
        The settings of the training.
    client, seeds, n_threads
        As in `TrainerInRounds`.
    tables, sums : mapping from str to array
        As in `TextTrainer`.
    """

    def __init__(
        self,
        corpus: Corpus,
        task: TextTask,
        client: Any,
        tables: MutableMapping[str, np.ndarray],
        sums: MutableMapping[str, np.ndarray],
        seeds: np.random.SeedSequence,
        n_threads: int | None = None,
    ) -> None:
        super().__init__(client, tables, sums, seeds, n_threads)
        check_text_tables(task, tables, sums)
        self._corpus, self._task = corpus, task
        self._settings = text_settings_of(task)
        self._divide()

    def _divide(self) -> None:
        """Divide the text into parts, the same number for each of the current workers."""
        corpus = self._corpus
        least = math.ceil(corpus.n_tokens / (self._n_workers * _MOST_TOKENS))
        n_rounds = max(N_ROUNDS if self._n_workers > 1 else 1, least)
        self._n_parts = min(self._n_workers * n_rounds, corpus.n_sentences)
        shares = corpus.n_tokens * np.arange(1, self._n_parts) // self._n_parts
        cuts = np.searchsorted(corpus.offsets, shares)
        self._cuts = [0, *(int(cut) for cut in cuts), corpus.n_sentences]

    def _part(self, part: int) -> dict[str, np.ndarray]:
        return text_part(self._corpus, self._cuts[part], self._cuts[part + 1])

    @property
    def _of_words(self) -> dict[str, np.ndarray]:
        return {"counts": self._task.counts, "keep": self._task.keep}

    def _send(self) -> None:
        client, workers = self._client, ready_workers(self._client)
        [self._sent_of_words] = client.scatter([self._of_words], hash=False)
        self._homes = [workers[part % len(workers)] for part in range(self._n_parts)]
        # Send the parts one by one, because the text may be larger than the memory.
        sent = []
        for part, home in enumerate(self._homes):
            sent += self._put([self._part(part)], home)
            for mapped in (self._corpus.tokens, self._corpus.offsets):
                release_pages(mapped)
        self._sent = sent

    def _submit(self, part: int, shared: Any, epoch: int, rate_at: Callable[[float], float]) -> Any:
        return self._client.submit(
            train_text_turn, self._sent[part], shared, self._settings, self._sent_of_words, self._seed(part), epoch,
            rates_of(rate_at), self._n_threads, workers=self._homes[part], allow_other_workers=True, pure=False,
        )  # fmt: skip

    def _merge(self, shared: Any, changes: list[Any], rate_at: Callable[[float], float]) -> Any:
        return self._client.submit(
            merged_text, shared, changes, self._settings, self._sent_of_words, rate_at(0.5), pure=False
        )

    def _record(self, epoch: int, rate_at: Callable[[float], float], records: list[dict[str, float]]) -> dict[str, Any]:
        records = [record for record in records if record]
        steps = sum(record["steps"] for record in records)
        self.steps += int(steps)
        means = {
            name: float(sum(record[name] * record["steps"] for record in records) / max(steps, 1))
            for name in ("loss", "negative_gradient", "trials")
        }
        numbers = ("skipped", "tokens", "kept", "refreshes")
        return {
            "epoch": epoch, "seconds": self.seconds, "steps": self.steps, **means,
            **{name: int(sum(record[name] for record in records)) for name in numbers},
            "learning_rate": records[-1]["learning_rate"],
        }  # fmt: skip


def rates_of(rate_at: Callable[[float], float]) -> list[float]:
    """Return the learning rates of a turn at evenly spaced points from its start to its end."""
    return [float(rate_at(share)) for share in np.linspace(0, 1, _N_RATES)]
