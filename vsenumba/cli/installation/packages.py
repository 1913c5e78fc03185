"""The packages that vsenumba requires according to its metadata, and their installed versions."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from typing import Any, NamedTuple

from packaging.requirements import Requirement

# Extras for the development of vsenumba.
DEVELOPMENT = frozenset({"bench", "docs", "test"})


class Misfit(NamedTuple):
    """A required package that is missing or has an unsupported version."""

    name: str
    needed: str
    installed: str | None


def installed_version(name: str) -> str | None:
    """Return the version of an installed package, or None."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def required(extra: str = "") -> list[Requirement]:
    """Return the requirements of vsenumba or of one of its extras; none if vsenumba is not installed."""
    return [
        requirement
        for requirement in _requirements()
        if (extra == "" or "extra" in str(requirement.marker))
        and (requirement.marker is None or requirement.marker.evaluate({"extra": extra}))
    ]


def _requirements() -> Iterator[Requirement]:
    try:
        lines = importlib.metadata.requires("vsenumba") or []
    except importlib.metadata.PackageNotFoundError:
        return
    yield from map(Requirement, lines)


def misfits(requirements: list[Requirement]) -> list[Misfit]:
    """Return the requirements that the installed packages do not meet."""
    found = []
    for requirement in requirements:
        version = installed_version(requirement.name)
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            found.append(Misfit(requirement.name, str(requirement.specifier), version))
    return found


def packages() -> dict[str, str | None]:
    """Return the version of each required package; None if it is missing."""
    return {requirement.name: installed_version(requirement.name) for requirement in required()}


def extras() -> dict[str, dict[str, Any]]:
    """Return the packages of each extra with their versions, whether all are installed, and the install command."""
    try:
        names = importlib.metadata.metadata("vsenumba").get_all("Provides-Extra") or []
    except importlib.metadata.PackageNotFoundError:
        return {}
    report = {}
    for name in sorted(set(names) - DEVELOPMENT):
        versions = {requirement.name: installed_version(requirement.name) for requirement in required(name)}
        report[name] = {
            "installed": None not in versions.values(),
            "packages": versions,
            "install": f"pip install 'vsenumba[{name}]'",
        }
    return report


def unfit() -> list[Misfit]:
    """Return the missing and unsupported required packages, and the unsupported packages of installed extras."""
    found = misfits(required())
    for name, extra in extras().items():
        if extra["installed"]:
            found += [misfit for misfit in misfits(required(name)) if misfit not in found]
    return found
