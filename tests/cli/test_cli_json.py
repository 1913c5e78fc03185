"""``--json``: one document on stdout and nothing beside it, in JSON that every parser reads."""

from __future__ import annotations

import json
import shlex

import pytest
from command_line import COMMANDS

import vsenumba as vse

TINY = "--epochs 1 --factors 4"
# Of every command that has the option; the last ones have nothing to say a number of.
CALLS = [
    "compare tags.csv --out c --seeds 1 --epochs 1 --factors 4 --sampler uniform --sampler warp",
    "compare tags.csv --out c --seeds 1 --epochs 1 --factors 4 --sampler uniform --by popularity --metric psp@3",
    f"fit tags.csv -o m.h5 {TINY}",
    f"fit tags.csv -o m.h5 {TINY} --hold-out none",
    "evaluate model.h5 tags.csv",
    "evaluate model.h5 tags.csv --by label --metric auc --metric psp@1",
    "annotate model.h5 rose.jpg --labels plant",
    "annotate model.h5 rose.jpg --only garden --least-score 99",
    "find model.h5 cat",
    "find model.h5 cat pet --least-score 99",
    "similar model.h5 --label cat",
    "similar model.h5 --image rose.jpg",
    f"words fit notes.txt -o w.h5 {TINY} --min-count 1",
    "words evaluate words.h5 EN-SIMLEX-999.txt questions-words.txt",
    "words neighbors words.h5 cat dog",
    "words analogy words.h5 man king woman",
    f"retrieval fit pictures.h5 -o r.h5 {TINY} --word-factors 3 --min-count 1",
    "retrieval evaluate retriever.h5 pictures.h5",
    "retrieval search retriever.h5 pictures.h5 car --sheet sheet.png",
    "retrieval search retriever.h5 pictures.h5 --image noto/1f697",
    "data list",
    "data info tags.csv",
    "sampler show adaptive tags.csv --epochs 1",
    "plan tags.csv --factors 4",
    "report model.h5 tags.csv -o report.html",
    "report runs.h5 -o report.html",
    "sidecars photos",
    "info",
    # Nothing to say a number of: no pair is known, no label can be drawn, no image is left.
    "words evaluate words.h5 unknown-pairs.txt unknown-questions.txt",
    "data info empty.h5",
    "annotate model.h5 --labels cat,animal,pet,dog,flower,plant,garden,tree",
    "find all.h5 animal -n 1",
]


def strict(text):
    """Return what a document says, or fail where it is not JSON as the standard has it."""

    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    def once(pairs):
        assert len(dict(pairs)) == len(pairs), "a name stands twice"
        return dict(pairs)

    return json.loads(text, parse_constant=refuse, object_pairs_hook=once)


def test_every_command_with_json_is_called():
    have = {
        " ".join(words)
        for words, command in COMMANDS.items()
        if "as_json" in [parameter.name for parameter in command.params]
    }
    assert have - {"demo", "index"} == {
        name for name in have if any(f"{call} ".startswith(f"{name} ") for call in CALLS)
    }


@pytest.mark.parametrize("call", CALLS)
def test_json_is_one_strict_document(succeeds, folder, call):
    (folder / "unknown-pairs.txt").write_text("gnu\tyak\t1\nemu\tyak\t2\n")
    (folder / "unknown-questions.txt").write_text(": beasts\ngnu yak emu elk\n")
    vse.AnnotationSet.from_lists([["a"], ["a", "b"]]).select_images([]).save("empty.h5")
    document = strict(succeeds(*shlex.split(call), "--json").out)
    assert isinstance(document, (dict, list))
