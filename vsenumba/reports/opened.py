"""What a report is of: a comparison, a model, or both; from files or as they are in Python."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from vsenumba.errors import FileFormatError, InputError
from vsenumba.experiments import Comparison
from vsenumba.models import Annotator, load_model
from vsenumba.storage import read_provenance

RUNS, MODEL = "runs.h5", "model.h5"


@dataclass(frozen=True)
class Opened:
    """What a report is of.

    Attributes
    ----------
    name : str
        What to call it: the folder or the file, or what it is.
    comparison : Comparison or None
        The runs.
    model : Annotator or None
        The model, or the best model of the comparison.
    hashes : dict of str to str
        The SHA-256 of each file by its name.
    wrote : dict of str to str
        The versions of what wrote the first file; empty where nothing was read.
    """

    name: str
    comparison: Comparison | None
    model: Any
    hashes: dict[str, str] = field(default_factory=dict)
    wrote: dict[str, str] = field(default_factory=dict)

    @property
    def settings(self) -> Mapping[str, Any]:
        """The settings of the comparison; nothing where there is none."""
        return {} if self.comparison is None else self.comparison.settings

    @property
    def measured(self) -> Mapping[str, Any] | None:
        """What was measured for the model on held-out pairs when it was made."""
        found = self.about.get("measured")
        return found if isinstance(found, Mapping) and isinstance(found.get("metrics"), Mapping) else None

    @property
    def about(self) -> Mapping[str, Any]:
        """What the model holds about its training, for people."""
        return getattr(self.model, "provenance_", {})


def opened(run: Any) -> Opened:
    """Return what a report is of.

    Parameters
    ----------
    run : path, Comparison, Annotator, or (Comparison, Annotator)
        A folder that ``vsenumba compare`` wrote, one of its files, a model's file; or what `vsenumba.compare` returned,
        or either of the two.

    Raises
    ------
    InputError
        If it is none of these, or there is no such file.
    FileFormatError
        If the file is damaged, or holds something else.
    """
    if isinstance(run, (str, PathLike)):
        return _read(Path(run))
    parts = run if isinstance(run, tuple) else (run,)
    comparison = next((one for one in parts if isinstance(one, Comparison)), None)
    model = next((one for one in parts if isinstance(one, Annotator)), None)
    if len(parts) != (comparison is not None) + (model is not None):
        raise InputError(
            f"a report is of a comparison, of a model of images and labels, or of a file or folder with these, not of "
            f"{run!r:.80}"
        )
    name = type(model).__name__ if comparison is None else "comparison"
    return Opened(name, comparison, model)


def _read(path: Path) -> Opened:
    name = path.resolve().name or str(path)
    if path.is_dir():
        files = [path / one for one in (RUNS, MODEL) if (path / one).exists()]
        if not files:
            raise InputError(
                f"{path} holds neither {RUNS} nor {MODEL}; name a folder that 'vsenumba compare --out' wrote, or a file"
            )
    else:
        files = [path]
    if path.suffix.lower() == ".json":
        raise InputError(f"{path} is not enough for a report; name the folder that it is in")
    comparison = model = None
    hashes: dict[str, str] = {}
    wrote: dict[str, str] = {}
    for file in files:
        kind, its_wrote = read_provenance(file)
        if kind == "runs":
            comparison = Comparison.load(file)
        elif kind == "model":
            model = load_model(file, Annotator)
        else:
            raise FileFormatError(
                f"{file} holds a file of kind {kind!r}; a report is of what 'vsenumba compare' or 'vsenumba fit' wrote"
            )
        hashes[file.name] = _sha256(file)
        wrote = wrote or its_wrote
    if comparison is not None and model is not None and not _belong_together(comparison, model):
        raise InputError(
            f"{path / MODEL} is not the model of {path / RUNS}: they are of different data; name one of the two"
        )
    return Opened(name, comparison, model, hashes, wrote)


def _belong_together(comparison: Comparison, model: Any) -> bool:
    digest = mapping_in(comparison.settings, "data").get("sha256")
    return digest is None or digest == model.seen_.digest()


def mapping_in(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a mapping within another; an empty one where it is missing or something else."""
    found = values.get(name)
    return found if isinstance(found, Mapping) else {}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
