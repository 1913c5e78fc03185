"""Settings that every test runs under."""

from __future__ import annotations

import os
import sys

import pytest
from hypothesis import HealthCheck, settings

# No deadline: a first call may compile. On CI the same examples every time: a red run is about the change.
settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("local"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")

# Fixtures that several modules of tests share.
pytest_plugins = ["benchmark_folder", "command_line"]


@pytest.fixture(autouse=True)
def _close_figures_of_pyplot():
    """Close what a test drew on pyplot's current axes, which the next test would draw on."""
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")
