"""Which file is the sidecar of a picture."""

from __future__ import annotations

import os
from pathlib import Path

from vsenumba.errors import InputError
from vsenumba.sidecars.packet import Packet

ENDING = ".xmp"


class Sidecars:
    """Finds the sidecars of pictures; what lies in a folder is looked up once.

    Examples
    --------
    >>> Sidecars().of(Path("nowhere/cat.jpg")).name
    'cat.jpg.xmp'
    """

    def __init__(self) -> None:
        self._names: dict[Path, dict[str, list[str]]] = {}
        self._written: set[Path] = set()

    def of(self, picture: Path) -> Path:
        """Return a picture's sidecar, there already or not.

        Of ``x.jpg`` that is ``x.jpg.xmp``, or ``x.xmp`` where only that is there.

        Raises
        ------
        InputError
            If ``x.xmp`` may be that of another file, as ``x.cr2``.
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
                    f"{sidecar} may be that of {picture.name} or of {others[0]}; rename it to {picture.name}.xmp or "
                    f"{others[0]}.xmp"
                )
            if belongs is None or belongs == picture.suffix[1:].lower():
                return sidecar
        return picture.with_name(picture.name + ENDING)

    def is_first_in(self, folder: Path) -> bool:
        """Tell whether this is asked for the first time about a folder."""
        is_first = folder not in self._written
        self._written.add(folder)
        return is_first

    def _there(self, folder: Path, name: str) -> list[str]:
        """Return the files of a name and the ending of sidecars, in small or capital letters."""
        return [one for one in self._listed(folder).get(name, ()) if one[len(name) :].lower() == ENDING]

    def _beside(self, picture: Path) -> list[str]:
        """Return the files that differ from a picture in their ending, sidecars not among them."""
        alike = self._listed(picture.parent).get(picture.stem, ())
        return [one for one in alike if one != picture.name and not one.lower().endswith(ENDING)]

    def _listed(self, folder: Path) -> dict[str, list[str]]:
        """Return the names in a folder by what stands before their last dot."""
        if folder not in self._names:
            found: dict[str, list[str]] = {}
            for name in sorted(os.listdir(folder)) if folder.is_dir() else ():  # noqa: PTH208 - names are all it takes
                found.setdefault(Path(name).stem, []).append(name)
            self._names[folder] = found
        return self._names[folder]
