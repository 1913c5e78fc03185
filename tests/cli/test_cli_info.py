"""``vsenumba info``: what it finds out, and what it says is wrong."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import sys

import numba
import pytest
from command_line import in_a_process

import vsenumba as vse
from vsenumba.cli.installation import compiler, diagnosis, gpu, packages, threads

posix = pytest.mark.skipif(os.name != "posix", reason="the test writes an executable script, which needs POSIX")
compiled = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")
several_cores = pytest.mark.skipif(threads.usable_cores() == 1, reason="one thread is all there is")

# What programs may rely on.
KEYS = {
    "vsenumba", "python", "platform", "installed_in", "packages", "compilation", "cache", "cache_folder",
    "cache_writable", "hdf5", "cores", "threads", "blas_threads", "threading_layer", "start_method", "survives_fork",
    "data_sets", "data_folder", "environment", "extras", "gpu", "problems",
}  # fmt: skip

# A machine on which nothing is wrong.
HEALTHY = {
    "packages": {"numpy": "2.4.6"},
    "compilation": "on",
    "cache": "on",
    "cache_folder": "/cache",
    "cache_writable": "yes",
    "hdf5": "2.0.0",
    "cores": 4,
    "threads": 4,
    "blas_threads": 4,
    "threading_layer": "omp",
    "start_method": "fork",
    "survives_fork": True,
    "environment": {},
    "extras": {"cuda13": {"installed": False}},
    "gpu": {"cards": [], "usable": False, "simulated": False, "why_not": "no driver"},
}
WITH_CARD = {"cards": ["H100, 580.1, 80 GiB"], "usable": False, "simulated": False, "why_not": "no CuPy"}
CUDA = {"cuda13": {"installed": True}}

# What is different, which problem that is, and what its sentences must name.
PROBLEMS = [
    ({"packages": {}}, "not_installed", "warning", "pip install ."),
    ({"compilation": "off (NUMBA_DISABLE_JIT)"}, "compiler_off", "warning", "Unset .* NUMBA_DISABLE_JIT"),
    ({"cache": "off (VSENUMBA_CACHE=0)"}, "cache_off", "warning", "Unset .* VSENUMBA_CACHE"),
    ({"cache_writable": "no: Disk full"}, "cache_not_writable", "warning", "/cache: Disk full.*NUMBA_CACHE_DIR"),
    ({"cache_writable": "no", "cache_folder": "none"}, "cache_not_writable", "warning", "no folder"),
    ({"environment": {"NUMBA_CACHE_DIR": "/mine"}}, "cache_elsewhere", "warning", "/mine .* is stored in /cache"),
    ({"hdf5": "1.14.6"}, "hdf5_old", "warning", "HDF5 1.14.6.*h5py>=3.16"),
    ({"threading_layer": "none: no TBB"}, "threading_layer_missing", "error", "no TBB.*NUMBA_THREADING_LAYER"),
    ({"threading_layer": "workqueue"}, "threading_layer_workqueue", "note", "pip install tbb"),
    ({"threads": 9}, "too_many_threads", "warning", "9 threads on 4 usable cores.*NUMBA_NUM_THREADS=4"),
    ({"blas_threads": 64}, "too_many_blas_threads", "warning", "64 threads.*OPENBLAS_NUM_THREADS to 4"),
    (
        {"blas_threads": 1, "environment": {"OMP_NUM_THREADS": "1"}},
        "few_blas_threads",
        "warning",
        "limits BLAS to 1 of 4 cores.*Unset OMP_NUM_THREADS",
    ),
    ({"survives_fork": False}, "fork", "note", "'spawn'"),
    ({"gpu": WITH_CARD}, "gpu_not_usable", "note", "H100.*no CuPy"),
    ({"extras": CUDA}, "gpu_not_usable", "warning", "cuda13 is installed.*no driver"),
    ({"gpu": WITH_CARD | {"simulated": True, "usable": True}}, "gpu_simulated", "warning", "NUMBA_ENABLE_CUDASIM"),
]
# What looks alike, and is what somebody asked for.
IN_ORDER = [
    {},
    {"threading_layer": "workqueue", "environment": {"NUMBA_THREADING_LAYER": "workqueue"}},
    {"environment": {"NUMBA_CACHE_DIR": "/cache"}},
    {"threads": 1, "blas_threads": 1, "environment": {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}},
    {"blas_threads": None},
    {"start_method": "spawn", "survives_fork": False},
    {"gpu": WITH_CARD | {"usable": True}, "extras": CUDA},
]


@pytest.mark.parametrize(("changes", "key", "level", "words"), PROBLEMS, ids=[problem[1] for problem in PROBLEMS])
def test_each_problem_is_named_with_its_remedy(changes, key, level, words):
    (problem,) = diagnosis.diagnose(HEALTHY | changes, [], [])
    assert (problem.key, problem.level) == (key, level)
    assert re.search(words, f"{problem.problem} {problem.remedy}")


@pytest.mark.parametrize("changes", IN_ORDER)
def test_what_is_in_order_is_no_problem(changes):
    assert diagnosis.diagnose(HEALTHY | changes, [], []) == []


def test_packages_that_do_not_fit_are_named_and_errors_come_first():
    unfit = [packages.Misfit("numpy", ">=2.0", "1.26.4"), packages.Misfit("scipy", ">=1.13", None)]
    found = diagnosis.diagnose(HEALTHY | {"survives_fork": False}, unfit, ["ImportError: Numba needs NumPy 2.4"])
    assert [problem.key for problem in found] == ["package_missing", "import_failed", "package_version", "fork"]
    assert "pip install 'scipy>=1.13'" in found[0].remedy
    assert "Numba needs NumPy 2.4" in found[1].problem
    assert "numpy has version 1.26.4" in found[2].problem


def facts_of(outcome, status=0):
    assert outcome.status == status, outcome.err
    return json.loads(outcome.out)


def keys_of(facts):
    return [problem["key"] for problem in facts["problems"]]


def test_json_has_the_same_keys_always(run, monkeypatch):
    facts = facts_of(run("info", "--json"))
    assert set(facts) == KEYS
    assert facts["vsenumba"] == vse.__version__
    assert facts["packages"]["numba"] == numba.__version__
    assert facts["data_sets"][0] == "openclipart"
    assert set(facts["gpu"]) == {"cards", "usable", "simulated", "why_not"}
    for problem in facts["problems"]:
        assert set(problem) == {"key", "level", "problem", "remedy"}

    def broken():
        raise ImportError("Numba needs NumPy 2.4 or less")

    monkeypatch.setattr(compiler, "compiler", broken)
    monkeypatch.setattr(threads, "threads", broken)
    facts = facts_of(run("info", "--json"), status=1)
    assert set(facts) == KEYS
    assert facts["cache_folder"] is facts["threads"] is None
    assert keys_of(facts).count("import_failed") == 1


def test_text_says_what_is_wrong_and_an_error_is_exit_status_1(run, monkeypatch):
    healthy = run("info")
    assert healthy.status == 0
    assert "No problem found." in healthy.out
    assert re.search("^threading layer +", healthy.out, re.MULTILINE)
    monkeypatch.setattr(threads, "_threading_layer", lambda: "none: no library")
    broken = run("info")
    if not numba.config.DISABLE_JIT:
        assert broken.status == 1
        assert "1 problem found:\n\nerror: Numba found no threading layer" in broken.out


@compiled
@pytest.mark.parametrize(
    ("variables", "key", "status"),
    [
        ({"NUMBA_DISABLE_JIT": "1"}, "compiler_off", 0),
        ({"VSENUMBA_CACHE": "0", "NUMBA_OPT": "0"}, "cache_off", 0),
        ({"NUMBA_THREADING_LAYER": "none-such"}, "threading_layer_missing", 1),
        ({"NUMBA_NUM_THREADS": "999"}, "too_many_threads", 0),
        pytest.param({"OPENBLAS_NUM_THREADS": "1"}, "few_blas_threads", 0, marks=several_cores),
    ],
)
def test_variables_that_do_harm_are_named(variables, key, status):
    facts = facts_of(in_a_process("info", "--json", **variables), status)
    assert key in keys_of(facts)
    assert variables.items() <= facts["environment"].items()


@compiled
def test_a_cache_folder_that_is_a_file_is_named(tmp_path):
    (tmp_path / "file").touch()
    outcome = in_a_process("info", "--json", NUMBA_CACHE_DIR=str(tmp_path / "file"), NUMBA_OPT="0")
    assert keys_of(facts_of(outcome))[0].startswith("cache_")
    assert outcome.err == ""


def test_whether_compiled_code_can_be_kept(monkeypatch, tmp_path):
    """Found 2026-11: ``cannot cache function ... report it`` where no folder can be written."""
    for path, writable in (
        (None, "no"),
        (tmp_path, "yes"),
        (tmp_path / "none", "no: No such file or directory"),
    ):
        monkeypatch.setattr(compiler, "_cache_path", lambda path=path: path)
        assert compiler.compiler().cache_writable == writable


def test_a_container_may_use_fewer_cores_than_there_are(tmp_path):
    quota = tmp_path / "cpu.max"
    quota.write_text("50000 100000\n")
    assert threads.usable_cores(str(quota)) == 1
    quota.write_text("max 100000\n")
    assert threads.usable_cores(str(quota)) == threads.usable_cores(str(tmp_path / "none")) >= 1


def test_extras_name_their_command(monkeypatch):
    installed = {"numpy": "1.26.4", "numba": "0.61.0"}
    monkeypatch.setattr(packages, "installed_version", installed.get)
    monkeypatch.setattr(
        packages.importlib.metadata,
        "requires",
        lambda name: ["numpy>=2.0", "numba>=0.61", "dask>=2024.8; extra == 'dask'", "numba<0.61; extra == 'cuda12'"],
    )
    monkeypatch.setattr(packages.importlib.metadata, "metadata", lambda name: Extras(["dask", "cuda12", "test"]))
    assert packages.packages() == installed
    extras = packages.extras()
    assert {name: extra["installed"] for name, extra in extras.items()} == {"cuda12": True, "dask": False}
    assert extras["dask"]["install"] == "pip install 'vsenumba[dask]'"
    assert [(misfit.name, misfit.needed) for misfit in packages.unfit()] == [("numpy", ">=2.0"), ("numba", "<0.61")]


class Extras(list):
    """What metadata says of extras."""

    def get_all(self, name):
        assert name == "Provides-Extra"
        return list(self)


def test_in_a_folder_that_is_not_installed_nothing_is_known_of_packages(monkeypatch):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    for name in ("requires", "metadata", "version"):
        monkeypatch.setattr(packages.importlib.metadata, name, missing)
    assert (packages.packages(), packages.extras(), packages.unfit()) == ({}, {}, [])


@posix
@pytest.mark.parametrize(
    ("script", "cards"),
    [
        ("echo 'NVIDIA H100, 580.1, 81559 MiB'", ["NVIDIA H100, 580.1, 81559 MiB"]),
        ("echo 'No devices were found'; exit 6", []),
        ("kill -9 $$", []),
    ],
)
def test_cards_are_those_that_the_driver_shows(monkeypatch, tmp_path, script, cards):
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert gpu.cards() == cards


def test_a_broken_driver_is_a_reason_and_no_crash(monkeypatch):
    class Broken:
        SIMULATED = False

        @staticmethod
        def require_card():
            raise RuntimeError("CUDA_ERROR_SYSTEM_DRIVER_MISMATCH")

    monkeypatch.setitem(sys.modules, "vsenumba.gpu.backend", Broken)
    found = gpu.gpu()
    assert (found["usable"], found["why_not"]) == (False, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH")
