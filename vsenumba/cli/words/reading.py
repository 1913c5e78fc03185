"""The progress line for reading text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from vsenumba.progress import progress_line


@contextmanager
def reading_progress() -> Iterator[Callable[[int, int], None]]:
    """Yield a function that shows the words read and their rate; for the argument `progress` of `Corpus.from_text`."""
    with progress_line("reading") as line:

        def show(n_words: int, n_files: int) -> None:
            rate = n_words / max(line.seconds, 1e-9)
            line.update(n_words, f"{n_words:,} words, {rate / 1e6:.1f} million words/s, file {n_files + 1}")

        yield show
