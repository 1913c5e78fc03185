"""The GPU as a device for annotation: tables in its memory, launches as kernels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from vsenumba.data.annotation.pairs import gather_rows
from vsenumba.errors import InputError
from vsenumba.gpu.backend import SIMULATED, require_card
from vsenumba.gpu.epoch import launch_for
from vsenumba.gpu.group import LANES
from vsenumba.gpu.inputs import add_base, shared_rate
from vsenumba.gpu.known import check_known, check_sampler
from vsenumba.gpu.layout import (
    ROOM_ROWS,
    Labels,
    Negatives,
    Pairs,
    blocks_for,
    group_work,
    group_work_bytes,
    groups_per_block,
)
from vsenumba.gpu.memory import (
    Uploads,
    check_fits,
    free_bytes,
    padded,
    state_bytes,
    state_to_card,
    table_to_card,
    to_card,
    to_host,
    xp,
)
from vsenumba.gpu.network import CardNetwork
from vsenumba.gpu.refresh import refresh_bytes, refresh_on_card
from vsenumba.kernels.gate import below, segments
from vsenumba.kernels.random import spawned
from vsenumba.training.annotation.absences import absences_state
from vsenumba.training.annotation.inputs.features import FeatureFeed
from vsenumba.training.annotation.inputs.kind import Feed, Sizes, shares_vector
from vsenumba.training.annotation.inputs.sum import InputsState
from vsenumba.training.annotation.plan import Launch
from vsenumba.training.annotation.task import Task

# The largest number of groups that work at the same time. A group does not see the updates that the others are about to
# make. With 2,048, the MRR of six sets stays within the differences between seeds; with 4,096 it does not
# (docs/explanation/gpu.md).
_MOST_GROUPS = 6 if SIMULATED else 2_048


class CudaDevice:
    """Train with the kernel of `vsenumba.gpu.epoch`; see `vsenumba.training.annotation.device.Device`."""

    name: ClassVar[str] = "cuda"
    # On a GPU, training on fewer draws takes less time than starting a refresh.
    least_interval: ClassVar[int] = 1 << 21

    def __init__(self, task: Task, n_threads: int | None = None) -> None:
        require_card()
        self._task = task

    def put(self, tables: Mapping[str, np.ndarray], sums: Mapping[str, np.ndarray]) -> None:
        """Copy the tables to the GPU; see `Device.put`."""
        task, data = self._task, self._task.data
        indices = below("the data's indices", data.indices, data.n_labels)
        indptr = segments("the data's indptr", data.indptr, len(indices), data.n_images)
        self._tables, self._sums = tables, sums
        n_labels, n_factors = tables["label_factors"].shape
        width = padded(n_factors)
        self._per_block = groups_per_block(width, ROOM_ROWS)
        if not self._per_block:
            most = max(k for k in range(LANES, width, LANES) if groups_per_block(k, ROOM_ROWS))
            raise InputError(f'device="cuda" supports at most {most:,} factors, not n_factors={n_factors:,}')
        self._feeds = task.inputs.feeds(tables, sums, data, task.l2)
        states = [feed.state for feed in self._feeds]
        sizes = _MOST_GROUPS, width, task.loss.n_scores(n_labels), task.loss.draws or 0
        own_vectors = not all(shares_vector(state) for state in states)
        host_sampler = task.sampler.state(task.counts, n_factors, _MOST_GROUPS)
        if task.loss.draws:
            host_sampler = task.sampler.with_probabilities(host_sampler)
        check_sampler(task.sampler, host_sampler)
        check_known(shared_rate, task.optimiser.state(), f"the optimiser {task.optimiser}")
        for state in states:
            check_known(add_base, state, f"the input {type(state).__name__}")
        # If all pairs would fill more than half of the free memory, each launch sends only its own.
        pair_bytes = indices.nbytes + indptr.nbytes
        self._by_launch = 2 * pair_bytes > free_bytes()
        absences = absences_state(data, task.absent_share)
        on_card = sum(4 * width * len(table) + sums[name].nbytes for name, table in self._moved().items())
        on_card += (0 if self._by_launch else pair_bytes) + group_work_bytes(*sizes, keeps_pulls=own_vectors)
        on_card += state_bytes(host_sampler) + refresh_bytes(host_sampler) + state_bytes(absences)
        on_card += sum(CardNetwork.bytes_for(feed, tables) for feed in self._feeds if isinstance(feed, FeatureFeed))
        check_fits(on_card, f"training {task.data!r} with {n_factors} factors", 'use fewer factors, or device="cpu"')
        self._indptr, self._indices, self._uploads = indptr, indices, Uploads()
        if not self._by_launch:
            self._pairs = Pairs(to_card(indptr), to_card(indices), xp.zeros(0, np.int64))
        self._on_card = {name: table_to_card(table) for name, table in self._moved().items()}
        self._sums_on_card = {name: to_card(sums[name]) for name in self._on_card}
        known = {id(tables[name]): table for name, table in self._on_card.items()}
        known |= {id(sums[name]): one for name, one in self._sums_on_card.items()}
        self._network: CardNetwork | None = None
        self._inputs = [self._state_on_card(feed, known) for feed in self._feeds]
        self._sampler = state_to_card(host_sampler, known)
        self._absences = state_to_card(absences, known)
        self._loss = state_to_card(task.loss.state(n_labels), known)
        self._optimiser = task.optimiser.state()
        self._work = group_work(*sizes, keeps_pulls=own_vectors)

    def _moved(self) -> dict[str, np.ndarray]:
        """Return the tables that the kernel changes. The layers of a network are changed by `CardNetwork` instead."""
        data = self._task.data
        sizes = Sizes(*data.shape, self._tables["label_factors"].shape[1], data.n_features)
        return {name: self._tables[name] for name in self._task.inputs.moved_by_steps(sizes)}

    def _state_on_card(self, feed: Feed, known: Mapping[int, Any]) -> Any:
        if not isinstance(feed, FeatureFeed):
            return state_to_card(feed.state, known)
        self._network = CardNetwork(feed, self._tables, self._sums)
        return self._network.state

    def seed(self, seeds: np.random.SeedSequence) -> None:
        """Store the key of the epoch; see `Device.seed`."""
        self._key = to_card(seeds.generate_state(2, np.uint32).astype(np.uint64))
        for feed in self._feeds:
            feed.seed(spawned(seeds, 0))

    def refresh(self) -> None:
        """Update the sampler's state on the GPU; see `Device.refresh`."""
        n_factors = self._tables["label_factors"].shape[1]
        refresh_on_card(self._task.sampler, self._sampler, self._on_card["label_factors"][:, :n_factors])

    def launch(self, launch: Launch, rate: float) -> None:
        """Run the kernel with one group per image, up to the largest number of groups; see `Device.launch`."""
        task = self._task
        if self._network is not None:
            self._network.begin_launch(launch.order)
        first, second, third = self._inputs
        table, sums = self._on_card["label_factors"], self._sums_on_card["label_factors"]
        labels = Labels(
            table, sums, self._optimiser, np.float32(0 if task.frozen_labels else rate), np.float32(task.l2),
            self._tables["label_factors"].shape[1],
        )  # fmt: skip
        order, parts, pairs = self._upload(launch)
        negatives = Negatives(self._sampler, self._absences, task.n_negatives)
        inputs = InputsState(first, second, third, parts)
        n_blocks = blocks_for(len(launch.order), self._per_block, _MOST_GROUPS)
        # An empty launch runs too, because it compiles the kernel.
        launch_for(table.shape[1] // LANES, self._per_block)[n_blocks, (LANES, self._per_block)](
            order, pairs, labels, negatives, inputs, np.float32(rate), self._loss, self._key, self._work
        )
        if self._network is not None:
            self._network.end_launch(rate)

    def _upload(self, launch: Launch) -> tuple[Any, Any, Pairs]:
        """Copy the order, the parts and, if needed, the pairs of a launch to the GPU."""
        if not self._by_launch:
            order, parts = self._uploads.upload(launch.order, launch.parts)
            return order, parts, self._pairs
        rows = launch.order.astype(np.int64)
        indptr, indices = gather_rows(self._indptr, self._indices, rows, self._task.data.n_labels)
        uploaded = self._uploads.upload(launch.order, launch.parts, indptr, indices, self._indptr[rows])
        return uploaded[0], uploaded[1], Pairs(*uploaded[2:])

    def tally(self) -> np.ndarray:
        """Return the sum of the groups' counts, and reset them; see `Device.tally`."""
        counted = to_host(self._work.tally.sum(axis=0))
        self._work.tally[...] = 0
        return counted

    def fetch(self) -> None:
        """Copy the tables and the sums back from the GPU; see `Device.fetch`."""
        if self._network is not None:
            self._network.fetch()
        for name, table in self._on_card.items():
            self._tables[name][...] = to_host(table[:, : self._tables[name].shape[1]])
            self._sums[name][...] = to_host(self._sums_on_card[name])
