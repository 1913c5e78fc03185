"""Where suggestions for pictures go, and how tags come back out of sidecars."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import click
import pytest
from PIL import Image

from vsenumba.cli import sheet_options
from vsenumba.cli.sheet_options import Wanted, check_sheets, write_sheets
from vsenumba.data.matches import Match
from vsenumba.errors import InputError
from vsenumba.sheets import Suggested
from vsenumba.sidecars import Packet, tag_sidecars


@pytest.fixture
def suggested(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("new").mkdir()
    made = []
    for i, (known, tags) in enumerate([(["pet"], ["cat", "=1+1"]), ([], ["猫, dog"]), ([], [])]):
        picture = Path("new", f"{i}.png")
        Image.new("RGB", (20, 10), "teal").save(picture)
        made.append(Suggested(picture, picture.name, known, [Match(tag, 0.5) for tag in tags]))
    return made


def files():
    return {path.as_posix(): path.read_bytes() for path in Path().rglob("*") if path.is_file()}


def test_one_pass_writes_everything(suggested, capsys):
    before = files()
    targets = {"sheet": Path("sheet.svg"), "html": Path("sheet.html"), "csv": Path("out.csv")}
    with pytest.warns(UserWarning, match="boxes instead of characters"):
        n_pictures = write_sheets(iter(suggested), **targets, xmp=True, write=True)
    assert n_pictures == 3
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines() == [
        "saved sheet.svg: 3 pictures",
        "saved sheet.html: 3 pictures",
        "saved out.csv: 3 suggestions for 3 pictures",
        "added 3 tags to 2 sidecars (2 new); undo with 'vsenumba sidecars FOLDER --undo'",
    ]
    with Path("out.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [
            ["image", "label", "score"],
            ["0.png", "cat", "0.5000"],
            ["0.png", "=1+1", "0.5000"],
            ["1.png", "猫, dog", "0.5000"],
        ]
    assert "<bdi>猫, dog</bdi>" in Path("sheet.html").read_text(encoding="utf-8")
    assert Packet.read(Path("new/1.png.xmp")).tags == ["猫, dog"]
    assert {name: files()[name] for name in before} == before
    write_sheets(suggested, csv=Path("out.csv"), excel=True)
    assert Path("out.csv").read_bytes().startswith(b"\xef\xbb\xbfimage")
    assert "'=1+1" in Path("out.csv").read_text(encoding="utf-8")


def test_sidecars_are_shown_first_and_written_when_asked(suggested, capsys, run):
    before = files()
    write_sheets(suggested, xmp=True)
    printed = capsys.readouterr()
    assert printed.out.splitlines() == ["new/0.png.xmp: cat, =1+1", "new/1.png.xmp: 猫, dog"]
    assert printed.err.splitlines() == [
        "would add 3 tags to 2 sidecars (2 new)",
        "no sidecar was changed; run again with --write to change them",
    ]
    assert files() == before
    Path("new/0.png.xmp").write_bytes(Packet().with_tags(["cat"]).replace(b"vsenumba:ns:1.0/", b"urn:another"))
    mine = files()
    write_sheets(suggested, xmp=True, write=True)
    assert "added 2 tags to 2 sidecars (1 new)" in capsys.readouterr().err
    write_sheets(suggested, xmp=True, write=True)
    assert capsys.readouterr().err == "added 0 tags to 0 sidecars\n"
    shown = run("sidecars", "new")
    assert shown.out.splitlines() == ["new/0.png.xmp: =1+1", "new/1.png.xmp: 猫, dog"]
    assert shown.err == "2 tags added by vsenumba; remove them with --undo\n"
    assert json.loads(run("sidecars", "new/1.png", "--json").out) == [
        {"sidecar": "new/1.png.xmp", "tags": ["猫, dog"], "problem": None}
    ]
    assert run("sidecars", "new", "--undo") == (
        0, "", "removed 2 tags from 2 sidecars (1 deleted)\n",
    )  # fmt: skip
    assert files() == mine
    assert run("sidecars", "new").err == "no tags added by vsenumba\n"


def test_what_is_left_alone_is_named(suggested, capsys, run):
    Path("new/0.png.xmp").write_bytes(b"broken")
    write_sheets(suggested, xmp=True, write=True)
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("skipped: cannot use new/0.png.xmp: it is not well-formed XML")
    assert second.startswith("added 1 tag to 1 sidecar (1 new)")
    Path("new/1.png.xmp").write_bytes(b"broken vsenumba:ns:1.0/")
    with pytest.raises(InputError, match="no sidecar could be changed; 2 had problems"):
        write_sheets(suggested * 1, xmp=True, write=True)
    capsys.readouterr()
    assert run("sidecars", "new").err.startswith("skipped: cannot use new/1.png.xmp")
    outcome = run("sidecars", "new", "--undo")
    assert (outcome.status, outcome.out) == (1, "")
    assert run("sidecars", "old").err == "error: old does not exist\n"
    assert run("sidecars", "new", "--undo", "--json").status == 2
    for i in range(9):
        Path(f"new/x{i}.xmp").write_bytes(b"broken vsenumba:ns:1.0/")
    assert "skipped: 5 more" in run("sidecars", "new", "--undo").err


def test_a_name_cannot_steer_the_terminal(tmp_path, run, monkeypatch):
    monkeypatch.chdir(tmp_path)
    list(tag_sidecars([(Path("a\x1b[31m.jpg"), ["\u202eb"])], write=True))
    assert run("sidecars", ".").out == "a\\x1b[31m.jpg.xmp: \\u202eb\n"


def test_a_picture_is_never_overwritten(suggested):
    before = files()
    with pytest.raises(InputError, match=r"cannot write new/2\.png: it is one of the pictures"):
        write_sheets(suggested, html=Path("sheet.html"), sheet=Path("new/2.png"))
    assert files() == before


@click.command()
@sheet_options.sheet_options
def asking():
    asked = sheet_options.wanted()
    check_sheets(asked, "model.h5")
    asking.asked = asked


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], Wanted()),
        (
            ["--sheet", "a.png", "--html", "b.html", "--csv", "c.csv"],
            Wanted(Path("a.png"), Path("b.html"), Path("c.csv")),
        ),
        (["--xmp"], Wanted(xmp=True)),
        (["--xmp", "--write"], Wanted(xmp=True, write=True)),
        (["--xmp", "--undo"], Wanted(xmp=True, undo=True)),
        (["--write"], "--write requires --xmp"),
        (["--undo"], "--undo requires --xmp"),
        (["--xmp", "--undo", "--csv", "c.csv"], "--undo cannot be combined"),
        (["--sheet", "a.jpg"], "use one of .png, .svg, .pdf"),
        (["--html", "a.png"], "use a name ending in .html"),
        (["--html", "a.html", "--csv", "./a.html"], "is given for two of"),
        (["--csv", "nowhere/a.csv"], "there is no folder nowhere"),
        (["--csv", "model.h5"], "it is also an input file"),
    ],
)
def test_the_options_are_checked_before_the_work(tmp_path, monkeypatch, words, expected):
    monkeypatch.chdir(tmp_path)
    Path("model.h5").touch()
    if isinstance(expected, str):
        with pytest.raises((click.UsageError, InputError)) as error:
            asking.main(words, standalone_mode=False)
        assert expected in str(error.value)
    else:
        asking.main(words, standalone_mode=False)
        assert asking.asked == expected
        assert bool(asking.asked) == bool(words)
    assert [path.name for path in Path().iterdir()] == ["model.h5"]
