"""Load 10,000 damaged and crafted files with `python -m benchmarks robustness`, and count the outcomes.

A file must either be rejected with one clear error or be loaded faithfully. To check the latter, the loaded content is
saved again, and all elements are compared.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.damage import DAMAGES, Damaged, damaged_files
from benchmarks.sample_files import samples, save
from vsenumba import storage
from vsenumba.errors import FileFormatError, MemoryLimitError

REFUSED, EQUAL = "rejected clearly", "loaded faithfully"

# Elements that are written only together with others.
_DEPENDENT = {"best", "best_value", "best_epoch", "best_metric"}


def outcome(damaged: Damaged, path: Path, again: Path) -> str:
    """Return the outcome of loading a damaged file: `REFUSED`, `EQUAL`, or a description of a fault.

    Parameters
    ----------
    damaged : Damaged
        The damaged file.
    path, again : Path
        The path of the file, and a path to save the loaded content.
    """
    sample = damaged.sample
    try:
        loaded = sample.load(path)
    except (FileFormatError, MemoryLimitError) as error:
        clear = str(error).startswith(f"{path}: ") and "\n" not in str(error)
        return REFUSED if clear else f"refused without its name, or in several lines: {error}"
    except Exception as error:  # noqa: BLE001 - any other exception is a finding
        return f"{type(error).__name__} while loading: {error}"
    try:
        sample.use(loaded)
        save(loaded, again)
    except Exception as error:  # noqa: BLE001 - any exception is a finding
        return f"{type(error).__name__} while used: {error}"
    found = storage.read_file(again, sample.kind).elements
    wrong = _difference(sample.elements, damaged.elements, found)
    return f"read otherwise: {wrong}" if wrong else EQUAL


def _difference(whole: Any, said: Any, found: Any, where: str = "") -> str | None:
    """Return the name of an element that was not read as it is in the file; None if there is none.

    Elements that the undamaged file does not have are ignored, as readers do.
    """
    if isinstance(whole, Mapping) and isinstance(said, Mapping) and isinstance(found, Mapping):
        for name in (name for name in whole if name in said):
            if name not in found:
                if name not in _DEPENDENT:
                    return f"{where}/{name}"
            elif wrong := _difference(whole[name], said[name], found[name], f"{where}/{name}"):
                return wrong
        return None
    if isinstance(said, np.ndarray) and isinstance(found, np.ndarray) and said.dtype.kind != "T":
        # A history has Python numbers.
        exact = said.dtype == found.dtype or "history" in where
        same = exact and np.array_equal(said.astype("f8"), found.astype("f8"), equal_nan=True)
        return None if same and said.shape == found.shape else where
    if isinstance(said, np.ndarray) or isinstance(found, np.ndarray):
        return None if type(said) is type(found) and said.dtype == found.dtype and list(said) == list(found) else where
    return None if type(said) is type(found) and said == found else where


def run(n_files: int, seed: int, folder: Path) -> tuple[dict[tuple[str, str], Counter[str]], list[str], float]:
    """Return the outcomes by sample and damage, the faults, and the longest time for a file."""
    counts: dict[tuple[str, str], Counter[str]] = {}
    faults, longest = [], 0.0
    path, again = folder / "damaged.h5", folder / "again.h5"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for i, damaged in enumerate(damaged_files(samples(folder), folder, path, n_files, seed)):
            started = time.perf_counter()
            found = outcome(damaged, path, again)
            longest = max(longest, time.perf_counter() - started)
            counter = counts.setdefault((damaged.sample.name, damaged.damage), Counter())
            counter[found if found in (REFUSED, EQUAL) else "anything else"] += 1
            if found not in (REFUSED, EQUAL):
                faults.append(f"file {i}, {damaged.sample.name}, {damaged.damage}: {found}")
    return counts, faults, longest


def table(counts: Mapping[tuple[str, str], Counter[str]]) -> str:
    """Return a table of the outcomes by content of the file and by kind of damage."""
    columns = (REFUSED, EQUAL, "anything else")
    lines = [f"| | tried | {' | '.join(columns)} |", "|---|---:|---:|---:|---:|"]
    for position in (0, 1):
        for name in dict.fromkeys(key[position] for key in counts):
            total: Counter[str] = sum((one for key, one in counts.items() if key[position] == name), Counter())
            lines.append(_line(name, total, columns))
    lines.append(_line("all", sum(counts.values(), Counter()), columns))
    return "\n".join(lines)


def _line(name: str, counter: Counter[str], columns: tuple[str, ...]) -> str:
    return f"| {name} | {counter.total():,} | {' | '.join(f'{counter[column]:,}' for column in columns)} |"


def main(arguments: list[str] | None = None) -> None:
    """Load many files, and print the outcomes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks robustness", description=__doc__)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        counts, faults, longest = run(options.files, options.seed, Path(folder))
    print(table(counts))
    print(f"\nThe slowest file took {longest:.2f} seconds, {len(DAMAGES)} kinds of damage, seed {options.seed}.")
    print("\n".join(faults[:50]))
