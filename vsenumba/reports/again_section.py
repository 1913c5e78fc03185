"""The section with all that is needed to run it again: command, parameters, seeds, hashes, versions, platform."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vsenumba.printable import printable
from vsenumba.reports.opened import Opened
from vsenumba.reports.parts import Code, Section, Text
from vsenumba.reports.table import Column, Table, Value
from vsenumba.storage.provenance import provenance

# Settings of a comparison that stand elsewhere in the report.
_ELSEWHERE = {"data", "command", "samplers", "parameters"}


def again_section(opened: Opened, data_digest: str | None) -> Section:
    """Return the section.

    Parameters
    ----------
    opened : Opened
        What the report is of.
    data_digest : str or None
        The SHA-256 of the pairs and names that were trained on, where they are known.
    """
    command = opened.settings.get("command", opened.about.get("command"))
    items: list[Any]
    if isinstance(command, str):
        items = [Code("command", "The command", printable(command))]
    else:
        items = [Text("No command is recorded: it was run in Python, or by an early version.")]
    columns = [Column("what"), Column("value")]
    items.append(Table("settings", "Settings and seeds", columns, list(_settings(opened))))
    if opened.hashes or data_digest:
        hashes: list[list[Value]] = [["pairs and names of the data", data_digest]] if data_digest else []
        hashes += [[name, digest] for name, digest in opened.hashes.items()]
        items.append(Table("hashes", "SHA-256", columns, hashes))
    here = provenance()
    columns = [Column("what"), *([Column("wrote the run")] if opened.wrote else []), Column("wrote this report")]
    versions: list[list[Value]] = [
        [name, *([opened.wrote.get(name, "–")] if opened.wrote else []), here.get(name, "–")]
        for name in dict.fromkeys([*opened.wrote, *here])
    ]
    items.append(Table("versions", "Versions and platform", columns, versions))
    return Section("again", "Run it again", items)


def _settings(opened: Opened) -> Iterator[list[Value]]:
    for name, value in opened.settings.items():
        if name not in _ELSEWHERE and value is not None:
            yield [name, _as_text(value)]
    for group in ("parameters", "samplers"):
        value = opened.settings.get(group)
        if isinstance(value, Mapping):
            for name, one in value.items():
                yield [f"{'sampler' if group == 'samplers' else 'parameter'} {name}", _as_text(one)]
    if opened.model is None:
        return
    prefix = "" if opened.comparison is None else "best model: "
    yield [f"{prefix}class", type(opened.model).__name__]
    for name, parameter in opened.model.PARAMETERS.items():
        value = opened.model.chosen(name)
        if parameter.in_file and value is not None:
            yield [f"{prefix}{name}", _as_text(value)]
    if hasattr(opened.model, "seed_entropy_"):
        yield [f"{prefix}seed entropy", _as_text(opened.model.seed_entropy_)]
    for name in ("device", "n_threads"):
        if name in opened.about:
            yield [f"{prefix}{name}", _as_text(opened.about[name])]
    if opened.measured is not None and "n_epochs" in opened.measured:
        yield [f"{prefix}epochs kept", _as_text(opened.measured["n_epochs"])]


def _as_text(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_as_text, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={_as_text(one)}" for name, one in value.items())
    return str(value)
