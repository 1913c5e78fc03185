"""The command line: its help tells the truth, and what it prints is fit to read."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete
from command_line import COMMANDS, EXAMPLES, SMALL, examples

from vsenumba.cli.app import cli
from vsenumba.cli.output import as_json_text, table
from vsenumba.errors import unknown_name
from vsenumba.printable import counted

# Help.


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example(succeeds, words):
    outcome = succeeds(*words, "--help")
    assert "Example" in outcome.out
    assert f"vsenumba {words[0]}" in outcome.out
    assert outcome.err == ""
    # Found 2026-11: in a raw docstring it is two characters, and click fills the tables.
    assert "\\b" not in outcome.out
    assert succeeds(*words, "-h") == outcome


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_line_of_help_on_every_command_and_option(words):
    command = COMMANDS[words]
    # The groups cut what is longer.
    assert len(command.get_short_help_str(64)) < 64
    assert not command.get_short_help_str(64).endswith("...")
    assert all(option.help for option in command.params if isinstance(option, click.Option))


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_use_what_exists(example):
    _, *words = shlex.split(example)
    command = cli
    while isinstance(command, click.Group):
        command = command.get_command(click.Context(command), words.pop(0))
    # A command keeps the help option of its first context.
    command.make_context("vsenumba", words, parent=click.Context(cli, help_option_names=["-h", "--help"]))


def quickly(name, words):
    """Return options that make an example quick, also without the compiler."""
    if name == "fit":
        # An example with a sampler of its own keeps it.
        return SMALL[:4] if "--sampler" in words or "--set" in words else SMALL
    if name == "retrieval" and words[0] == "fit":
        return ["--epochs", "1", "--factors", "4", "--min-count", "1"]
    if name == "words" and words[0] == "fit":
        return ["--epochs", "1", "--factors", "4", "--min-count", "1"]
    if name == "sampler":
        return ["--draws", "50", *([] if "--model" in words else ["--epochs", "1", "--factors", "2"])]
    return []


def test_examples_run(succeeds, folder):
    succeeds("fit", "openclipart", "-o", "clipart.h5", *SMALL)
    # These take many epochs of several samplers, or files that are not there, and have tests of their own.
    for example in EXAMPLES:
        name, *words = shlex.split(example)[1:]
        Path("model.h5").write_bytes(Path("clipart.h5").read_bytes())
        if name not in ("demo", "compare", "index") and not {"--pictures", "--by"} & set(words):
            succeeds(name, *words, *quickly(name, words))


def test_the_start_of_the_help_runs(succeeds, folder):
    for example in examples(cli):
        words = shlex.split(example.split("   ")[0])[1:]
        if words[0] != "demo":
            succeeds(*words, *(SMALL if words[0] == "fit" else []))


def test_names_are_completed(folder):
    completion = ShellComplete(cli, {}, "vsenumba", "_VSENUMBA_COMPLETE")
    found = [item.value for item in completion.get_completions(["fit", "tags.csv", "--sampler"], "ad")]
    assert found == ["adaptive"]


# The printing itself.


def test_tables_are_aligned_whatever_the_script():
    lines = click.unstyle(table(["name", "n"], [["猫", "1"], ["cat", "20"]], "lr")).splitlines()
    assert lines == ["name   n", "猫     1", "cat   20"]


def test_the_nearest_of_very_many_names_are_found():
    names = [f"photos/{i:06d}-small.jpg" for i in range(30_000)]
    for typed in ("photos/012345-smal.jpg", "photo/012345-small.jpg", "photos/012345_small.jpg"):
        assert "'photos/012345-small.jpg'" in str(unknown_name("image", typed, names))
    assert "there are 30,000 known names, such as 'photos/000000" in str(unknown_name("image", "q", names))


def test_json_has_no_nan():
    assert json.loads(as_json_text({"a": [1.5, float("nan")], "b": (float("inf"), None)})) == {
        "a": [1.5, None],
        "b": [None, None],
    }


def test_counts_have_their_plural():
    assert [counted(n, "image") for n in (0, 1, 2000)] == ["0 images", "1 image", "2,000 images"]
