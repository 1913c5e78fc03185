"""The progress line for reading text."""

from __future__ import annotations

import time
from typing import Self


class ReadingProgress:
    """Shows the number of words read and the words per second if stderr is a terminal; a context manager."""

    def __enter__(self) -> Self:
        from rich.console import Console
        from rich.progress import Progress, SpinnerColumn, TextColumn

        console = Console(stderr=True)
        self._bar = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), console=console, transient=True,
            disable=not console.is_terminal,
        )  # fmt: skip
        self._task = self._bar.add_task("reading", total=None)
        self._started = time.perf_counter()
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def show(self, n_words: int, n_files: int) -> None:
        """Update the line; for the argument `progress` of `Corpus.from_text`."""
        rate = n_words / max(time.perf_counter() - self._started, 1e-9)
        self._bar.update(
            self._task, description=f"reading: {n_words:,} words, {rate / 1e6:.1f} million words/s, file {n_files + 1}"
        )
