"""The benchmarks as tests see them: loaded by their folder, and not at all where it is not beside the tests."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(scope="session")
def benchmark():
    """Load benchmarks by their folder: with its parent on the path, the source would hide the installed package."""
    if not FOLDER.is_dir():
        pytest.skip("the benchmarks are not in the wheel, but in the source")
    spec = importlib.util.spec_from_file_location(
        "benchmarks", FOLDER / "__init__.py", submodule_search_locations=[str(FOLDER)]
    )
    package = importlib.util.module_from_spec(spec)
    sys.modules["benchmarks"] = package
    spec.loader.exec_module(package)
    return lambda name: importlib.import_module(f"benchmarks.{name}")
