"""How much memory there is, and whether what is about to be made fits into it."""

from __future__ import annotations

import os
from pathlib import Path

from vsenumba.errors import MemoryLimitError

# Where the system does not say how much is free: far more than a machine of today has.
_UNKNOWN = 1 << 44

# So much is not asked about: what is small should not cost the reading of the system's files.
_SMALL = 1 << 26


def check_memory(needed: int, what: str, advice: str) -> None:
    """Refuse what takes more memory than is free, before any of it is taken.

    Systems promise memory that they do not have, and end the process, or another one, when it is used.

    Parameters
    ----------
    needed : int
        The bytes that it takes at the least.
    what : str
        What takes them, with the sizes that were asked for.
    advice : str
        What to do instead.

    Raises
    ------
    MemoryLimitError
        If more than `available_bytes` are needed; both numbers are named.

    Examples
    --------
    >>> check_memory(1_000, "a table of 250 numbers", "make it smaller")
    """
    if needed > _SMALL and needed > (free := available_bytes()):
        raise MemoryLimitError(f"{what} takes at least {needed:,} bytes of memory, and {free:,} are free; {advice}")


def available_bytes() -> int:
    """Return how many bytes can be taken without ending a process: those free now, within what a container may take."""
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
    """Return the folders of the control groups that may limit this process's memory, of either version."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    folders = []
    for _, controllers, group in (line.split(":", 2) for line in lines if line.count(":") >= 2):
        if controllers in ("", "memory"):
            top = Path(root, controllers)
            # Limits of those above hold too; within a container the group may be seen as the root.
            here = top / group.strip("/")
            folders += [top, here, *(one for one in here.parents if top in one.parents)]
    return folders


def _free_in_group(folder: Path) -> int:
    for limit, used in (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")):
        try:
            most, now = (int((folder / name).read_text(encoding="ascii")) for name in (limit, used))
            lines = (line.split() for line in (folder / "memory.stat").read_text(encoding="ascii").splitlines())
            # Pages of files that were read are counted, and given back when they are wanted.
            cached = next((int(words[1]) for words in lines if words[0] == "inactive_file"), 0)
            return most - now + cached
        except (OSError, ValueError, IndexError):  # no such group, or "max"
            continue
    return _UNKNOWN
