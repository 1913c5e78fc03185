"""Single steps of ``.ci/run``, each in an environment of its own.

``nox --list`` shows the sessions, ``nox -s lint`` runs one, and ``nox -s tests-3.13 -- tests/samplers`` hands words to
pytest.
"""

from __future__ import annotations

import os
from pathlib import Path

import nox

nox.needs_version = ">=2024.10"
nox.options.default_venv_backend = "venv"
nox.options.error_on_missing_interpreters = True
nox.options.sessions = ["lint", "tests"]


def caches(session: nox.Session) -> dict[str, str]:
    """Return the variables that give a session folders of its own for what Numba and Matplotlib keep."""
    folder = Path(session.create_tmp()).resolve()
    return {"NUMBA_CACHE_DIR": str(folder / "numba"), "MPLCONFIGDIR": str(folder / "matplotlib")}


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, types and prose."""
    session.install("--upgrade", "pip")
    session.install("--group", "lint", ".")
    session.run("bash", ".ci/lint", external=True)


@nox.session(python=["3.11", "3.12", "3.13", "3.14"])
def tests(session: nox.Session) -> None:
    """Run the tests with the newest packages; with WHEEL=path/of/a.whl, test that instead of this folder."""
    wheel = os.environ.get("WHEEL", ".")
    session.install(f"{wheel}[test]")
    session.run("pytest", *session.posargs, env=caches(session))


@nox.session(python="3.11")
def oldest(session: nox.Session) -> None:
    """Run the tests with the oldest packages that pyproject.toml allows."""
    constraints = Path(session.create_tmp()).resolve() / "oldest.txt"
    lines = session.run("python", "tools/oldest_versions.py", silent=True)
    constraints.write_text(lines or "", encoding="utf-8")
    session.install(".[test,ann]", "--constraint", str(constraints))
    session.run("pytest", *session.posargs, env=caches(session))


@nox.session
def coverage(session: nox.Session) -> None:
    """Run what reaches compiled code with the compiler off, and report what is not covered."""
    session.install(".[test]")
    file = str(Path(session.create_tmp()).resolve() / "coverage")
    session.run("bash", ".ci/coverage", external=True, env=caches(session) | {"COVERAGE_FILE": file})


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation into the folder site, or the one that is given; a warning is an error."""
    session.install(".[docs]")
    session.run("bash", ".ci/docs", *(session.posargs or ["site"]), external=True, env=caches(session))
