"""The files around the package: what they state about versions, actions and changes agrees with pyproject.toml."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest

import vsenumba

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(not (ROOT / ".github").exists(), reason="the tests stand beside no repository")


@pytest.fixture(scope="module")
def pyproject():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def oldest_versions():
    spec = importlib.util.spec_from_file_location("oldest_versions", ROOT / "tools" / "oldest_versions.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_citation_names_this_version():
    lines = (ROOT / "CITATION.cff").read_text(encoding="utf-8").splitlines()
    assert f'version: "{vsenumba.__version__}"' in lines


def test_every_package_has_one_lower_bound(pyproject, oldest_versions):
    bounds = oldest_versions.oldest(pyproject["project"])
    named = [re.split("[^a-z0-9-]", line)[0] for line in pyproject["project"]["dependencies"]]
    assert set(named) < set(bounds)
    assert {"faiss-cpu", "dask", "pytest"} < set(bounds)
    assert "torch" not in bounds


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["numpy>=2.0", "numpy>=2.1"], "numpy has two lower bounds: 2.0 and 2.1"),
        (["numpy"], "'numpy' is not of the form"),
        (["numpy<3"], "'numpy<3' is not of the form"),
    ],
)
def test_bounds_that_contradict_each_other_are_refused(oldest_versions, lines, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        oldest_versions.oldest({"dependencies": lines, "optional-dependencies": {}})


def test_python_versions_agree(pyproject):
    oldest = pyproject["project"]["requires-python"].removeprefix(">=")
    tested = (ROOT / "noxfile.py").read_text(encoding="utf-8")
    versions = re.search(r"nox.session\(python=\[(.*)\]\)", tested)[1].replace('"', "").split(", ")
    assert versions[0] == oldest
    assert f'@nox.session(python="{oldest}")\ndef oldest' in tested
    workflow = (ROOT / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8")
    assert f'python: ["{versions[0]}", "{versions[-1]}"]' in workflow
    named = {line.split(" :: ")[-1] for line in pyproject["project"]["classifiers"] if "Python :: 3." in line}
    assert named <= set(versions)


@pytest.mark.parametrize("name", ["tests.yml", "release.yml"])
def test_workflows_pin_actions_and_begin_without_permissions(name):
    text = (ROOT / ".github" / "workflows" / name).read_text(encoding="utf-8")
    actions = re.findall(r"uses: (.*)", text)
    assert actions
    assert [line for line in actions if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", line)] == []
    assert "\npermissions: {}\n" in text


def test_fragments_of_the_changelog_have_a_kind(pyproject):
    settings = pyproject["tool"]["towncrier"]
    kinds = "|".join(kind["directory"] for kind in settings["type"])
    names = {path.name for path in (ROOT / settings["directory"]).iterdir()} - {"README.md"}
    assert {name for name in names if not re.fullmatch(rf"(\d+|\+[\w-]+)\.({kinds})\.md", name)} == set()
    assert settings["start_string"] in (ROOT / settings["filename"]).read_text(encoding="utf-8")
