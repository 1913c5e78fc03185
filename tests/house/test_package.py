"""The package as installed: what importing loads, what it declares, what it ships."""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.resources
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import vsenumba

ROOT = Path(__file__).parents[2]


def test_importing_is_light():
    program = "import sys, vsenumba; print(*sorted(m.split('.')[0] for m in sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {"matplotlib", "h5py", "click", "rich", "numba", "scipy", "sklearn"} & set(loaded)


def test_public_names_are_those_that_type_checkers_see():
    tree = ast.parse(Path(vsenumba.__file__).read_text(encoding="utf-8"))
    guarded = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.name for node in guarded.body for alias in node.names}
    assert seen == set(vsenumba.__all__) - {"__version__"}


@pytest.mark.parametrize("name", sorted(vsenumba.__all__))
def test_every_public_name_is_there_and_documented(name):
    member = getattr(vsenumba, name)
    assert name == "__version__" or member.__doc__


@pytest.mark.skipif(not (ROOT / "docs").exists(), reason="the tests stand beside no documentation")
def test_documented_names_of_subpackages_are_there_whatever_was_imported_before():
    """Found 2026-11: ``vse.models.ImageIndex`` was an AttributeError until something had imported that subpackage."""
    page = (ROOT / "docs" / "reference" / "api" / "index.md").read_text(encoding="utf-8")
    documented = re.findall(r"^   ([a-z]+)\.(\w+)$", page, flags=re.MULTILINE)
    assert len(documented) > 20
    for subpackage, name in documented:
        assert getattr(vsenumba.__getattr__(subpackage), name).__doc__


def test_unknown_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="has no attribute 'fit'"):
        vsenumba.fit  # noqa: B018  # the access is the test
    assert "AnnotationSet" in dir(vsenumba)


def test_versions_agree():
    assert importlib.metadata.version("vsenumba") == vsenumba.__version__


def test_the_set_that_ships_is_small():
    shipped = importlib.resources.files("vsenumba") / "data" / "shipped" / "openclipart.h5"
    assert len(shipped.read_bytes()) <= 3_000_000


def test_types_are_declared():
    assert (importlib.resources.files("vsenumba") / "py.typed").is_file()


@pytest.mark.skipif(not (ROOT / "pyproject.toml").exists(), reason="the tests stand beside no source")
def test_environment_yml_names_what_pyproject_names():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (ROOT / "environment.yml").read_text(encoding="utf-8").splitlines()
    listed = {line.strip()[2:] for line in lines if line.startswith("  - ")}
    needed = {*project["dependencies"], *project["optional-dependencies"]["test"]}
    assert listed == needed | {f"python{project['requires-python']}", "pip", "conda-forge"}
