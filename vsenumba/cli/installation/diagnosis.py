"""Find the problems of an installation and their remedies, from the facts that ``vsenumba info`` collects.

The checks read only these facts, so tests can simulate any machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from packaging.version import Version

from vsenumba.cli.installation.packages import Misfit

Facts = Mapping[str, Any]

#: HDF5 1.14.6 crashes on some damaged files that 2.0 reports (``python -m benchmarks robustness``).
OLDEST_HDF5 = Version("2.0")

#: Variables that set the number of threads of a BLAS.
BLAS_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


class Problem(NamedTuple):
    """A problem with its remedy.

    An "error" prevents work. A "warning" means lower speed, or a setting without effect. A "note" matters only to some
    programs. The key is stable across versions.
    """

    key: str
    level: Literal["error", "warning", "note"]
    problem: str
    remedy: str


def diagnose(facts: Facts, unfit: list[Misfit], failures: list[str]) -> list[Problem]:
    """Return the problems, errors first.

    Parameters
    ----------
    facts : mapping
        The facts. A fact that could not be determined is None.
    unfit : list of Misfit
        Required packages that are missing or have an unsupported version.
    failures : list of str
        The messages of failed imports.
    """
    found = [*_packages(facts, unfit, failures), *_gpu(facts)]
    if facts["compilation"] is not None:
        found += [*_compilation(facts), *_cache(facts)]
    if facts["hdf5"] is not None:
        found += _storage(facts)
    if facts["threads"] is not None:
        found += [*_layer(facts), *_threads(facts), *_processes(facts)]
    return sorted(found, key=lambda problem: ("error", "warning", "note").index(problem.level))


def _packages(facts: Facts, unfit: list[Misfit], failures: list[str]) -> Iterator[Problem]:
    if not facts["packages"]:
        yield Problem(
            "not_installed",
            "warning",
            "vsenumba is not installed but runs from a folder, so the versions of its packages cannot be checked.",
            "Run pip install . in the folder with pyproject.toml.",
        )
    for name, needed, installed in unfit:
        have = "is not installed" if installed is None else f"has version {installed}, which is not supported"
        yield Problem(
            "package_missing" if installed is None else "package_version",
            "error" if installed is None else "warning",
            f"vsenumba requires {name}{needed}, but {name} {have}.",
            f"Run pip install '{name}{needed}'.",
        )
    for failure in failures:
        yield Problem(
            "import_failed",
            "error",
            f"An import failed: {failure}",
            "Run pip install --upgrade --upgrade-strategy eager vsenumba, which selects compatible versions.",
        )


def _compilation(facts: Facts) -> Iterator[Problem]:
    if facts["compilation"] != "on":
        yield Problem(
            "compiler_off",
            "warning",
            "Numba's compiler is off, which makes training about 100 times slower.",
            "Unset the environment variable NUMBA_DISABLE_JIT.",
        )


def _storage(facts: Facts) -> Iterator[Problem]:
    if Version(facts["hdf5"]) < OLDEST_HDF5:
        yield Problem(
            "hdf5_old",
            "warning",
            f"h5py uses HDF5 {facts['hdf5']}, which can crash Python when it reads a damaged file.",
            f"Install an h5py with HDF5 {OLDEST_HDF5} or later; wheels from PyPI contain it: "
            "pip install --force-reinstall 'h5py>=3.16'.",
        )


def _cache(facts: Facts) -> Iterator[Problem]:
    asked = facts["environment"].get("NUMBA_CACHE_DIR")
    if facts["cache"] != "on":
        yield Problem(
            "cache_off",
            "warning",
            "The cache of compiled code is off, so each process compiles again, which takes a minute or more.",
            "Unset the environment variable VSENUMBA_CACHE.",
        )
    elif facts["compilation"] == "on" and facts["cache_writable"] != "yes":
        reason = facts["cache_writable"].removeprefix("no: ")
        where = "no folder was found" if reason == "no" else f"{facts['cache_folder']}: {reason}"
        yield Problem(
            "cache_not_writable",
            "warning",
            f"Compiled code cannot be stored ({where}), so each process compiles again, which takes a minute or more.",
            "Set the environment variable NUMBA_CACHE_DIR to a folder that you can write to.",
        )
    elif facts["compilation"] == "on" and asked and not Path(facts["cache_folder"]).is_relative_to(asked):
        yield Problem(
            "cache_elsewhere",
            "warning",
            f"NUMBA_CACHE_DIR={asked} is not writable; compiled code is stored in {facts['cache_folder']}.",
            "Set the environment variable NUMBA_CACHE_DIR to a folder that you can write to, or unset it.",
        )


def _layer(facts: Facts) -> Iterator[Problem]:
    layer, asked = facts["threading_layer"], facts["environment"].get("NUMBA_THREADING_LAYER")
    if facts["compilation"] == "on" and layer.startswith("none"):
        yield Problem(
            "threading_layer_missing",
            "error",
            f"Numba found no threading layer, so vsenumba cannot train ({layer.removeprefix('none: ')}).",
            "Unset the environment variable NUMBA_THREADING_LAYER, or set it to workqueue, which needs no library.",
        )
    elif layer == "workqueue" and asked != "workqueue":
        yield Problem(
            "threading_layer_workqueue",
            "note",
            "Numba found neither OpenMP nor TBB and uses its own threads (workqueue). vsenumba works well with them, "
            "but your program crashes if other parallel Numba code runs in it at the same time.",
            "If your program has such code, run pip install tbb (conda install tbb on a Mac). Otherwise set the "
            "environment variable NUMBA_THREADING_LAYER=workqueue to hide this note.",
        )


def _threads(facts: Facts) -> Iterator[Problem]:
    cores, threads, blas = facts["cores"], facts["threads"], facts["blas_threads"]
    if threads > cores:
        yield Problem(
            "too_many_threads",
            "warning",
            f"Numba uses {threads} threads on {_cores(cores)}, which is slower than one thread per core.",
            f"Set the environment variable NUMBA_NUM_THREADS={cores}.",
        )
    if blas is None:
        return
    variables = [name for name in facts["environment"] if name in BLAS_VARIABLES]
    named = " and ".join(variables) or "OPENBLAS_NUM_THREADS"
    if blas > cores:
        yield Problem(
            "too_many_blas_threads",
            "warning",
            f"BLAS uses {blas} threads on {_cores(cores)}, which slows down evaluation and EASE.",
            f"Set the environment variable {named} to {cores}.",
        )
    elif blas < min(threads, cores) and variables:
        yield Problem(
            "few_blas_threads",
            "warning",
            f"{named} limits BLAS to {blas} of {cores} cores, which slows down evaluation and EASE.",
            f"Unset {named}. vsenumba itself limits BLAS to one thread while its own threads work.",
        )


def _cores(n_cores: int) -> str:
    return f"{n_cores} usable core{'s' * (n_cores != 1)}"


def _processes(facts: Facts) -> Iterator[Problem]:
    if facts["start_method"] == "fork" and not facts["survives_fork"]:
        yield Problem(
            "fork",
            "note",
            "Python starts processes by fork on this machine, and Numba's threads (GNU OpenMP) do not survive a fork. "
            "A process that is forked after a training cannot train.",
            "If your program starts processes, use multiprocessing.get_context('spawn') or joblib. Or set the "
            "environment variable NUMBA_THREADING_LAYER=workqueue.",
        )


def _gpu(facts: Facts) -> Iterator[Problem]:
    card = facts["gpu"]
    installed = [name for name in facts["extras"] if name.startswith("cuda") and facts["extras"][name]["installed"]]
    if card["simulated"]:
        yield Problem(
            "gpu_simulated",
            "warning",
            'Numba simulates the GPU, so device="cuda" is slow and uses no real GPU.',
            "Unset the environment variable NUMBA_ENABLE_CUDASIM.",
        )
    elif not card["usable"] and (card["cards"] or installed):
        have = f"This machine has a GPU ({card['cards'][0]})" if card["cards"] else f"{installed[0]} is installed"
        yield Problem(
            "gpu_not_usable",
            "warning" if installed else "note",
            f'{have}, but device="cuda" does not work: {card["why_not"]}.',
            "You can train on the CPU. For the requirements of a GPU, see "
            "https://vsenumba.readthedocs.io/en/latest/how-to/gpu.html.",
        )
