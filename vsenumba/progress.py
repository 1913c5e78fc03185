"""Progress: a bar on a terminal, one line that changes in a notebook, a plain line now and then in a log."""

from __future__ import annotations

import sys
import time
from abc import ABC, abstractmethod
from typing import Any, Self

from vsenumba import html
from vsenumba.printable import printable

# Seconds: a notebook's line changes no more often; a log's first line, and the least between two.
_NOTEBOOK_PAUSE = 0.2
_LOG_START, _LOG_PAUSE = 10.0, 30.0
# Of the time so far, that must pass between two lines of a log: what takes hours fills no pages.
_LOG_SHARE = 0.1


class ProgressLine(ABC):
    """Shows on standard error how far one piece of work is; a context manager.

    Parameters
    ----------
    title : str
        What is being done.
    total : float, optional
        How much there is to do, if known.
    unit : str
        Of what; shown with the count. Left out, no count is shown.
    """

    def __init__(self, title: str, total: float | None = None, unit: str = "") -> None:
        self.title, self.total, self.unit = printable(title), total, unit
        self.done, self.note = 0.0, ""
        self._begun = time.monotonic()
        # How much was done at first, and how much when there was more, and when that was: neither what was known
        # before nor the time that compiling takes says anything of the speed.
        self._known: float | None = None
        self._moving: tuple[float, float] | None = None

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop()

    def update(self, done: float, note: str = "", *, title: str | None = None, total: float | None = None) -> None:
        """Say how much is done, with a note; the title and the total may change."""
        self.done, self.note = done, printable(note)
        self.title = self.title if title is None else printable(title)
        self.total = self.total if total is None else total
        self._known = done if self._known is None else self._known
        if self._moving is None and done > self._known:
            self._moving = done, time.monotonic()
        self._show()

    @property
    def seconds(self) -> float:
        """The seconds since it began."""
        return time.monotonic() - self._begun

    @property
    def share(self) -> float | None:
        """The share that is done, in 0..1, where the total is known."""
        return min(self.done / self.total, 1.0) if self.total else None

    def _line(self, *, over: bool = False) -> str:
        """Return all that is known, in one line without the title."""
        parts = []
        if self.unit and self.total is not None:
            parts.append(f"{self.done:,.0f} of {self.total:,.0f} {self.unit}")
        elif self.share is not None:
            parts.append(f"{self.share:.0%}")
        left = None if over else self._seconds_left()
        parts.append(_clock(self.seconds) + (f", {_clock(left)} left" if left is not None else ""))
        return ", ".join([*parts, *([self.note] if self.note else [])])

    def _seconds_left(self) -> float | None:
        if self._moving is None or not self.total or self.done <= self._moving[0]:
            return None
        rate = (self.done - self._moving[0]) / max(time.monotonic() - self._moving[1], 1e-9)
        return max(self.total - self.done, 0.0) / rate

    @abstractmethod
    def _start(self) -> None: ...

    @abstractmethod
    def _show(self) -> None: ...

    @abstractmethod
    def _stop(self) -> None: ...


class _TerminalBar(ProgressLine):
    """A bar that is taken away in the end."""

    def __init__(self, console: Any, title: str, total: float | None = None, unit: str = "") -> None:
        super().__init__(title, total, unit)
        self._console = console

    def _start(self) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        count = (MofNCompleteColumn(), TextColumn(self.unit, markup=False)) if self.unit else ()
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            *count,
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            console=self._console,
            transient=True,
        )
        self._task = self._progress.add_task(self.title, total=self.total, note="")
        self._progress.start()

    def _show(self) -> None:
        self._progress.update(self._task, description=self.title, total=self.total, completed=self.done, note=self.note)

    def _stop(self) -> None:
        self._progress.stop()


class _NotebookLine(ProgressLine):
    """One output that changes, and stays as the line of what was done."""

    _shown = 0.0

    def _start(self) -> None:
        from IPython.display import display

        self._handle = display(self._bundle(), raw=True, display_id=True)

    def _show(self) -> None:
        if time.monotonic() - self._shown >= _NOTEBOOK_PAUSE:
            self._shown = time.monotonic()
            self._handle.update(self._bundle(), raw=True)

    def _stop(self) -> None:
        self._handle.update(self._bundle(over=True), raw=True)

    def _bundle(self, *, over: bool = False) -> dict[str, str]:
        line = self._line(over=over)
        full = "" if over or self.share is None else f"{html.bar(self.share)} "
        return {
            "text/plain": f"{self.title}: {line}",
            "text/html": f"<div><strong>{html.text(self.title)}</strong> {full}{html.text(line)}</div>",
        }


class _LogLines(ProgressLine):
    """Lines of what takes long, not counting the time before something is done; of what is soon done there is none."""

    _next = _LOG_START

    def _start(self) -> None:
        pass

    def _show(self) -> None:
        since = 0.0 if self._moving is None else time.monotonic() - self._moving[1]
        if since >= self._next:
            self._print(self._line())
            self._next = since + max(_LOG_PAUSE, _LOG_SHARE * since)

    def _stop(self) -> None:
        if self._next > _LOG_START:
            self._print(self._line(over=True))

    def _print(self, line: str) -> None:
        print(f"{self.title}: {line}", file=sys.stderr, flush=True)  # noqa: T201  # a log is what it is for


def progress_line(title: str, total: float | None = None, unit: str = "") -> ProgressLine:
    """Return what shows progress where the program runs: see `ProgressLine`.

    Examples
    --------
    >>> with progress_line("reading", 2, "files") as line:
    ...     line.update(1, "a.txt")
    """
    from rich.console import Console

    console = Console(stderr=True)
    if console.is_jupyter:
        return _NotebookLine(title, total, unit)
    if console.is_terminal:
        return _TerminalBar(console, title, total, unit)
    return _LogLines(title, total, unit)


def _clock(seconds: float) -> str:
    """Return a duration.

    Examples
    --------
    >>> _clock(7.4), _clock(75), _clock(7275)
    ('7 s', '1:15', '2:01:15')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, left = divmod(whole, 60)
    return f"{minutes}:{left:02}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02}:{left:02}"
