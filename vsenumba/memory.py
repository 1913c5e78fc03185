"""Free memory, and checks that planned work fits into it."""

from __future__ import annotations

import os
from pathlib import Path

from vsenumba.errors import MemoryLimitError

# Result if the system does not report free memory: far more than any machine has.
_UNKNOWN = 1 << 44

# Smaller requests are not checked, because reading the system's files takes time.
_SMALL = 1 << 26


def check_memory(needed: int, what: str, advice: str) -> None:
    """Raise an error if an operation needs more memory than is free, before it allocates any.

    Systems promise memory that they do not have. When a program uses such memory, the system ends this or another
    process.

    Parameters
    ----------
    needed : int
        Minimum number of bytes that the operation needs.
    what : str
        The operation with its sizes, for the message.
    advice : str
        What to do instead, for the message.

    Raises
    ------
    MemoryLimitError
        If `needed` exceeds `available_bytes`. The message states both numbers.

    Examples
    --------
    >>> check_memory(1_000, "a table of 250 numbers", "make it smaller")
    """
    if needed > _SMALL and needed > (free := available_bytes()):
        raise MemoryLimitError(f"{what} needs at least {needed:,} bytes of memory, and {free:,} are free; {advice}")


def available_bytes() -> int:
    """Return the number of free bytes that the process can use, within the limits of a container."""
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
    """Return the folders of the control groups, of version 1 or 2, that may limit this process's memory."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    folders = []
    for _, controllers, group in (line.split(":", 2) for line in lines if line.count(":") >= 2):
        if controllers in ("", "memory"):
            top = Path(root, controllers)
            # Limits of parent groups apply too. Inside a container, the group may be the root.
            here = top / group.strip("/")
            folders += [top, here, *(one for one in here.parents if top in one.parents)]
    return folders


def _free_in_group(folder: Path) -> int:
    for limit, used in (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")):
        try:
            most, now = (int((folder / name).read_text(encoding="ascii")) for name in (limit, used))
            lines = (line.split() for line in (folder / "memory.stat").read_text(encoding="ascii").splitlines())
            # The usage includes cached pages of files, which the system frees when memory is needed.
            cached = next((int(words[1]) for words in lines if words[0] == "inactive_file"), 0)
            return most - now + cached
        except (OSError, ValueError, IndexError):  # no such group, or "max"
            continue
    return _UNKNOWN
