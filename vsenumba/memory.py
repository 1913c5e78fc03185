"""Check whether there is enough free memory for a computation."""

from __future__ import annotations

import os
from pathlib import Path

from vsenumba.errors import MemoryLimitError

# Used if the system does not report free memory: far more than any current machine has.
_UNKNOWN = 1 << 44

# Smaller requests are not checked, as reading the system's files would cost too much.
_SMALL = 1 << 26


def check_memory(needed: int, what: str, advice: str) -> None:
    """Refuse a computation that needs more memory than is free, before it allocates any.

    Systems grant memory that they do not have, and kill this or another process when it is used.

    Parameters
    ----------
    needed : int
        The minimum number of bytes.
    what : str
        The computation, with the sizes that the user gave.
    advice : str
        What to do instead, for the message.

    Raises
    ------
    MemoryLimitError
        If it needs more than `available_bytes`; the message states both numbers.

    Examples
    --------
    >>> check_memory(1_000, "a table of 250 numbers", "make it smaller")
    """
    if needed > _SMALL and needed > (free := available_bytes()):
        raise MemoryLimitError(f"{what} needs at least {needed:,} bytes of memory, but {free:,} are free; {advice}")


def available_bytes() -> int:
    """Return the number of free bytes, within the limits of the container."""
    return min(_free_in_system(), *(_free_in_group(folder) for folder in _groups()), _UNKNOWN)


def _free_in_system(path: str = "/proc/meminfo") -> int:
    try:
        lines = (line.split() for line in Path(path).read_text(encoding="ascii").splitlines())
        sizes = {words[0].rstrip(":"): 1024 * int(words[1]) for words in lines if len(words) > 1}
        return sizes["MemAvailable"] + sizes.get("SwapFree", 0)
    except (OSError, ValueError, KeyError):  # not Linux, or an old one
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows
        return _UNKNOWN


def _groups(path: str = "/proc/self/cgroup", root: str = "/sys/fs/cgroup") -> list[Path]:
    """Return the folders of the control groups (version 1 or 2) that may limit this process's memory."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    folders = []
    for _, controllers, group in (line.split(":", 2) for line in lines if line.count(":") >= 2):
        if controllers in ("", "memory"):
            top = Path(root, controllers)
            # The limits of parent groups apply too; a container may see its group as the root.
            here = top / group.strip("/")
            folders += [top, here, *(one for one in here.parents if top in one.parents)]
    return folders


def _free_in_group(folder: Path) -> int:
    for limit, used in (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")):
        try:
            most, now = (int((folder / name).read_text(encoding="ascii")) for name in (limit, used))
            lines = (line.split() for line in (folder / "memory.stat").read_text(encoding="ascii").splitlines())
            # Cached file pages are counted as used, but are released on demand.
            cached = next((int(words[1]) for words in lines if words[0] == "inactive_file"), 0)
            return most - now + cached
        except (OSError, ValueError, IndexError):  # no such group, or "max"
            continue
    return _UNKNOWN
