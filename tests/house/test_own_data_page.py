"""Every example of docs/how-to/own-data.md runs, on the files that the page shows, and gives what the page says."""

from __future__ import annotations

import re
import shlex
import warnings
from pathlib import Path

import pytest
from click.testing import CliRunner
from layouts import labels_by_image

import vsenumba as vse
from vsenumba.cli.app import cli
from vsenumba.data.annotation.readers import READER_NAMES

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "own-data.md"
TEXT = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
SECTIONS = {part.partition("\n")[0]: part.partition("\n")[2] for part in TEXT.split("\n## ")[1:]}
EXPECTED = {"cat-1.jpg": {"cat", "animal"}, "oak-2.jpg": {"oak", "tree"}}
# What is said of honest files, and no more.
EXPECTED_WARNINGS = "were split at ', ', the default separator of exiftool|skipped .* deleted or banned post"


def write_files(text):
    for _, name, content in BLOCK.findall(text):
        if name.endswith("/"):
            Path(name).mkdir(exist_ok=True)
            for line in content.splitlines():
                file, _, inner = line.partition(" ")
                (Path(name) / file).write_text(inner.strip(), encoding="utf-8")
        elif name:
            Path(name).write_text(content, encoding="utf-8")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_files(TEXT)


@pytest.mark.parametrize("title", [title for title in SECTIONS if "```" in SECTIONS[title]])
def test_the_examples_of_a_section_run(folder, title):
    if title in ("Data frames", "Parquet"):
        pytest.importorskip("pandas", reason="pandas is not installed")
        pytest.importorskip("pyarrow", reason="PyArrow is not installed")
    blocks = [(language, content) for language, name, content in BLOCK.findall(SECTIONS[title]) if not name]
    assert "python" in dict(blocks)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", f".*({EXPECTED_WARNINGS})")
        for language, content in sorted(blocks, key=lambda block: block[0] == "sh"):  # a file may be made in Python
            if language == "python":
                names = {"vse": vse}
                exec(compile(content, str(PAGE), "exec"), names)  # noqa: S102  # it is our own
                assert labels_by_image(names["data"]) == EXPECTED
                continue
            for line in content.splitlines():
                program, *words = shlex.split(line, comments=True)
                assert program == "vsenumba"
                done = CliRunner().invoke(cli, words)
                assert done.exit_code == 0, done.output
                counts = dict(re.findall(r"^(images|labels|pairs) +(\d+)$", done.output, flags=re.MULTILINE))
                assert counts == {"images": "2", "labels": "4", "pairs": "4"}


def test_sections_and_formats_are_named():
    titles = {re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in SECTIONS}
    assert set(re.findall(r"\]\(#([a-z-]+)\)", TEXT)) <= titles
    named = re.findall(r"`([a-z-]+)`", SECTIONS["Names of the formats"].partition(":")[2])
    assert set(named) <= set(READER_NAMES)
    assert len(named) >= 10
