"""The errors that this package raises; the command line prints their message on one line and exits with status 1."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from itertools import takewhile

# With more names than this, only names that share a prefix or suffix are compared character by character ...
_MANY_NAMES = 5_000
# ... and at most this many names for each length of the shared part.
_ENOUGH = 100


class VsenumbaError(Exception):
    """Base class of the errors that this package raises."""


class InputError(VsenumbaError, ValueError):
    """An argument or a data set cannot be used; the message names it, the value found and the value expected."""


class UnknownNameError(VsenumbaError, LookupError):
    """A name (of an image, label, sampler, metric, ...) is unknown; the message suggests the nearest names."""


class FileFormatError(VsenumbaError, ValueError):
    """A file cannot be read: it has another format, is truncated or damaged, or was written by a newer version."""


class MemoryLimitError(VsenumbaError, MemoryError):
    """A computation needs more memory than is free; the message states both numbers of bytes."""


class DeviceError(VsenumbaError, RuntimeError):
    """A device cannot be used; the message says what is missing and how to install it."""


class ClusterError(VsenumbaError, RuntimeError):
    """A cluster cannot be used, or its connection was lost; the message says why and what to do."""


class ForkedProcessError(VsenumbaError, RuntimeError):
    """A process was forked after kernels ran, so it cannot run them; the message says how to start it instead."""


class TrainingDivergedError(VsenumbaError, ArithmeticError):
    """A factor table became NaN or infinite.

    Parameters
    ----------
    epoch : int
        The epoch, counted from 1, after which the table was not finite.
    learning_rate : float
        The learning rate of that epoch.
    table : str
        The name of the table, as in the model's attributes.
    """

    def __init__(self, epoch: int, learning_rate: float, table: str) -> None:
        self.epoch = epoch
        self.learning_rate = learning_rate
        self.table = table
        super().__init__(
            f"training diverged: {table} is not finite after epoch {epoch} at learning rate {learning_rate:g}; "
            f"try a learning rate of {learning_rate / 10:g}"
        )

    def __reduce__(self) -> tuple[type, tuple[int, float, str]]:
        """Pickle by the three values, so that process pools can return the error."""
        return type(self), (self.epoch, self.learning_rate, self.table)


def unknown_name(kind: str, name: object, known: Iterable[str]) -> UnknownNameError:
    """Return the error for an unknown name, which suggests up to three of the nearest known names.

    Parameters
    ----------
    kind : str
        The kind of name: ``"sampler"``, ``"image"``, ...
    name : object
        The unknown name.
    known : iterable of str
        All known names.

    Returns
    -------
    UnknownNameError
        The error; the caller raises it.

    Examples
    --------
    >>> str(unknown_name("sampler", "adaptve", ["adaptive", "uniform"]))
    "unknown sampler 'adaptve'; did you mean 'adaptive'?"
    """
    names = getattr(known, "names", None)
    known = list(known) if names is None else names.tolist()
    near = near_names(name, known)
    if near:
        hint = "did you mean " + " or ".join(repr(one) for one in near) + "?"
    elif 0 < len(known) <= 12:
        hint = "choose from " + ", ".join(known)
    else:
        hint = f"there are {len(known):,} known names" + (f", such as {known[0]!r}" if known else "")
    return UnknownNameError(f"unknown {kind} {str(name)!r}; {hint}")


def near_names(name: object, known: Iterable[str], n: int = 3, likeness: float = 0.5) -> list[str]:
    """Return up to `n` of the known names that are nearest to a name, nearest first.

    Parameters
    ----------
    name : object
        The name.
    known : iterable of str
        All known names.
    n : int
        The maximum number of names to return.
    likeness : float
        The minimum similarity, from 0 to 1 (equal).
    """
    names = list(known)
    # Comparing a hundred thousand names character by character takes seconds.
    candidates = _alike(str(name), names) if len(names) > _MANY_NAMES else names
    near = difflib.get_close_matches(str(name), candidates, n=max(len(candidates), 1), cutoff=likeness)
    matcher = difflib.SequenceMatcher(b=str(name))

    def nearness(one: str) -> tuple[float, int]:
        matcher.set_seq1(one)
        # Break ties by the shared prefix: "1000.0" is nearer to "1000" than "1200.0" is.
        alike = takewhile(lambda letters: letters[0] == letters[1], zip(one, str(name), strict=False))
        return matcher.ratio(), sum(1 for _ in alike)

    return sorted(near, key=nearness, reverse=True)[:n]


def _alike(name: str, known: Sequence[str]) -> list[str]:
    """Return the candidates among very many names: those that share the longest prefix or suffix."""
    found: dict[str, None] = {}
    for shares, at_end in ((str.startswith, False), (str.endswith, True)):
        # Bisect the length of the shared part: names that share n characters also share n - 1.
        low, high, alike, levels = 0, len(name) + 1, known, []
        while high - low > 1:
            middle = (low + high) // 2
            wanted = name[-middle:] if at_end else name[:middle]
            some = [one for one in alike if shares(one, wanted)]
            if some:
                low, alike = middle, some
                levels.append(some[:_ENOUGH])
            else:
                high = middle
        for level in levels[::-1]:
            found |= dict.fromkeys(level)
    return list(found)[: 4 * _ENOUGH]
