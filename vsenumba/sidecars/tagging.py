"""Adding tags to sidecars, and removing the added tags."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from vsenumba.errors import InputError, VsenumbaError
from vsenumba.sidecars.locations import ENDING, Sidecars
from vsenumba.sidecars.packet import MAX_BYTES, OURS, Packet
from vsenumba.storage import named_errors, open_output


class SidecarChange(NamedTuple):
    """A change of a sidecar, made or previewed.

    Parameters
    ----------
    sidecar : Path
        The file.
    tags : list of str
        The tags that are added or removed; empty if nothing changes.
    whole_file : bool
        Whether the file is created for the tags, or deleted with them.
    problem : str
        The reason why the sidecar cannot be changed; empty if there is no problem.
    """

    sidecar: Path
    tags: list[str]
    whole_file: bool = False
    problem: str = ""


def tag_sidecars(tags: Iterable[tuple[Path, Sequence[str]]], *, write: bool = False) -> Iterator[SidecarChange]:
    """Add tags to the XMP sidecars of pictures.

    Existing tags are not added again, nor are tags that were added before and then removed by people. The rest of a
    sidecar stays unchanged, byte for byte. A picture without a sidecar gets one, ``x.jpg.xmp``. The pictures are not
    opened.

    Parameters
    ----------
    tags : iterable of (Path, sequence of str)
        Pictures, with the tags for each.
    write : bool
        Whether to write the sidecars; by default, the changes are only previewed.

    Yields
    ------
    SidecarChange
        For each picture, in order, even if nothing changes. A problem of one sidecar does not stop the others.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cat = Path(folder) / "cat.jpg"
    ...     (change,) = tag_sidecars([(cat, ["cat", "pet"])], write=True)
    ...     (again,) = tag_sidecars([(cat, ["cat", "pet"])], write=True)
    ...     (undone,) = undo_sidecars([folder], write=True)
    ...     list(Path(folder).iterdir())
    []
    >>> change.sidecar.name, change.tags, again.tags, undone.tags
    ('cat.jpg.xmp', ['cat', 'pet'], [], ['cat', 'pet'])
    """
    sidecars = Sidecars()
    for picture, names in tags:
        yield tag_sidecar(picture, names, write=write, sidecars=sidecars)


def tag_sidecar(
    picture: Path, tags: Sequence[str], *, write: bool = False, sidecars: Sidecars | None = None
) -> SidecarChange:
    """Add tags to the XMP sidecar of one picture; see `tag_sidecars`."""
    sidecar = picture.with_name(picture.name + ENDING)
    try:
        sidecars = sidecars or Sidecars()
        sidecar = sidecars.of(picture)
        return _tagged(sidecar, tags, sidecars, write=write)
    except VsenumbaError as error:
        return SidecarChange(sidecar, [], problem=str(error))


def undo_sidecars(places: Iterable[Path | str], *, write: bool = False) -> Iterator[SidecarChange]:
    """Remove the tags that `tag_sidecars` added, and nothing else.

    Tags that a picture had before stay, and so do later changes by people and other programs. A sidecar is deleted if
    it was created for the tags and has no other content.

    Parameters
    ----------
    places : iterable of path-like
        Pictures, or folders, which are searched with their subfolders.
    write : bool
        Whether to write the sidecars; by default, the changes are only previewed.

    Yields
    ------
    SidecarChange
        For each sidecar with added tags, in the order of their names.

    Raises
    ------
    InputError
        If a folder cannot be read, or a place does not exist.
    """
    sidecars = Sidecars()
    for sidecar in _found(map(Path, places), sidecars):
        try:
            if (change := _undone(sidecar, sidecars, write=write)) is not None:
                yield change
        except VsenumbaError as error:
            yield SidecarChange(sidecar, [], problem=str(error))


def _tagged(sidecar: Path, names: Sequence[str], sidecars: Sidecars, *, write: bool) -> SidecarChange:
    is_new = not os.path.lexists(sidecar)
    packet = Packet() if is_new else Packet.read(sidecar)
    new = packet.lacking(names)
    if not new:
        return SidecarChange(sidecar, [])
    try:
        content = packet.with_tags(new)
    except VsenumbaError as error:
        raise InputError(f"cannot change {sidecar}: {error}") from error
    if write:
        with open_output(sidecar, tidy=sidecars.is_first_in(sidecar.parent)) as file:
            file.write(content)
    else:
        _check_access(sidecar.parent if is_new else sidecar)
    return SidecarChange(sidecar, new, is_new)


def _undone(sidecar: Path, sidecars: Sidecars, *, write: bool) -> SidecarChange | None:
    """Remove the added tags of a sidecar; return None if there are none."""
    with named_errors(sidecar), sidecar.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    # Ignore sidecars that vsenumba never changed, even if they are broken.
    if not any(OURS.encode(encoding) in content for encoding in ("utf-8", "utf-16-le", "utf-16-be")):
        return None
    packet = Packet.read(sidecar)
    if not packet.added:
        return None
    before = packet.without_added()
    there = set(packet.tags)
    change = SidecarChange(sidecar, [tag for tag in packet.added if tag in there], before is None)
    if not write:
        _check_access(sidecar.parent if before is None else sidecar)
    elif before is None:
        with named_errors(sidecar):
            sidecar.unlink()
    else:
        with open_output(sidecar, tidy=sidecars.is_first_in(sidecar.parent)) as file:
            file.write(before)
    return change


def _check_access(path: Path) -> None:
    with named_errors(path):
        path.stat()
    if not os.access(path, os.W_OK):
        raise InputError(f"cannot write {path}: permission denied")


def _found(places: Iterable[Path], sidecars: Sidecars) -> Iterator[Path]:
    """Yield the sidecars in folders and the sidecars of pictures."""

    def stop(error: OSError) -> None:
        raise InputError(f"cannot read the folder {error.filename}: {error.strerror}") from error

    for place in places:
        if place.is_dir():
            for folder, below, names in os.walk(place, onerror=stop):
                below.sort()
                for name in sorted(names):
                    if name.lower().endswith(ENDING) and not name.startswith("."):
                        yield Path(folder, name)
        elif place.suffix.lower() == ENDING and place.exists():
            yield place
        elif (sidecar := sidecars.of(place)).exists():
            yield sidecar
        elif not place.exists():
            raise InputError(f"{place} does not exist")
