"""A plugin of pytest, ``-p serial_loops``: parallel loops are compiled as plain ones, which takes half the time.

Bounds are checked this way, as what a loop reads and writes does not depend on its threads. An index that is out of
bounds is an IndexError in a plain loop, but a SystemError that does not name its cause in a parallel one.
"""

from __future__ import annotations

import numba

_njit = numba.njit


def njit(*arguments, parallel=False, **options):
    return _njit(*arguments, **options)


numba.njit = njit
