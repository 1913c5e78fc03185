"""``vsenumba info``: check the installation and report problems."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import click

from vsenumba.cli import options
from vsenumba.cli.output import say, say_json
from vsenumba.printable import counted

# Environment variables, or prefixes of them, that change how vsenumba runs.
VARIABLES = ("NUMBA_", "VSENUMBA_", "OPENBLAS_NUM_THREADS", "OMP_", "MKL_NUM_THREADS", "CUDA_VISIBLE_DEVICES")


@click.command(epilog=options.examples("vsenumba info", "vsenumba info --json"))
@options.json_option
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """Check the installation and report problems.

    The command shows versions, threads, caches, extras and the GPU. Each problem comes with its remedy. An error
    prevents work, a warning costs speed, and a note matters to some programs. The exit status is 1 if there is an
    error, otherwise 0. Please add the output to a bug report.
    """
    facts = _facts()
    if as_json:
        say_json(facts)
    else:
        _say_facts(facts)
        _say_problems(facts["problems"])
    if any(problem["level"] == "error" for problem in facts["problems"]):
        ctx.exit(1)


def _facts() -> dict[str, Any]:
    from vsenumba import __version__
    from vsenumba.cli.installation import compiler, diagnosis, gpu, packages, threads

    failures: list[str] = []
    facts = {
        "vsenumba": __version__,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "installed_in": str(Path(__file__).parents[1]),
        "packages": packages.packages(),
        **_found(compiler.compiler, compiler.Compiler, failures),
        **_found(_storage, _Storage, failures),
        **_found(threads.threads, threads.Threads, failures),
        **_found(_data, _Data, failures),
        "environment": {name: value for name, value in sorted(os.environ.items()) if name.startswith(VARIABLES)},
        "extras": packages.extras(),
        "gpu": gpu.gpu(),
    }
    problems = diagnosis.diagnose(facts, packages.unfit(), failures)
    return facts | {"problems": [problem._asdict() for problem in problems]}


def _found(find: Callable[[], Any], kind: Any, failures: list[str]) -> dict[str, Any]:
    """Return the facts from `find` by name. If an import fails, add its message to `failures`; all facts are None."""
    try:
        return dict(find()._asdict())
    except Exception as error:  # noqa: BLE001  # incompatible packages may raise anything
        message = f"{type(error).__name__}: {error}"
        if message not in failures:
            failures.append(message)
        return dict.fromkeys(kind._fields)


class _Storage(NamedTuple):
    """The version of the HDF5 library, which h5py's wheels contain and other distributions of h5py do not."""

    hdf5: str


def _storage() -> _Storage:
    import h5py

    return _Storage(h5py.version.hdf5_version)


class _Data(NamedTuple):
    """The names of the public data sets, and the folder for downloaded ones."""

    data_sets: list[str]
    data_folder: str | None


def _data() -> _Data:
    from vsenumba.data import DATASETS
    from vsenumba.data.downloads import cache_folder
    from vsenumba.errors import InputError

    try:
        folder = str(cache_folder(""))
    except InputError:  # without pooch, there are no downloads
        folder = None
    return _Data(list(DATASETS), folder)


def _say_facts(facts: dict[str, Any]) -> None:
    width = max(map(len, facts))
    for name, value in facts.items():
        if name == "problems":
            continue
        words = "unknown" if value is None else _IN_WORDS.get(name, str)(value)
        say(f"{name.replace('_', ' '):<{width}}  {words}".replace("\n", "\n" + " " * (width + 2)))


def _packages_in_words(packages: dict[str, str | None]) -> str:
    return ", ".join(f"{name} {version or 'missing'}" for name, version in packages.items()) or "unknown"


def _extras_in_words(extras: dict[str, dict[str, Any]]) -> str:
    width = max(map(len, extras), default=0)
    lines = (f"{name:<{width}}  {'installed' if one['installed'] else one['install']}" for name, one in extras.items())
    return "\n".join(lines) or "unknown"


def _gpu_in_words(gpu: dict[str, Any]) -> str:
    usable = "usable" if gpu["usable"] else f"not usable: {gpu['why_not']}"
    return "; ".join([*gpu["cards"], usable])


_IN_WORDS: dict[str, Callable[[Any], str]] = {
    "packages": _packages_in_words,
    "extras": _extras_in_words,
    "gpu": _gpu_in_words,
    "environment": lambda variables: " ".join(f"{name}={value}" for name, value in variables.items()) or "none set",
    "data_sets": ", ".join,
    "survives_fork": lambda survives: "yes" if survives else "no",
}


def _say_problems(problems: list[dict[str, str]]) -> None:
    n_serious = sum(problem["level"] != "note" for problem in problems)
    say()
    say(f"{counted(n_serious, 'problem')} found:" if n_serious else "No problem found.")
    for problem in problems:
        say(f"\n{problem['level']}: {problem['problem']}\n  {problem['remedy']}")
