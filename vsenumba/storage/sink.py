"""The file that HDF5 writes to; it hides write errors from the HDF5 library, which cannot handle them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from types import TracebackType
from typing import Any, Self

from vsenumba.storage.encodings import Stream


class Sink:
    """A file for ``h5py.File(sink, "w")``; a context manager that raises the first write error at its end.

    If a write fails, the HDF5 library keeps the unwritten data and tries again when it closes the file and at the end
    of the process, which may cause a segmentation fault. So a sink records the first error and reports success to the
    library. It then writes nothing more, and raises the error when the library is done.

    Parameters
    ----------
    file : io.FileIO
        Open for reading and writing, empty.
    """

    def __init__(self, file: FileIO) -> None:
        self._file = file
        self._at = 0
        self.failure: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Errors of HDF5 after a failure are useless; an interrupt is not.
        if self.failure is not None and (kind is None or issubclass(kind, Exception)):
            raise self.failure from None

    def watched(self, element: Any) -> Any:
        """Return an element whose blocks, if it has any, stop at the first failure."""
        return dataclasses.replace(element, blocks=self._watched(element)) if isinstance(element, Stream) else element

    def _watched(self, stream: Stream) -> Iterator[Any]:
        for block in stream.blocks:
            if self.failure is not None:
                raise self.failure
            yield block

    # The methods that h5py calls.

    def seek(self, place: int, whence: int = 0) -> int:
        """Go to a position, counted from the beginning, or from the end if `whence` is 2."""
        self._at = place if whence == 0 else self._file.seek(place, whence)
        return self._at

    def tell(self) -> int:
        """Return the position."""
        return self._at

    def write(self, content: Any) -> int:
        """Write all of the content, or record the error."""
        if self.failure is None:
            with self._noting():
                self._file.seek(self._at)
                left = memoryview(content)
                while len(left):
                    left = left[self._file.write(left) :]
        self._at += len(content)
        return len(content)

    def readinto(self, content: Any) -> int:
        """Read written content."""
        self._file.seek(self._at)
        return self._file.readinto(content)

    #: h5py requires this method of a readable file but does not call it.
    read = readinto

    def truncate(self, size: int) -> int:
        """Set the size of the file; HDF5 does this at the end."""
        if self.failure is None:
            with self._noting():
                self._file.truncate(size)
        return size

    def flush(self) -> None:
        """Do nothing, as there is no buffer."""

    @contextmanager
    def _noting(self) -> Iterator[None]:
        try:
            yield
        except BaseException as failure:  # noqa: BLE001 - an interrupt, too, must not reach HDF5
            self.failure = failure
