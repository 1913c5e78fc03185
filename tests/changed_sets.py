"""Sets whose arrays are changed in spite of all: they are read-only, but NumPy lets whoever wants to write."""

from __future__ import annotations


def forced(data, name):
    """Return an array of a set, to be written to."""
    array = getattr(data, name)
    array.flags.writeable = True
    return array
