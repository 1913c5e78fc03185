"""A worker's turn: train on one part of a set with a copy of the tables, and return the changes.

This module does not use Dask. Its inputs and outputs are arrays, numbers, strings, and dictionaries of these.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vsenumba.cluster.members import check_members
from vsenumba.cluster.places import read_rows, rows_in_places
from vsenumba.data.annotation.absences import Absences
from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.features import feature_rows
from vsenumba.data.annotation.pairs import gather_rows
from vsenumba.kernels.random import spawned
from vsenumba.losses import as_loss
from vsenumba.samplers import as_sampler
from vsenumba.training.annotation.host import HostDevice
from vsenumba.training.annotation.inputs import as_inputs
from vsenumba.training.annotation.task import Task
from vsenumba.training.annotation.trainer import AnnotationTrainer
from vsenumba.training.optimisers import as_optimiser

#: The tables with one row per image; these rows stay on the worker of the image.
OF_IMAGES = ("image_factors",)


def settings_of(task: Task) -> str:
    """Return the settings of a task as JSON, without the data.

    Raises
    ------
    InputError
        If the class of the sampler, the loss or the optimiser is not part of the package.
    """
    check_members({as_sampler: task.sampler, as_loss: task.loss, as_optimiser: task.optimiser})
    return json.dumps(
        {
            "inputs": [part.name for part in task.inputs.parts],
            "sampler": as_sampler.to_json(task.sampler),
            "loss": as_loss.to_json(task.loss),
            "optimiser": as_optimiser.to_json(task.optimiser),
            "l2": float(task.l2),
            "n_negatives": task.n_negatives,
            "absent_share": task.absent_share,
        }
    )


def task_of(settings: str, data: AnnotationSet, label_counts: np.ndarray) -> Task:
    """Return a task on a part of a set; `label_counts` are the counts in the whole set."""
    said = json.loads(settings)
    return Task(
        data=data,
        inputs=as_inputs(said["inputs"]),
        sampler=as_sampler.from_json(said["sampler"]),
        loss=as_loss.from_json(said["loss"]),
        optimiser=as_optimiser.from_json(said["optimiser"]),
        l2=said["l2"],
        n_negatives=said["n_negatives"],
        absent_share=said["absent_share"],
        label_counts=label_counts,
    )


def part_to_arrays(
    data: AnnotationSet, rows: np.ndarray, places: Sequence[Mapping[str, Any]] | None = None
) -> dict[str, Any]:
    """Return the pairs, absences and features of some images, without names.

    For features at `places`, the result lists the files and rows to read; see `vsenumba.cluster.places`.
    """
    indptr, indices = gather_rows(data.indptr, data.indices, rows, data.n_labels)
    arrays: dict[str, Any] = {"indptr": indptr, "indices": indices}
    if places is not None:
        arrays["features_at"] = rows_in_places(data.features, places, rows)
    elif data.features is not None:
        arrays["features"] = feature_rows(data.features, rows)
    if data.absent is not None:
        absent = data.absent.select(rows)
        arrays |= {"absent_indptr": np.array(absent.indptr), "absent_indices": np.array(absent.indices)}
    return arrays


def part_from_arrays(arrays: Mapping[str, Any], n_labels: int, **names: Any) -> AnnotationSet:
    """Return the set of images from `part_to_arrays`; names that are not given are numbers."""
    absent = None
    if "absent_indptr" in arrays:
        absent = Absences(arrays["absent_indptr"], arrays["absent_indices"], n_labels)
    features = read_rows(arrays["features_at"]) if "features_at" in arrays else arrays.get("features")
    return AnnotationSet(arrays["indptr"], arrays["indices"], n_labels, features=features, absent=absent, **names)


def of_all(
    tables: Mapping[str, np.ndarray], sums: Mapping[str, np.ndarray], own: Sequence[str]
) -> dict[str, dict[str, np.ndarray]]:
    """Return copies of the tables that all parts train, and of the optimiser's sums, without the tables in `own`."""
    return {
        "tables": {name: np.array(one) for name, one in tables.items() if name not in own},
        "sums": {name: np.array(one) for name, one in sums.items() if name not in own},
    }


def of_images(
    tables: Mapping[str, np.ndarray], sums: Mapping[str, np.ndarray], own: Sequence[str], rows: np.ndarray
) -> dict[str, dict[str, np.ndarray]]:
    """Return the rows of some images in the tables `own`, and the optimiser's sums of these rows."""
    return {
        "tables": {name: tables[name][rows] for name in own},
        # SGD keeps no sums.
        "sums": {name: sums[name][rows] if len(sums[name]) else sums[name] for name in own},
    }


def train_turn(
    part: Mapping[str, Any],
    of_part: Mapping[str, Mapping[str, np.ndarray]],
    shared: Mapping[str, Mapping[str, np.ndarray]],
    settings: str,
    label_counts: np.ndarray,
    seed: Mapping[str, Any],
    epoch: int,
    rate: float,
    n_threads: int | None,
) -> dict[str, Any]:
    """Train once on the pairs of a part.

    Parameters
    ----------
    part : mapping
        The result of `part_to_arrays`.
    of_part, shared : mapping
        ``{"tables": ..., "sums": ...}``: the rows of the part's own images, and the tables that all parts train, with
        the optimiser's sums of each. They are not changed.
    settings : str
        The settings of the task as JSON; see `settings_of`.
    label_counts : (n_labels,) int64 array
        The number of images of each label in the whole set.
    seed : mapping
        The part's random seed, ``{"entropy": ..., "key": ...}``.
    epoch : int
        The epoch, which is part of the random seed.
    rate : float
        The learning rate.
    n_threads : int or None
        The number of threads; None for all.

    Returns
    -------
    dict
        ``"of_part"``, the new rows of the part's own images, and ``"moved"``, the changes and the record for
        `vsenumba.cluster.merge.merged`.
    """
    data = part_from_arrays(part, len(label_counts))
    tables = {name: np.array(table) for one in (of_part, shared) for name, table in one["tables"].items()}
    sums = {name: np.array(one) for group in (of_part, shared) for name, one in group["sums"].items()}
    task = task_of(settings, data, label_counts)
    record = {"steps": 0, "skipped": 0, "loss": 0.0, "violations": 0.0, "trials": 0.0, "refreshes": 0}
    if data.n_pairs:
        seeds = spawned(np.random.SeedSequence(seed["entropy"]), *seed["key"])
        trainer = AnnotationTrainer(task, HostDevice(task, n_threads), tables, sums, seeds)
        record |= trainer.run_epoch(epoch, lambda done: rate)
    kept = {
        "tables": {name: tables[name] for name in of_part["tables"]},
        "sums": {name: sums[name] for name in of_part["sums"]},
    }
    return {"of_part": kept, "moved": {"changes": changes_of(shared, tables, sums), "record": record}}


def changes_of(
    shared: Mapping[str, Mapping[str, np.ndarray]], tables: Mapping[str, np.ndarray], sums: Mapping[str, np.ndarray]
) -> dict[str, dict[str, np.ndarray]]:
    """Return the changes of the shared tables that have changed."""
    nothing = np.zeros(0)
    return {
        name: change_of(table, tables[name], shared["sums"].get(name, nothing), sums.get(name, nothing))
        for name, table in shared["tables"].items()
        if not np.array_equal(table, tables[name])
    }


def change_of(before: np.ndarray, after: np.ndarray, sums: np.ndarray, new_sums: np.ndarray) -> dict[str, np.ndarray]:
    """Return the changed rows of a table, by how much they changed, and by how much the optimiser's sums changed."""
    rows = np.flatnonzero((before != after).any(axis=1))
    per_row = len(sums) == len(before)
    return {
        "rows": rows,
        "by": after[rows] - before[rows],
        "sums_by": new_sums[rows] - sums[rows] if per_row else new_sums - sums,
    }
