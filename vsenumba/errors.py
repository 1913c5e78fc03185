"""The errors this package raises; the command line prints their message on one line and exits 1."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from itertools import takewhile

# Among more names than these, only those that begin or end alike are compared letter by letter ...
_MANY_NAMES = 5_000
# ... so many with each length of what they share.
_ENOUGH = 100


class VsenumbaError(Exception):
    """Base of every error this package raises on purpose."""


class InputError(VsenumbaError, ValueError):
    """An argument or a data set cannot be used; the message says which, what was found and what was expected."""


class UnknownNameError(VsenumbaError, LookupError):
    """A name (of an image, label, sampler, metric, ...) is not known; the message suggests the nearest ones."""


class FileFormatError(VsenumbaError, ValueError):
    """A file is not what its reader expects: foreign, truncated, damaged or of a future version."""


class MemoryLimitError(VsenumbaError, MemoryError):
    """A computation would need more memory than the machine has; the message names the bytes."""


class DeviceError(VsenumbaError, RuntimeError):
    """A device cannot be used; the message says what is missing and how to install it."""


class ClusterError(VsenumbaError, RuntimeError):
    """A cluster cannot be used, or was lost; the message says why, and what to do."""


class ForkedProcessError(VsenumbaError, RuntimeError):
    """A process was forked after kernels had run, and cannot run them; the message says how to start it instead."""


class TrainingDivergedError(VsenumbaError, ArithmeticError):
    """A factor table became NaN or infinite.

    Parameters
    ----------
    epoch : int
        The epoch, counted from 1, after which the table was found not finite.
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
        """Pickle by the three values, so that process pools can hand the error back."""
        return type(self), (self.epoch, self.learning_rate, self.table)


def unknown_name(kind: str, name: object, known: Iterable[str]) -> UnknownNameError:
    """Return the error for an unknown name, with up to three of the nearest known ones.

    Parameters
    ----------
    kind : str
        What the name should have been the name of: ``"sampler"``, ``"image"``, ...
    name : object
        The name that was given.
    known : iterable of str
        The names there are.

    Returns
    -------
    UnknownNameError
        To be raised by the caller.

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
        hint = "known are " + ", ".join(known)
    else:
        hint = f"there are {len(known):,} to choose from" + (f", such as {known[0]!r}" if known else "")
    return UnknownNameError(f"unknown {kind} {str(name)!r}; {hint}")


def near_names(name: object, known: Iterable[str], n: int = 3, likeness: float = 0.5) -> list[str]:
    """Return up to `n` of the known names that are nearest to a name, the nearest first.

    Parameters
    ----------
    name : object
        The name.
    known : iterable of str
        The names there are.
    n : int
        How many to return at most.
    likeness : float
        How near a name must be, from 0 to 1, the same name.
    """
    names = list(known)
    # Comparing by letters takes seconds for a hundred thousand names.
    candidates = _alike(str(name), names) if len(names) > _MANY_NAMES else names
    near = difflib.get_close_matches(str(name), candidates, n=max(len(candidates), 1), cutoff=likeness)
    matcher = difflib.SequenceMatcher(b=str(name))

    def nearness(one: str) -> tuple[float, int]:
        matcher.set_seq1(one)
        # Of names that are as near, those that begin alike: "1000.0" for "1000", not "1200.0".
        alike = takewhile(lambda letters: letters[0] == letters[1], zip(one, str(name), strict=False))
        return matcher.ratio(), sum(1 for _ in alike)

    return sorted(near, key=nearness, reverse=True)[:n]


def _alike(name: str, known: Sequence[str]) -> list[str]:
    """Return some of very many names: those with the longest beginning, or the longest end, in common."""
    found: dict[str, None] = {}
    for shares, at_end in ((str.startswith, False), (str.endswith, True)):
        # By halving: names that share so many letters share fewer too.
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
