"""The GPU as a device for word vectors: both tables in its memory, and two kernels per launch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from vsenumba.errors import InputError
from vsenumba.gpu.backend import SIMULATED, require_card
from vsenumba.gpu.group import LANES
from vsenumba.gpu.inputs import shared_rate
from vsenumba.gpu.known import check_known, check_sampler
from vsenumba.gpu.layout import ROOM_ROWS, SHARED_BYTES, Labels, blocks_for, group_bytes, groups_per_block
from vsenumba.gpu.memory import check_fits, padded, state_bytes, state_to_card, table_to_card, to_card, to_host, xp
from vsenumba.gpu.refresh import refresh_bytes, refresh_on_card
from vsenumba.gpu.words import WORD_ROWS, Text, Windows, open_window, thin_out, windows_for
from vsenumba.training.text.draws import BLOCK
from vsenumba.training.text.tally import TALLY_COLUMNS
from vsenumba.training.text.task import TextTask

# The largest number of groups that work at the same time; see `vsenumba.gpu.device`.
_MOST_GROUPS = 6 if SIMULATED else 2_048

# The number of threads per block in the kernel that subsamples sentences.
_THREADS = 2 if SIMULATED else 64

_TABLES = ("word_factors", "output_factors")

# The bytes per token of a launch with short sentences.
_TOKEN_BYTES = 16


class CudaTextDevice:
    """Train with the kernels of `vsenumba.gpu.words`; see `vsenumba.training.text.device.TextDevice`."""

    name: ClassVar[str] = "cuda"
    tokens_per_launch: ClassVar[int] = 4_000_000

    def __init__(self, task: TextTask, n_threads: int | None = None) -> None:
        require_card()
        self._task = task

    def put(self, tables: Mapping[str, np.ndarray], sums: Mapping[str, np.ndarray]) -> None:
        """Copy the tables to the GPU; see `TextDevice.put`."""
        task = self._task
        n_words, self._n_factors = tables["word_factors"].shape
        width = padded(self._n_factors)
        n_rows = ROOM_ROWS + task.n_draws
        self._per_block = groups_per_block(width, n_rows)
        if not self._per_block:
            raise InputError(
                f'device="cuda" keeps draws in {SHARED_BYTES:,} bytes of shared memory, but {task.n_draws:,} draws of '
                f"{self._n_factors:,} factors need {group_bytes(width, n_rows):,}; use fewer factors or fewer draws"
            )
        host_sampler = task.sampler.state(task.counts, self._n_factors, _MOST_GROUPS)
        check_sampler(task.sampler, host_sampler)
        check_known(shared_rate, task.optimiser.state(), f"the optimiser {task.optimiser}")
        check_known(open_window, task.architecture.state(), f"the architecture {task.architecture}")
        on_card = sum(4 * width * n_words + sums[name].nbytes for name in _TABLES) + task.keep.nbytes
        on_card += state_bytes(host_sampler) + refresh_bytes(host_sampler)
        on_card += 4 * _MOST_GROUPS * WORD_ROWS * task.most_chosen + _TOKEN_BYTES * self.tokens_per_launch
        check_fits(on_card, f"training {n_words:,} words", 'use fewer factors, or device="cpu"')
        self._tables, self._sums = tables, sums
        self._on_card = {name: table_to_card(tables[name]) for name in _TABLES}
        self._sums_on_card = {name: to_card(sums[name]) for name in _TABLES}
        self._sampler = state_to_card(host_sampler, {})
        self._keep = to_card(task.keep)
        self._words = xp.zeros((_MOST_GROUPS, WORD_ROWS, task.most_chosen), np.int32)
        self._tally = xp.zeros((_MOST_GROUPS, TALLY_COLUMNS), np.float64)

    def seed(self, seeds: np.random.SeedSequence) -> None:
        """Store the key of the epoch; see `TextDevice.seed`."""
        self._key = to_card(seeds.generate_state(2, np.uint32).astype(np.uint64))

    def refresh(self) -> None:
        """Update the sampler's state on the GPU; see `TextDevice.refresh`."""
        refresh_on_card(self._task.sampler, self._sampler, self._on_card["output_factors"][:, : self._n_factors])

    def launch(self, tokens: np.ndarray, offsets: np.ndarray, rate: float) -> None:
        """Subsample the sentences, then train with one group per block of windows; see `TextDevice.launch`."""
        n_sentences = len(offsets) - 1
        n_blocks = -(-np.diff(offsets) // BLOCK)
        first_block = np.cumsum(n_blocks) - n_blocks
        blocks = np.repeat(np.arange(n_sentences, dtype=np.int32), n_blocks)
        text = Text(
            to_card(tokens), to_card(offsets), xp.zeros(len(tokens), np.int32), xp.zeros(n_sentences, np.int32),
            to_card(blocks), to_card(first_block),
        )  # fmt: skip
        # An empty launch runs too, because it compiles the kernels.
        n_grid = min(max(-(-n_sentences // _THREADS), 1), _MOST_GROUPS)
        thin_out[n_grid, _THREADS](text, self._keep, self._key, self._tally[0])
        task = self._task
        inputs, outputs = (
            Labels(
                self._on_card[name], self._sums_on_card[name], task.optimiser.state(), np.float32(rate), np.float32(0),
                self._n_factors,
            )
            for name in _TABLES
        )  # fmt: skip
        windows = Windows(
            task.architecture.state(), self._sampler, task.window, task.draws_per, task.n_draws, task.n_negatives
        )
        n_grid = blocks_for(len(blocks), self._per_block, _MOST_GROUPS)
        kernel = windows_for(padded(self._n_factors) // LANES, self._per_block, task.n_draws)
        kernel[n_grid, (LANES, self._per_block)](text, windows, inputs, outputs, self._key, self._words, self._tally)

    def tally(self) -> np.ndarray:
        """Return the sum of the groups' counts, and reset them; see `TextDevice.tally`."""
        counted = to_host(self._tally.sum(axis=0))
        self._tally[...] = 0
        return counted

    def fetch(self) -> None:
        """Copy the tables and the sums back from the GPU; see `TextDevice.fetch`."""
        for name in _TABLES:
            self._tables[name][...] = to_host(self._on_card[name][:, : self._n_factors])
            self._sums[name][...] = to_host(self._sums_on_card[name])
