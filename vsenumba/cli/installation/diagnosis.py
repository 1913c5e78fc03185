"""What is wrong with an installation, in sentences with their remedies, from the facts that ``vsenumba info`` gathers.

Each check reads the facts alone, so that a test can give it those of any machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from vsenumba.cli.installation.packages import Misfit

Facts = Mapping[str, Any]

#: Variables that set the number of threads of a BLAS.
BLAS_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


class Problem(NamedTuple):
    """Something that is wrong, or good to know.

    An "error" prevents work, a "warning" makes it slower or different from what was asked for, and a "note" matters to
    some programs only. The key stays the same from version to version.
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
        What was found, None where it could not be found out.
    unfit : list of Misfit
        Required packages that are missing or have a version that does not fit.
    failures : list of str
        The messages of imports that failed.
    """
    found = [*_packages(facts, unfit, failures), *_gpu(facts)]
    if facts["compilation"] is not None:
        found += [*_compilation(facts), *_cache(facts)]
    if facts["threads"] is not None:
        found += [*_layer(facts), *_threads(facts), *_processes(facts)]
    return sorted(found, key=lambda problem: ("error", "warning", "note").index(problem.level))


def _packages(facts: Facts, unfit: list[Misfit], failures: list[str]) -> Iterator[Problem]:
    if not facts["packages"]:
        yield Problem(
            "not_installed",
            "warning",
            "vsenumba runs from a folder without being installed, so nobody can tell whether its packages fit.",
            "Run pip install . in the folder that has pyproject.toml.",
        )
    for name, needed, installed in unfit:
        have = "is not installed" if installed is None else f"has version {installed}, which is not tested"
        yield Problem(
            "package_missing" if installed is None else "package_version",
            "error" if installed is None else "warning",
            f"vsenumba requires {name}{needed}, and {name} {have}.",
            f"Run pip install '{name}{needed}'.",
        )
    for failure in failures:
        yield Problem(
            "import_failed",
            "error",
            f"An import fails: {failure}",
            "Run pip install --upgrade --upgrade-strategy eager vsenumba, which selects versions that go together.",
        )


def _compilation(facts: Facts) -> Iterator[Problem]:
    if facts["compilation"] != "on":
        yield Problem(
            "compiler_off",
            "warning",
            "Numba's compiler is off, so training is some hundred times slower.",
            "Unset the environment variable NUMBA_DISABLE_JIT.",
        )


def _cache(facts: Facts) -> Iterator[Problem]:
    asked = facts["environment"].get("NUMBA_CACHE_DIR")
    if facts["cache"] != "on":
        yield Problem(
            "cache_off",
            "warning",
            "Compiled code is not kept, so each process compiles again, which takes a minute or more.",
            "Unset the environment variable VSENUMBA_CACHE.",
        )
    elif facts["compilation"] == "on" and facts["cache_writable"] != "yes":
        reason = facts["cache_writable"].removeprefix("no: ")
        where = "no folder for it was found" if reason == "no" else f"{facts['cache_folder']}: {reason}"
        yield Problem(
            "cache_not_writable",
            "warning",
            f"Compiled code cannot be kept ({where}), so each process compiles again, which takes a minute or more.",
            "Set the environment variable NUMBA_CACHE_DIR to a folder that you can write.",
        )
    elif facts["compilation"] == "on" and asked and not Path(facts["cache_folder"]).is_relative_to(asked):
        yield Problem(
            "cache_elsewhere",
            "warning",
            f"NUMBA_CACHE_DIR={asked} cannot be written; compiled code is kept in {facts['cache_folder']}.",
            "Set the environment variable NUMBA_CACHE_DIR to a folder that you can write, or unset it.",
        )


def _layer(facts: Facts) -> Iterator[Problem]:
    layer, asked = facts["threading_layer"], facts["environment"].get("NUMBA_THREADING_LAYER")
    if facts["compilation"] == "on" and layer.startswith("none"):
        yield Problem(
            "threading_layer_missing",
            "error",
            f"Numba found no threading layer, so nothing can be trained ({layer.removeprefix('none: ')}).",
            "Unset the environment variable NUMBA_THREADING_LAYER, or set it to workqueue, which needs no library.",
        )
    elif layer == "workqueue" and asked != "workqueue":
        yield Problem(
            "threading_layer_workqueue",
            "note",
            "Numba found neither OpenMP nor TBB and uses its own threads (workqueue). vsenumba works well with them, "
            "but if other Numba code of your program runs in parallel at the same time, the program ends.",
            "If that matters, run pip install tbb (conda install tbb on a Mac); otherwise set the environment variable "
            "NUMBA_THREADING_LAYER=workqueue, and this note goes away.",
        )


def _threads(facts: Facts) -> Iterator[Problem]:
    cores, threads, blas = facts["cores"], facts["threads"], facts["blas_threads"]
    if threads > cores:
        yield Problem(
            "too_many_threads",
            "warning",
            f"Numba uses {threads} threads on {_cores(cores)}, which is slower than one for each core.",
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
            f"{named} leaves BLAS {blas} of {cores} cores, which slows down evaluation and EASE.",
            f"Unset {named}. vsenumba itself gives BLAS one thread where its own threads do the work.",
        )


def _cores(n_cores: int) -> str:
    return f"{n_cores} usable core{'s' * (n_cores != 1)}"


def _processes(facts: Facts) -> Iterator[Problem]:
    if facts["start_method"] == "fork" and not facts["survives_fork"]:
        yield Problem(
            "fork",
            "note",
            "Python starts processes by fork here, and Numba's threads (GNU OpenMP) do not survive a fork. A process "
            "that was forked after training cannot train.",
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
            'Kernels for GPUs are simulated, so device="cuda" is slow and uses no GPU.',
            "Unset the environment variable NUMBA_ENABLE_CUDASIM.",
        )
    elif not card["usable"] and (card["cards"] or installed):
        have = f"This machine has a GPU ({card['cards'][0]})" if card["cards"] else f"{installed[0]} is installed"
        yield Problem(
            "gpu_not_usable",
            "warning" if installed else "note",
            f'{have}, and device="cuda" does not work: {card["why_not"]}.',
            "Training on the processor works. For what a GPU needs, see "
            "https://vsenumba.readthedocs.io/en/latest/how-to/gpu.html.",
        )
