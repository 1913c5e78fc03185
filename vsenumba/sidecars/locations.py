"""Finding the sidecar of a picture."""

from __future__ import annotations

import os
from pathlib import Path

from vsenumba.errors import InputError
from vsenumba.sidecars.packet import Packet

ENDING = ".xmp"


class Sidecars:
    """Finds the sidecars of pictures; each folder is listed once.

    Examples
    --------
    >>> Sidecars().of(Path("nowhere/cat.jpg")).name
    'cat.jpg.xmp'
    """

    def __init__(self) -> None:
        self._names: dict[Path, dict[str, list[str]]] = {}
        self._written: set[Path] = set()

    def of(self, picture: Path) -> Path:
        """Return the path of a picture's sidecar, which may not exist yet.

        For ``x.jpg`` this is ``x.jpg.xmp``, or ``x.xmp`` if only that exists.

        Raises
        ------
        InputError
            If ``x.xmp`` may belong to another file, such as ``x.cr2``.
        """
        own, shared = self._there(picture.parent, picture.name), self._there(picture.parent, picture.stem)
        for name in own:
            return picture.with_name(name)
        for name in shared:
            others = self._beside(picture)
            sidecar = picture.with_name(name)
            belongs = Packet.read(sidecar).ending if others else None
            if others and belongs is None:
                raise InputError(
                    f"{sidecar} may belong to {picture.name} or to {others[0]}; rename it to {picture.name}.xmp or "
                    f"{others[0]}.xmp"
                )
            if belongs is None or belongs == picture.suffix[1:].lower():
                return sidecar
        return picture.with_name(picture.name + ENDING)

    def is_first_in(self, folder: Path) -> bool:
        """Return whether this is the first call for a folder."""
        is_first = folder not in self._written
        self._written.add(folder)
        return is_first

    def _there(self, folder: Path, name: str) -> list[str]:
        """Return the sidecars of a name, with the ending in lower or upper case."""
        return [one for one in self._listed(folder).get(name, ()) if one[len(name) :].lower() == ENDING]

    def _beside(self, picture: Path) -> list[str]:
        """Return the files that differ from a picture only in their ending, without sidecars."""
        alike = self._listed(picture.parent).get(picture.stem, ())
        return [one for one in alike if one != picture.name and not one.lower().endswith(ENDING)]

    def _listed(self, folder: Path) -> dict[str, list[str]]:
        """Return the names in a folder, grouped by their stem."""
        if folder not in self._names:
            found: dict[str, list[str]] = {}
            for name in sorted(os.listdir(folder)) if folder.is_dir() else ():  # noqa: PTH208 - names are all it takes
                found.setdefault(Path(name).stem, []).append(name)
            self._names[folder] = found
        return self._names[folder]
