"""The history of a training run: one record per epoch."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from vsenumba import html
from vsenumba.storage import schema

# The schema of a history in a file. A resumed training continues from the last steps and seconds.
_GONE = schema.Array(schema.NUMBERS, ("n_epochs",), least=0, finite=True)
COLUMNS = schema.Columns("n_epochs", {name: schema.Optional(_GONE) for name in ("epoch", "steps", "seconds")})


class History:
    """The records of a training run, one per epoch, in order.

    A record is a dictionary. Every record has these values:

    - ``epoch``: the number of the epoch, from 1.
    - ``seconds``: the training time in seconds since the start of the fit, without evaluation and callbacks.
    - ``steps``: the number of steps since the start of the fit.
    - ``loss``: the mean loss in this epoch, without weight decay.
    - ``learning_rate``: the learning rate. `ImageAnnotator` uses one rate for the whole epoch. Other models change the
      rate within an epoch, and record the last one.

    With a validation set, a record also has each validation metric under its name, such as ``"mrr"``. A mean over
    nothing is 0.

    A step of an `ImageAnnotator` is a pair with one of its negatives. The loss of a step is computed before the step
    changes the model. Its records also have these values:

    - ``skipped``: the number of steps skipped in this epoch, because no negative was found or the image has no vector.
    - ``violations``: the share of steps in this epoch whose negative scored at least as high as the positive.
    - ``trials``: the mean number of labels that a draw tried. It includes rejected known labels, all candidates of a
      sampler that compares several, and draws that found no negative.
    - ``refreshes``: the number of times that the sampler was refreshed in this epoch; 0 for a sampler that needs no
      refresh.

    A step of a `WordEmbedder` is one positive of a window; all positives of a window share its draws. Its ``loss`` is
    the mean per step and includes the negatives. Its records also have ``skipped`` (the number of draws in this epoch
    that found no negative), ``trials`` and ``refreshes``, and the values that `WordEmbedder` describes.

    A step of a `CrossModalRetriever` is one pair of a batch. Its ``loss`` is the mean over the batches of the epoch.
    `CrossModalRetriever` describes its other values.

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
        """Add the record of one more epoch.

        Parameters
        ----------
        record : mapping of str to float
            The values of the epoch by name.
        """
        self._records.append(dict(record))

    def forget(self, epochs: Collection[int]) -> None:
        """Remove the records of some epochs.

        Parameters
        ----------
        epochs : collection of int
            The numbers of the epochs.
        """
        self._records = [record for record in self._records if record.get("epoch") not in epochs]

    @property
    def columns(self) -> list[str]:
        """The names of all recorded values, in the order in which they first appear."""
        return list(dict.fromkeys(name for record in self._records for name in record))

    def __getitem__(self, key: int | str) -> Any:
        """Return the record at a position (for an int), or one value of all epochs as an array (for a name).

        The array has NaN for an epoch without that value.
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
        """Return one array per recorded value, in the form of the model file."""
        return {name: self[name] for name in self.columns}

    @classmethod
    def from_columns(cls, columns: Mapping[str, np.ndarray]) -> History:
        """Return a history made from the result of `to_columns`."""
        history = cls()
        integers = {name for name, values in columns.items() if np.asarray(values).dtype.kind in "iu"}
        for values in zip(*columns.values(), strict=True):
            history.append(
                {name: int(v) if name in integers else float(v) for name, v in zip(columns, values, strict=True)}
            )
        return history


def validation_names(record: Iterable[str]) -> list[str]:
    """Return the names of the validation metrics of a record, which come after the learning rate.

    Examples
    --------
    >>> validation_names(["loss", "learning_rate", "mrr"]), validation_names(["loss"])
    (['mrr'], [])
    """
    names = list(record)
    return names[names.index("learning_rate") + 1 :] if "learning_rate" in names else []
