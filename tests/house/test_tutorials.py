"""Every command of the tutorials runs, in the order of the page; what takes long is made shorter first."""

from __future__ import annotations

import re
import runpy
import shlex
from pathlib import Path

import numba
import pytest
from click.testing import CliRunner

from vsenumba.cli.app import cli

FOLDER = Path(__file__).parents[2] / "docs" / "tutorials"
BLOCK = re.compile(r"^```(sh|python|text)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)

# By page: what takes long, and what is run in its place.
SHORTER = {
    "tag-your-pictures": {"number < 1500": "number < 1700"},
    "compare-samplers": {
        "--out comparison": "--out comparison --epochs 1 --seeds 1 --factors 8",
        "--seeds 5": "--epochs 1 --seeds 1 --factors 8",
        "show adaptive": "show adaptive --epochs 1 --factors 8",
    },
    "word-vectors": {
        '("numpy", "scipy", "sklearn", "matplotlib", "numba")': '("numba", "numpy")',
        "fit text.txt": "fit text.txt --epochs 1 --factors 8",
    },
    "image-text-retrieval": {"--epochs 8": "--epochs 1 --factors 64"},
}


def headings(output):
    """Return the words of the lines without numbers, which are the same however little is trained."""
    return [" ".join(line.split()) for line in output.splitlines() if line.strip() and not re.search(r"\d", line)]


def test_every_tutorial_is_run():
    assert {page.stem for page in FOLDER.glob("*.md")} == {*SHORTER, "index"}


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="takes minutes without the compiler")
@pytest.mark.parametrize("name", SHORTER)
def test_the_commands_of_a_tutorial_run(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    text = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    for long, short in SHORTER[name].items():
        assert long in text
        text = text.replace(long, short)
    programs = re.findall(r"Save\s+this\s+as\s+`(\w+\.py)`", text)
    printed = ""
    for language, block in BLOCK.findall(text):
        if language == "text":
            # What was printed, or is in a table that was written.
            shown = printed + "".join(path.read_text(encoding="utf-8") for path in Path().glob("*.csv"))
            assert {*headings(block)} <= {*headings(shown)}
            continue
        if language == "python":
            program = Path(programs.pop(0) if programs else "last.py")
            program.write_text(block, encoding="utf-8")
            if program.name == "last.py":
                runpy.run_path(str(program))
            continue
        printed = ""
        for line in block.replace("\\\n", "").splitlines():
            command, *words = shlex.split(line)
            if command == "python":
                runpy.run_path(words[-1])
            elif command == "vsenumba":
                done = CliRunner().invoke(cli, words)
                assert done.exit_code == 0, f"{line}: {done.output}"
                printed += done.output
            else:
                assert line == "pip install ."
    assert programs == []
