"""Progress on a terminal, in a log, and in a notebook, of which `tests/notebook` has a real one."""

from __future__ import annotations

import io
import sys
import types

import pytest

from vsenumba import progress


class Clock:
    """Seconds that pass when a test says so."""

    now = 100.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


class TestLog:
    def followed(self, clock, seconds, total=100.0, step=1.0, prepared=0.0):
        with progress.progress_line("training", total, "epochs") as line:
            line.update(0, "preparing")
            clock.now += prepared
            for second in range(int(seconds / step)):
                clock.now += step
                line.update((second + 1) * step * 100.0 / seconds, "note")

    def test_short_work_prints_nothing(self, clock, capsys):
        self.followed(clock, 9)
        # As compiling takes its time.
        self.followed(clock, 9, prepared=60.0)
        assert capsys.readouterr() == ("", "")

    def test_long_work_prints_a_line_now_and_then(self, clock, capsys):
        self.followed(clock, 100)
        out, err = capsys.readouterr()
        assert out == ""
        assert err.splitlines() == [
            "training: 11 of 100 epochs, 11 s, 1:29 left, note",
            "training: 41 of 100 epochs, 41 s, 59 s left, note",
            "training: 71 of 100 epochs, 1:11, 29 s left, note",
            "training: 100 of 100 epochs, 1:40, note",
        ]

    def test_very_long_work_fills_no_pages(self, clock, capsys):
        self.followed(clock, 24 * 3600, step=5)
        lines = capsys.readouterr().err.splitlines()
        assert 20 < len(lines) < 100
        assert lines[-1].startswith("training: 100 of 100 epochs, 24:00:00")

    def test_what_has_no_total_has_no_end(self, clock, capsys):
        with progress.progress_line("reading \x1b[31m") as line:
            line.update(1)
            line.update(2)
            clock.now += 11
            line.update(5, "5 words\n")
        assert capsys.readouterr().err.splitlines() == ["reading \\x1b[31m: 11 s, 5 words\\n"] * 2

    def test_what_was_known_before_says_nothing_of_the_speed(self, clock, capsys):
        with progress.progress_line("pictures", 100) as line:
            line.update(90)
            line.update(91)
            clock.now += 20
            line.update(95)
        assert capsys.readouterr().err.splitlines()[0] == "pictures: 95%, 20 s, 25 s left"


def test_a_terminal_has_a_bar_that_is_taken_away(monkeypatch):
    from rich.console import Console

    shown = io.StringIO()
    monkeypatch.setattr("rich.console.Console", lambda **settings: Console(file=shown, force_terminal=True, width=120))
    with progress.progress_line("[red]x[/red]", 4, "files") as line:
        line.update(3, "[/b]", title="[b]y", total=5)
        line._progress.refresh()
    assert "[b]y" in shown.getvalue()
    assert "3/5\x1b[0m files" in shown.getvalue()
    assert "[/b]" in shown.getvalue()
    # Cursor up, and the line erased.
    assert shown.getvalue().rstrip("\n").endswith("\x1b[2K")


def test_a_notebook_has_one_output_that_changes_now_and_then(monkeypatch, clock, capsys):
    bundles = []

    def display(bundle, *, raw, display_id):
        assert raw
        assert display_id is True
        bundles.append(bundle)
        return types.SimpleNamespace(update=lambda bundle, raw: bundles.append(bundle))

    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", types.SimpleNamespace(display=display))
    monkeypatch.setattr("rich.console.Console.is_jupyter", True, raising=False)
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    with progress.progress_line("<b>", 1000, "steps") as line:
        for done in range(1000):
            clock.now += 0.01
            line.update(done + 1, "a & b")
    assert 40 < len(bundles) < 60
    assert bundles[25]["text/html"].startswith("<div><strong>&lt;b&gt;</strong> <span")
    assert bundles[-1]["text/plain"] == "<b>: 1,000 of 1,000 steps, 10 s, a & b"
    assert bundles[-1]["text/html"] == "<div><strong>&lt;b&gt;</strong> 1,000 of 1,000 steps, 10 s, a &amp; b</div>"
    assert capsys.readouterr() == ("", "")
