"""The section on the data: how much there is, how long its tails are, and what was left out."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np

from vsenumba.data import AnnotationSet
from vsenumba.evaluation.grouping import bucket_bounds
from vsenumba.printable import counted
from vsenumba.reports.charts import Chart, Charts, bar_chart, range_names
from vsenumba.reports.held_out import HeldOut
from vsenumba.reports.opened import Opened, mapping_in
from vsenumba.reports.parts import Bullets, Facts, Section, Text
from vsenumba.reports.svg import linear_axis
from vsenumba.reports.table import Column, Table

_FREQUENT = 10
_RECORDED = {
    "n_images": "images",
    "n_labels": "labels",
    "n_pairs": "pairs",
    "n_train_pairs": "pairs to train on",
    "n_test_pairs": "held-out pairs scored",
}


def data_section(opened: Opened, data: AnnotationSet | None, held_out: HeldOut | str) -> Section:
    """Return the section; of a comparison without its model or its data set, the recorded counts alone."""
    known = opened.model.seen_ if opened.model is not None else data
    recorded = mapping_in(opened.settings, "data")
    facts = [(what, f"{recorded[name]:,}") for name, what in _RECORDED.items() if isinstance(recorded.get(name), int)]
    if known is None:
        note = Text("The file of the runs holds these counts alone. Give the data set to see its labels.")
        return Section("data", "Data", [Facts(facts, big=True), note])
    sizes = {"images": known.n_images, "labels": known.n_labels, "pairs": known.n_pairs}
    facts = [(what, f"{n:,}") for what, n in sizes.items()] + [one for one in facts if one[0] not in sizes]
    if known.features is not None:
        facts.append(("features of an image", f"{known.features.shape[1]:,}"))
    if known.absent is not None:
        facts.append(("verified absences", f"{known.absent.n_pairs:,}"))
    charts = [
        _histogram("Images per label", known.label_counts, "images of a label", "label"),
        _histogram("Labels per image", known.labels_per_image, "labels of an image", "image"),
    ]
    items = [Facts(facts, big=True), Charts(charts), _frequent(known)]
    left_out = _left_out(opened, known, data, held_out)
    if left_out:
        items += [Text("Left out:"), Bullets(left_out)]
    return Section("data", "Data", items)


def _histogram(title: str, counts: np.ndarray, across: str, what: str) -> Chart:
    """Return how many labels (or images) have so many images (or labels), in ranges that widen as popularity does."""
    bounds = bucket_bounds(int(counts.max(initial=0)))
    heights = np.bincount(np.searchsorted(bounds, counts), minlength=len(bounds))
    names = ["0", *(f"{low + 1}–{high}" for low, high in itertools.pairwise(bounds.tolist()))]
    first = 0 if heights[0] else 1
    shown = [
        (name, int(n), f"{counted(int(n), what)} with {name} {across.split(' ')[0]}")
        for name, n in list(zip(names, heights, strict=True))[first:]
    ]
    names, heights_shown, tips = (list(column) for column in zip(*shown, strict=True))
    y = linear_axis(heights_shown, f"{what}s", from_zero=True)
    return bar_chart(title, range_names(names), heights_shown, tips, across, y)


def _frequent(data: AnnotationSet) -> Table:
    top = np.argsort(-data.label_counts, kind="stable")[:_FREQUENT]
    rows = [
        (data.label_names[int(j)], int(data.label_counts[j]), 100 * float(data.label_counts[j]) / max(data.n_images, 1))
        for j in top
    ]
    columns = [Column("most frequent label"), Column("images", 0), Column("% of images", 1)]
    return Table("frequent", f"The {counted(len(rows), 'most frequent label')}", columns, rows)


def _left_out(opened: Opened, known: AnnotationSet, data: AnnotationSet | None, held_out: HeldOut | str) -> list[str]:
    """Return a sentence for each thing that takes no part in training or in the scores."""
    n_bare, n_single = (int((known.labels_per_image == n).sum()) for n in (0, 1))
    n_unused = int((known.label_counts == 0).sum())
    measured: Mapping[str, Any] = opened.measured or {}
    said = [
        (n_bare, f"{counted(n_bare, 'image')} without a label."),
        (n_unused, f"{counted(n_unused, 'label')} without an image."),
    ]
    found = [sentence for n, sentence in said if n]
    if n_single and (measured or opened.comparison is not None):
        found.append(f"{counted(n_single, 'image')} with one label only, which cannot be held out and learnt from.")
    if isinstance(held_out, HeldOut) and data is not None:
        n_labels = known.n_labels - len(held_out.by_label.names)
        if n_labels:
            found.append(f"{counted(n_labels, 'label')} without a held-out pair, and so without a score.")
        unknown = (held_out.model.label_names_.find(data.label_names) < 0) & (data.label_counts > 0)
        n_pairs = int(data.label_counts[unknown].sum())
        if n_pairs:
            labels = counted(int(unknown.sum()), "label")
            found.append(f"{counted(n_pairs, 'pair')} of the data set with {labels} that the model does not know.")
    return found
