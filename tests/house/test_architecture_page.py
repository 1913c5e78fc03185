"""The walkthrough of the architecture page, followed to the letter in a copy of the package."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import pytest

import vsenumba

PAGE = Path(__file__).parents[2] / "docs" / "contributing" / "architecture.md"
PACKAGE = Path(vsenumba.__file__).parent


@pytest.fixture(scope="module")
def section():
    text = PAGE.read_text(encoding="utf-8")
    return text[text.index("## Add a sampler") :]


@pytest.fixture(scope="module")
def copied(section, tmp_path_factory):
    """Return the folder of a copy of the package in which steps 1 and 2 were done."""
    folder = tmp_path_factory.mktemp("walkthrough")
    shutil.copytree(PACKAGE, folder / "vsenumba", ignore=shutil.ignore_patterns("__pycache__"))
    module, line, _ = re.findall(r"```python\n(.*?)```", section, flags=re.DOTALL)
    (entry,) = re.findall(r"```text\n(.*?)```", section, flags=re.DOTALL)
    (file,) = re.findall(r"\*\*1\. Write `(.*?)`", section)
    (registry,) = re.findall(r"\*\*2\. Name it in `(.*?)`", section)
    (folder / file).write_text(module, encoding="utf-8")
    text = (folder / registry).read_text(encoding="utf-8")
    last = "        AdaptiveSampler,\n    ),"
    assert last in text
    text = text.replace(last, f"        AdaptiveSampler,\n{entry}    ),")
    first = "from vsenumba.samplers.sampler import"
    assert first in text
    (folder / registry).write_text(text.replace(first, line + first), encoding="utf-8")
    return folder


def run(copied, *words):
    # A cache of its own, as a cached kernel does not know that a file it calls has changed; its code need not be fast.
    environment = os.environ | {"PYTHONPATH": str(copied), "NUMBA_CACHE_DIR": str(copied / "cache"), "NUMBA_OPT": "1"}
    done = subprocess.run(
        [sys.executable, *words], cwd=copied, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_the_new_sampler_follows_its_law_trains_and_is_saved(copied, section):
    program = re.findall(r"```python\n(.*?)```", section, flags=re.DOTALL)[-1]
    run(copied, "-c", program)


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="takes minutes without the compiler")
def test_the_command_line_knows_it(copied, section):
    (block,) = re.findall(r"```sh\n(.*?)```", section, flags=re.DOTALL)
    fit, show, compare = (line.split()[1:] for line in block.strip().splitlines())
    assert "saved     model.h5" in run(copied, "-m", "vsenumba", *fit, "--epochs", "1", "--factors", "4")
    assert "rarest" in run(copied, "-m", "vsenumba", *show, "--epochs", "1", "--factors", "4", "--draws", "500")
    table = run(copied, "-m", "vsenumba", *compare, "--epochs", "1", "--factors", "4", "--seeds", "1")
    assert {"uniform", "rarest"} <= {line.split(" ")[0] for line in table.splitlines()}
    assert "rarest" in run(copied, "-m", "vsenumba", "fit", "--help")


def test_the_map_names_what_there_is():
    text = PAGE.read_text(encoding="utf-8")
    tree = text[text.index("```\nvsenumba/") : text.index("benchmarks/  docs/")]
    rooms = re.findall(r"^  (\w+)/", tree, flags=re.MULTILINE)
    assert rooms == [name for name in rooms if (PACKAGE / name).is_dir()]
    assert set(rooms) == {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    for inner in re.findall(r"^    (\w+)/", tree, flags=re.MULTILINE):
        assert (PACKAGE / "data" / inner).is_dir() or (PACKAGE / "training" / inner).is_dir()
    for file in re.findall(r"`((?:cli|data|training|models|kernels|samplers|plotting)/[\w/]+\.py)`", text):
        assert file == "samplers/rarest.py" or (PACKAGE / file).is_file()
