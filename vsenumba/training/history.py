"""What a training run did: one record per epoch."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np

from vsenumba import html
from vsenumba.storage import schema

# What files hold of it; training goes on from the last steps and seconds.
_GONE = schema.Array(schema.NUMBERS, ("n_epochs",), least=0, finite=True)
COLUMNS = schema.Columns("n_epochs", {name: schema.Optional(_GONE) for name in ("epoch", "steps", "seconds")})


class History:
    """The records of a training run, one per epoch, in order.

    Every record holds ``epoch`` (from 1), ``seconds`` (training time since the start of the fit, evaluation and
    callbacks left out), ``steps`` (since the start), ``loss`` (of this epoch) and ``learning_rate`` (of the whole epoch
    for an `ImageAnnotator`; of its last launch or batch for the others, whose rate changes on the way). Where there is
    validation, it holds each of its metrics by name, as in ``"mrr"``. Means over nothing are 0.

    A step of an `ImageAnnotator` is a pair with one of its negatives. Its records also hold

    - ``skipped``: steps of this epoch not taken, because no negative was found or nothing stands for the image;
    - ``loss``: the mean over the epoch's steps, each as it was before it was taken, without weight decay;
    - ``violations``: the share of the epoch's steps whose negative scored at least as high as the positive;
    - ``trials``: the mean number of labels tried per draw, also of draws that found no negative. Own labels that are
      rejected count, and so does every candidate of a sampler that looks at several;
    - ``refreshes``: how often the sampler was refreshed in this epoch, 0 for one that has nothing to refresh.

    A step of a `WordEmbedder` is a positive of a window; all positives of a window share its draws. Its records also
    hold ``skipped`` (draws of this epoch that found no negative), ``trials`` and ``refreshes`` as above, and what is
    said there; ``loss`` is the mean per step, with the negatives' part. A step of a `CrossModalRetriever` is a pair of
    a batch; ``loss`` is the mean over the epoch's batches, and what else its records hold is said there.

    Examples
    --------
    >>> history = History()
    >>> history.append({"epoch": 1, "loss": 0.7})
    >>> history.append({"epoch": 2, "loss": 0.5})
    >>> history["loss"]
    array([0.7, 0.5])
    >>> history[-1]["epoch"]
    2
    """

    def __init__(self) -> None:
        self._records: list[dict[str, float]] = []

    def append(self, record: Mapping[str, float]) -> None:
        """Add the record of one more epoch."""
        self._records.append(dict(record))

    def forget(self, epochs: Collection[int]) -> None:
        """Leave out the records of some epochs."""
        self._records = [record for record in self._records if record.get("epoch") not in epochs]

    @property
    def columns(self) -> list[str]:
        """The names of all values recorded, in order of first appearance."""
        return list(dict.fromkeys(name for record in self._records for name in record))

    def __getitem__(self, key: int | str) -> Any:
        """Return one record (for an int), or one value over all epochs as an array (for a name).

        A value that an epoch lacks is NaN in the array.
        """
        if isinstance(key, int):
            return self._records[key]
        if key not in self.columns:
            raise KeyError(key)
        return np.array([record.get(key, np.nan) for record in self._records])

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[dict[str, float]]:
        return iter(self._records)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, History)
            and self.columns == other.columns
            and all(np.array_equal(self[name], other[name], equal_nan=True) for name in self.columns)
        )

    __hash__ = None  # type: ignore[assignment]  # it grows

    def __repr__(self) -> str:
        columns = f": {', '.join(self.columns)}" if len(self) else ""
        return f"<History of {len(self)} epoch{'s' * (len(self) != 1)}{columns}>"

    def _repr_html_(self) -> str:
        columns = self.to_columns()
        rows = [
            (name, values[0], values[-1], html.curve(values))
            for name, values in columns.items()
            if name not in ("epoch", "seconds", "steps")
        ]
        note = f"{len(self)} epoch{'s' * (len(self) != 1)}"
        if len(self) and {"seconds", "steps"} <= columns.keys():
            note += f", {columns['steps'][-1]:,.0f} steps in {html.number(float(columns['seconds'][-1]))} s"
        return html.panel("History", note, html.table(rows, ("", "first", "last", "by epoch")))

    def to_columns(self) -> dict[str, np.ndarray]:
        """Return one array per value, as files keep it."""
        return {name: self[name] for name in self.columns}

    @classmethod
    def from_columns(cls, columns: Mapping[str, np.ndarray]) -> History:
        """Make a history from what `to_columns` returned."""
        history = cls()
        integers = {name for name, values in columns.items() if np.asarray(values).dtype.kind in "iu"}
        for values in zip(*columns.values(), strict=True):
            history.append(
                {name: int(v) if name in integers else float(v) for name, v in zip(columns, values, strict=True)}
            )
        return history
