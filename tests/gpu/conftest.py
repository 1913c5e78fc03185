"""Kernels for a card run simulated, in the pass that has the simulator, or on a card where there is one."""

from __future__ import annotations

import sys

import pytest

from vsenumba.errors import DeviceError
from vsenumba.gpu.backend import SIMULATED, require_card


def runs():
    try:
        require_card()
    except DeviceError:
        return False
    return True


RUNS = runs()


def pytest_collection_modifyitems(items):
    skipped = pytest.mark.skip(reason="needs a card, or NUMBA_ENABLE_CUDASIM=1")
    for item in items:
        if "on_card" in item.keywords and not RUNS:
            item.add_marker(skipped)


@pytest.fixture(autouse=True)
def fast_turns():
    """Let the simulator's threads wait for each other for less than Python's 5 ms: it makes kernels 20 times faster."""
    before = sys.getswitchinterval()
    if SIMULATED:
        sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)
