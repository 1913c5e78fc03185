"""Every example in a docstring runs."""

from __future__ import annotations

import dataclasses
import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import numba
import pytest

import vsenumba
from vsenumba.samplers import SAMPLERS

MODULES = [
    info.name for info in pkgutil.walk_packages(vsenumba.__path__, "vsenumba.") if not info.name.endswith("__main__")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    module = importlib.import_module(name)
    assert doctest.testmod(module).failed == 0


ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
DOCS = ROOT / "docs"
SAMPLERS_PAGE = DOCS / "explanation" / "samplers.md"


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="takes minutes without the compiler")
def test_the_readmes_python_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {})  # noqa: S102  # it is our own
    assert (tmp_path / "model.h5").exists()


@pytest.mark.parametrize(
    "page",
    [
        "reference/metrics.md",
        "explanation/words.md",
        "explanation/retrieval.md",
        "how-to/pictures.md",
        "how-to/notebooks.md",
        "how-to/report.md",
    ],
)
def test_the_pages_with_one_example_run(tmp_path, monkeypatch, page):
    monkeypatch.chdir(tmp_path)
    text = (DOCS / page).read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    exec(compile(block, page, "exec"), {})  # noqa: S102  # it is our own
    for image in re.findall(r"\]\(\.\./(images/.*?)\)", text):
        assert (DOCS / image).is_file()


def test_the_samplers_page_runs_and_has_a_section_and_a_figure_for_every_sampler():
    text = SAMPLERS_PAGE.read_text(encoding="utf-8")
    blocks = "".join(re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL))
    exec(compile(blocks, "samplers.md", "exec"), {})  # noqa: S102  # it is our own
    titles = re.findall(r"^## (.*)$", text, flags=re.MULTILINE)
    assert [title.lower() for title in titles if title.lower() in SAMPLERS] == list(SAMPLERS)
    for name, sampler in SAMPLERS.items():
        assert f"images/sampler-{name}.png" in text
        # The signature that is shown has every parameter, with its default.
        shown = f"`{sampler.__name__}({', '.join(f'{f.name}={f.default!r}' for f in dataclasses.fields(sampler))})`"
        assert shown.replace("'", '"') in text
    for image in re.findall(r"\]\(\.\./(images/.*?)\)", text):
        assert (DOCS / image).is_file()
