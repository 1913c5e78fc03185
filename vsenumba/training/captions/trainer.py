"""The loop over batches of matching pairs: forward, objective, backward, and a step of the optimiser."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from vsenumba.data.captions.caption_set import CaptionSet
from vsenumba.errors import TrainingDivergedError
from vsenumba.kernels.random import spawned
from vsenumba.kernels.threads import one_blas_thread, threads
from vsenumba.objectives import Objective
from vsenumba.training.adamw import AdamW
from vsenumba.training.captions.branch import Branch
from vsenumba.training.captions.caption_rows import Captions
from vsenumba.training.divergence import check_finite
from vsenumba.training.run import Trainer

Tables = dict[str, np.ndarray]


class CaptionTrainer(Trainer):
    """Train two branches on a caption set.

    Parameters
    ----------
    data : CaptionSet
        The images and captions, and which caption belongs to which image.
    captions : Captions
        The captions as rows for the caption branch.
    tables : mapping from str to array
        The parameters, changed in place. Those of the branches have the prefixes ``"image."`` and ``"caption."``.
    image_branch, caption_branch : Branch
        The layers of each side.
    objective : Objective
        The loss of a batch.
    semantics : (n_captions, r) array or None
        Vectors of the captions' content, if the objective needs them.
    optimiser : AdamW
        The optimiser of the tables.
    batch_size : int
        The number of pairs in a batch.
    row_dropout : float
        The share of regions and words that is hidden in each batch. Each item keeps at least one.
    warmup_epochs : int
        The number of first epochs in which all negatives of a batch count and the learning rate rises from 0.
    n_threads : int or None
        The number of threads; None for all.
    seeds : numpy.random.SeedSequence
        The random seed. Epoch e uses ``SeedSequence(seeds.entropy, spawn_key=(e,))``.
    """

    def __init__(
        self,
        data: CaptionSet,
        captions: Captions,
        tables: Tables,
        *,
        image_branch: Branch,
        caption_branch: Branch,
        objective: Objective,
        semantics: np.ndarray | None,
        optimiser: AdamW,
        batch_size: int,
        row_dropout: float,
        warmup_epochs: int,
        n_threads: int | None,
        seeds: np.random.SeedSequence,
    ) -> None:
        self.steps, self.seconds = 0, 0.0
        self._data = data
        self._captions = captions
        self._tables = tables
        self._branches = {"image": image_branch, "caption": caption_branch}
        self._objective = objective
        self._semantics = semantics
        self._optimiser = optimiser
        self._batch_size = batch_size
        self._row_dropout = row_dropout
        self._warmup_epochs = warmup_epochs
        self._n_threads = n_threads
        self._seeds = seeds
        self._matches = data.matches()

    def run_epoch(
        self, epoch: int, rate_at: Callable[[float], float], progress: Callable[[float], object] = lambda done: None
    ) -> dict[str, float]:
        """Train one epoch at a learning rate that changes with every batch; see `vsenumba.training.run.Trainer`."""
        started = time.perf_counter()
        rng = np.random.default_rng(spawned(self._seeds, epoch))
        warming = epoch <= self._warmup_epochs
        objective = replace(self._objective, negatives="all") if warming else self._objective
        n = len(self._matches[0])
        order = rng.permutation(n)
        totals = {"loss": 0.0, "group_size": 0.0, "gradient": 0.0, "spread": 0.0}
        n_batches, rate = 0, 0.0
        with threads(self._n_threads), one_blas_thread():
            for first in range(0, n, self._batch_size):
                pairs = order[first : first + self._batch_size]
                if len(pairs) < 2:
                    break  # a single pair has no negative
                rate = rate_at(first / n)
                if warming:
                    rate *= (epoch - 1 + (first + len(pairs)) / n) / self._warmup_epochs
                for name, value in self._run_batch(epoch, pairs, objective, rate, rng).items():
                    totals[name] += value
                self.steps += len(pairs)
                n_batches += 1
                progress((first + len(pairs)) / n)
        self.seconds += time.perf_counter() - started
        check_finite(self._tables, epoch, rate)
        means = {name: value / max(n_batches, 1) for name, value in totals.items()}
        return {"epoch": epoch, "seconds": self.seconds, "steps": self.steps, **means, "learning_rate": rate}

    def _run_batch(
        self, epoch: int, pairs: np.ndarray, objective: Objective, rate: float, rng: np.random.Generator
    ) -> dict[str, float]:
        images, captions = (side[pairs] for side in self._matches)
        rows, offsets = thinned(*self._data.images.take(images), self._row_dropout, rng)
        tokens, token_offsets = thinned(*self._captions.take(captions), self._row_dropout, rng)
        image_vectors, image_memory = self._forward("image", rows, offsets)
        token_rows = self._captions.rows(tokens, self._tables)
        caption_vectors, caption_memory = self._forward("caption", token_rows, token_offsets)
        scores = image_vectors @ caption_vectors.T
        if not np.isfinite(scores).all():
            check_finite(self._tables, epoch, rate)
            raise TrainingDivergedError(epoch, rate, "scores")
        subjects = self._data.image_subjects[images]
        semantics = None if self._semantics is None else self._semantics[captions]
        loss, in_scores, group_size = objective.batch_loss(
            scores, same=subjects[:, None] == subjects, semantics=semantics, rng=rng
        )
        _, of_image = self._branches["image"].backward(in_scores @ caption_vectors, image_memory)
        in_tokens, of_caption = self._branches["caption"].backward(
            in_scores.T @ image_vectors, caption_memory, in_rows=self._captions.trained
        )
        gradients = {f"image.{name}": one for name, one in of_image.items()}
        gradients |= {f"caption.{name}": one for name, one in of_caption.items()}
        gradients |= self._captions.gradients(tokens, in_tokens, self._tables)
        length = self._optimiser.step(gradients, rate)
        return {"loss": loss, "group_size": group_size, "gradient": length, "spread": float(scores.std())}

    def _forward(self, side: str, rows: np.ndarray, offsets: np.ndarray) -> tuple[np.ndarray, Any]:
        return self._branches[side].forward(rows, offsets, side_of(self._tables, side))


def side_of(tables: Mapping[str, np.ndarray], side: str) -> Tables:
    """Return the parameters of the branch "image" or "caption", without the prefix of their names."""
    return {name.removeprefix(f"{side}."): one for name, one in tables.items() if name.startswith(f"{side}.")}


def thinned(
    rows: np.ndarray, offsets: np.ndarray, share: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return rows without a random share of them, and the new offsets; each item keeps at least one row."""
    if share == 0:
        return rows, offsets
    stays = rng.random(len(rows)) >= share
    counts = np.add.reduceat(stays, offsets[:-1], dtype=np.int64)
    stays[offsets[:-1][counts == 0]] = True
    return rows[stays], np.concatenate(([0], np.cumsum(np.maximum(counts, 1))))
