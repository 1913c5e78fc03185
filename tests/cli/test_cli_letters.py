"""What the command line prints and writes: UTF-8 in files and pipes, nothing that steers a terminal, safe tables."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from command_line import ENVIRONMENT, SMALL, in_a_process

import vsenumba as vse
from vsenumba.cli.app import cli
from vsenumba.cli.csv_table import write_csv
from vsenumba.printable import printable
from vsenumba.training import ProgressBar

ODD = {
    "letters": "schön 猫 Ωé",
    "colour": "\x1b[31mred\x1b[0m",
    "title": "\x1b]0;gone\x07",
    "turned": "\u202egnp.exe\u2066",
    "two lines": "one\ntwo\rthree",
    "c1": "\x9b31mred",
    "markup": "[red]x[/red] $x^2$",
    "formula": "=HYPERLINK(1)",
}
STEERING = {*map(chr, range(32)), *map(chr, range(127, 160)), *"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"}


@pytest.fixture(scope="module")
def odd_model(tmp_path_factory):
    path = tmp_path_factory.mktemp("odd") / "odd.h5"
    names = list(ODD.values())
    lists = {f"{name}.jpg": [name, names[(i + 1) % len(names)]] for i, name in enumerate(names)}
    data = vse.AnnotationSet.from_lists(list(lists.values()), image_ids=list(lists))
    data.save(path.with_name("set.h5"))
    vse.PopularityAnnotator().fit(data).save(path)
    return path


@pytest.fixture
def printed(monkeypatch):
    """Run a command, and return the bytes that it prints to a stream of an encoding, with CR and LF at line ends."""

    def printed(*words, encoding="ascii", terminal=False, status=0):
        streams = []
        for name in ("stdout", "stderr"):
            stream = io.TextIOWrapper(io.BytesIO(), encoding, newline="\r\n", write_through=True)
            monkeypatch.setattr(stream, "isatty", lambda: terminal, raising=False)
            monkeypatch.setattr(sys, name, stream)
            streams.append(stream)
        with pytest.raises(SystemExit) as stop:
            cli.main([str(word) for word in words], prog_name="vsenumba")
        assert int(stop.value.code or 0) == status
        return tuple(stream.buffer.getvalue() for stream in streams)

    return printed


def rows_of(text):
    return list(csv.reader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_redirected_output_is_utf_8_with_plain_line_feeds(encoding, odd_model, printed):
    """Found 2026-11: é as one byte, 猫 as an escape, in the table of ``annotate --all``."""
    out, _ = printed("annotate", odd_model, "--all", "-n", 3, encoding=encoding)
    rows = rows_of(out.decode())
    assert {row[0] for row in rows[1:]} == {f"{name}.jpg" for name in ODD.values()}
    assert {row[1] for row in rows[1:]} <= set(ODD.values())
    assert b"\r\n" not in out
    out, _ = printed("data", "info", odd_model.with_name("set.h5"), encoding=encoding)
    assert ODD["letters"].encode() in out
    out, _ = printed("find", odd_model, ODD["letters"], "--json", encoding=encoding)
    assert json.loads(out.decode())["labels"] == [ODD["letters"]]
    _, err = printed("find", odd_model, "schön", encoding=encoding, status=1)
    assert ODD["letters"].encode() in err


def test_a_process_in_another_language(odd_model):
    environment = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run(
        [sys.executable, "-m", "vsenumba", "data", "info", odd_model.with_name("set.h5")],
        capture_output=True, check=True, env=ENVIRONMENT | environment,
    )  # fmt: skip
    assert ODD["letters"] in done.stdout.decode()


def test_the_help_can_be_read_in_ascii(printed):
    out, _ = printed("retrieval", "import", "--help")
    assert "VSE∞" in out.decode()


COMMANDS = [
    ["annotate", "odd.h5", *(f"{name}.jpg" for name in ODD.values())],
    ["find", "odd.h5", ODD["colour"], "--include-known"],
    ["annotate", "odd.h5", "--labels", ODD["colour"]],
    ["annotate", "odd.h5", "--all"],
    ["annotate", "odd.h5", "--all", "--excel"],
    ["data", "info", "set.h5"],
]
ERRORS = [
    ["annotate", "odd.h5", ODD["colour"]],
    ["find", "odd.h5", ODD["colour"] + "x"],
    ["find", "\x1b[31mno\r.h5", "cat"],
    ["data", ODD["title"]],
    ["fit", "set.h5", "-o", "no\x1b[31m/m.h5"],
    ["fit", "set.h5", "-o", "m.h5", f"--{ODD['turned']}"],
]


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: printable(" ".join(words)))
@pytest.mark.parametrize("terminal", [True, False])
def test_no_name_steers_a_terminal(words, terminal, odd_model, printed, monkeypatch):
    """Found 2026-11: labels with escape sequences were printed raw; whole lines could be made up."""
    monkeypatch.chdir(odd_model.parent)
    out, err = printed(*words, encoding="utf-8", terminal=terminal)
    text = out.decode().replace("\r\n", "\n")
    # The headers of tables are bold on a terminal.
    text = text.replace("\x1b[1m", "").replace("\x1b[0m", "") if terminal else text
    if "--all" in words and not terminal:  # data for other programs
        assert {row[1].removeprefix("'") for row in rows_of(text)[1:]} <= set(ODD.values())
    else:
        assert STEERING & set(text) == {"\n"}
        assert "\ntwo" not in text
    assert err == b""


@pytest.mark.parametrize("words", ERRORS, ids=lambda words: printable(" ".join(words[:3])))
def test_no_name_in_an_error_steers_a_terminal(words, odd_model, printed, monkeypatch):
    monkeypatch.chdir(odd_model.parent)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["vsenumba"])
        out, err = printed(
            *words, encoding="utf-8", terminal=True, status=2 if words[0] == "data" or words[-1][0] == "-" else 1
        )
    assert out == b""
    assert STEERING & set(err.decode().replace("\r\n", "\n")) == {"\n"}


def test_warnings_steer_no_terminal(printed, monkeypatch):
    def warn(text):
        warnings.simplefilter("always")
        warnings.warn("\x1b[31mred", stacklevel=1)

    monkeypatch.setattr("vsenumba.cli.data.catalogue.say", warn)
    _, err = printed("data", "list", encoding="utf-8", terminal=True)
    assert err == b"warning: \\x1b[31mred\r\n"


def test_json_steers_no_terminal(printed, tmp_path):
    vse.AnnotationSet.from_lists([["\x7fdel", "\x9bc1", "\u202eturned"]]).save(tmp_path / "set.h5")
    out, _ = printed("data", "info", tmp_path / "set.h5", "--json", terminal=True)
    assert STEERING & set(out.decode("ascii").replace("\r\n", "\n")) == {"\n"}
    assert {one["label"] for one in json.loads(out)["frequent"]} == {"\x7fdel", "\x9bc1", "\u202eturned"}


def test_letters_that_a_terminal_lacks_are_escapes(odd_model, printed):
    out, err = printed("data", "info", odd_model.with_name("set.h5"), encoding="latin-1", terminal=True)
    assert "schön \\u732b \\u03a9é".encode("latin-1") in out
    out, _ = printed("data", "info", odd_model.with_name("set.h5"), encoding="ascii", terminal=True)
    assert b"sch\\xf6n \\u732b" in out
    out, _ = printed("annotate", odd_model, "--all", encoding="ascii", terminal=True)
    assert b"sch\\xf6n \\u732b" in out
    _, err = printed("find", odd_model, "schön", encoding="ascii", terminal=True, status=1)
    assert b"sch\\xf6n" in err


def test_markup_is_text_in_progress_lines(monkeypatch):
    from rich.console import Console

    shown = io.StringIO()

    def console(**settings):
        return Console(file=shown, force_terminal=True, width=200)

    monkeypatch.setattr("rich.console.Console", console)
    bar = ProgressBar(title="[red]x[/red] \x1b[31m")
    bar.start(None, 2)
    bar.after_epoch(None, {"steps": 1, "seconds": 1.0, "loss": 0.5, "learning_rate": 0.1, "[/b]": 0.5})
    bar._line._progress.refresh()
    bar.finish(None)
    assert "[red]x[/red] \\x1b[31m" in shown.getvalue()
    assert "[/b] 0.500" in shown.getvalue()


class TestTables:
    def test_annotate_writes_to_a_file(self, succeeds, folder):
        shown = succeeds("annotate", "model.h5", "--all", "-n", 2).out
        outcome = succeeds("annotate", "model.h5", "--all", "-n", 2, "-o", "s.csv")
        assert Path("s.csv").read_bytes() == shown.encode()
        assert (outcome.out, outcome.err.count("\n")) == ("", 1)
        assert outcome.err.startswith("saved s.csv: 12 suggestions for 6 images")

    def test_find_writes_to_a_file(self, succeeds, folder):
        outcome = succeeds("find", "model.h5", "plant", "-o", "f.csv", "--include-known")
        rows = rows_of(Path("f.csv").read_text(encoding="utf-8"))
        found = json.loads(succeeds("find", "model.h5", "plant", "--json", "--include-known").out)["images"]
        assert rows == [["image", "score"], *([one["name"], f"{one['score']:.4f}"] for one in found)]
        assert outcome == (0, "", f"saved f.csv: {len(found)} images\n")

    @pytest.mark.skipif(os.name != "posix", reason="devices of POSIX")
    def test_a_table_is_written_through_a_device(self, odd_model, succeeds, tmp_path):
        done = in_a_process("annotate", str(odd_model), "--all", "-o", "/dev/stdout")
        assert done.status == 0
        assert done.out.startswith("image,label,score\n")
        try:
            os.mknod(tmp_path / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        except PermissionError:
            pytest.skip("only root makes devices")
        succeeds("find", odd_model, ODD["letters"], "-o", tmp_path / "null")
        assert stat.S_ISCHR((tmp_path / "null").stat().st_mode)

    def test_all_names_come_back(self, odd_model, succeeds, tmp_path):
        path = tmp_path / "s.csv"
        succeeds("annotate", odd_model, "--all", "-n", 50, "-o", path)
        with path.open(encoding="utf-8", newline="") as file:
            images = {row[0] for row in csv.reader(file)}
        assert images == {"image", *(f"{name}.jpg" for name in ODD.values())}

    @pytest.mark.parametrize("command", ["annotate", "find"])
    def test_spreadsheets_take_no_name_for_a_formula(self, command, tmp_path, succeeds):
        path = tmp_path / "s.csv"
        words = ("--all",) if command == "annotate" else ("plain", "--include-known")
        data = vse.AnnotationSet.from_lists([["plain"], ["=b"], ["plain", "=b"]], image_ids=["=i", "-1", "x"])
        vse.PopularityAnnotator().fit(data).save(tmp_path / "p.h5")
        succeeds(command, tmp_path / "p.h5", *words, "--excel", "-o", path)
        assert path.read_bytes().startswith(b"\xef\xbb\xbfimage,")
        rows = rows_of(path.read_text(encoding="utf-8-sig"))
        names = [cell for row in rows[1:] for cell in row[:-1]]
        assert {"'=i", "'-1"} <= set(names)
        assert not any(name.startswith(("=", "-")) for name in names)

    def test_apostrophes_are_before_names_and_not_before_scores(self):
        formulas = ["=1+1", "+1", "-1", "@a", "\t=1", "\r=1", "\n=1", "＝1"]
        with pytest.MonkeyPatch.context() as patch:
            stream = io.TextIOWrapper(io.BytesIO(), "utf-8", newline="\n", write_through=True)
            patch.setattr(sys, "stdout", stream)
            assert write_csv(("a", "b"), ((name, -0.5) for name in [*formulas, "a=b"]), None, excel=True) == 9
        rows = rows_of(stream.buffer.getvalue().decode("utf-8-sig"))
        assert [row[0] for row in rows[1:]] == [*(f"'{name}" for name in formulas), "a=b"]
        assert {row[1] for row in rows[1:]} == {"-0.5000"}

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            ("annotate model.h5 oak.jpg -o a.csv", "-o and --excel require --all or --set"),
            ("annotate model.h5 oak.jpg --excel", "-o and --excel require --all or --set"),
            ("find model.h5 cat --excel", "--excel requires -o"),
            ("find model.h5 cat -o a.csv --json", "-o and --json cannot be combined"),
        ],
    )
    def test_options_that_do_not_go_together(self, words, message, fails):
        assert message in fails(*words.split(), status=2)


@pytest.mark.skipif(os.name != "posix", reason="pipes with names are of POSIX")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("fit tags.csv -o pipe.h5", "cannot write pipe.h5: it is a pipe; give the name of a regular file"),
        ("fit tags.csv -o m.h5/", "cannot write m.h5/: only a folder's name ends in '/'"),
        ("data import tags.csv -o m.h5/.", "cannot write m.h5/.: only a folder's name ends in '.'"),
        ("words fit notes.txt -o w.h5 --corpus pipe.h5", "cannot write pipe.h5: it is a pipe"),
        ("plot runs.h5 -o pipe.png", "cannot write pipe.png: it is a pipe"),
        ("export model.h5 -o pipe.npz", "cannot write pipe.npz: it is a pipe"),
        ("sampler show uniform --model model.h5 -o pipe.png", "cannot write pipe.png: it is a pipe"),
        ("retrieval search retriever.h5 pictures.h5 car --sheet pipe.png", "cannot write pipe.png: it is a pipe"),
        ("compare tags.csv --out piped --force", "cannot write piped/runs.h5: it is a pipe"),
        ("annotate model.h5 --all -o model.h5", "it is also an input file"),
    ],
)
def test_commands_refuse_what_is_no_file_before_the_work(words, message, fails, folder):
    for ending in (".h5", ".png", ".npz"):
        os.mkfifo(f"pipe{ending}")
    Path("piped").mkdir()
    os.mkfifo("piped/runs.h5")
    assert message in fails(*words.split())


def test_a_full_disk_is_one_line_at_the_end_of_a_process(folder):
    """Found 2026-11: an error line with HDF5's addresses, and then a segmentation fault."""
    code = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4_000, resource.RLIM_INFINITY))\n"
        "from vsenumba.cli import main\nmain()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "fit", "tags.csv", "-o", "model.h5", *SMALL],
        capture_output=True, text=True, check=False,
        env=ENVIRONMENT | {"VSENUMBA_CACHE": "0", "NUMBA_DISABLE_JIT": "1"},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: cannot write model.h5: File too large\n"
    assert not list(folder.glob(".*"))


def test_a_terminal_says_that_a_large_table_is_being_read(printed, tmp_path, monkeypatch):
    """Found 2026-11: a table of many megabytes was read for a minute without a word."""
    monkeypatch.setattr("vsenumba.cli.options._MOMENT", 10)
    monkeypatch.setenv("TERM", "xterm")
    path = tmp_path / "[bold]\x1b[31m.csv"
    path.write_text("image,tag\na,b\na,c\n")
    out, err = printed("data", "info", path, encoding="utf-8", terminal=True)
    # Where the terminal breaks the line depends on how long the folder's name is.
    assert b"[bold]\\x1b[31m.csv,0MB" in b"".join(err.split())
    assert b"images" in out
    assert printed("data", "info", path, encoding="utf-8")[1] == b""


def test_nothing_is_written_before_the_first_row_is_found(capsys):
    """Found 2026-11: an unknown label was refused after the header of the table was on the screen."""

    def rows():
        raise vse.InputError("no such label")
        yield

    with pytest.raises(vse.InputError):
        write_csv(("image", "label"), rows(), None, excel=True)
    assert capsys.readouterr().out == ""
    assert write_csv(("image", "label"), [], None, excel=False) == 0
    assert capsys.readouterr().out == "image,label\n"


@pytest.mark.skipif(os.name != "posix", reason="a terminal of its own")
def test_a_table_that_is_written_to_a_terminal_does_not_steer_it(odd_model, printed):
    """Found 2026-11: with ``-o /dev/stdout`` names stood there as they are."""
    import pty

    terminal, end = pty.openpty()
    printed("annotate", odd_model, "--all", "-n", 1, "-o", os.ttyname(end))
    written = os.read(terminal, 1 << 16)
    os.close(end)
    os.close(terminal)
    assert written.startswith(b"image,label,score")
    assert b"\x1b" not in written
    assert b"\\x1b" in written
