"""The file that HDF5 writes to: a failure of the system stays out of the HDF5 library, which cannot cope with it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from types import TracebackType
from typing import Any, Self

from vsenumba.storage.encodings import Stream


class Sink:
    """A file for ``h5py.File(sink, "w")``; a context manager that raises what went wrong with it.

    When a write fails, the HDF5 library keeps what it could not write, tries again while it closes the file and at the
    end of the process, and may end in a segmentation fault. So a sink notes the first failure and lets the library go
    on as if all were well; nothing is written any more, and the failure is raised when the library is done.

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
        # What HDF5 says after a failure is of no use; an interrupt is.
        if self.failure is not None and (kind is None or issubclass(kind, Exception)):
            raise self.failure from None

    def watched(self, element: Any) -> Any:
        """Return an element of a file whose blocks, if it has such, end with the first failure."""
        return dataclasses.replace(element, blocks=self._watched(element)) if isinstance(element, Stream) else element

    def _watched(self, stream: Stream) -> Iterator[Any]:
        for block in stream.blocks:
            if self.failure is not None:
                raise self.failure
            yield block

    # What h5py calls.

    def seek(self, place: int, whence: int = 0) -> int:
        """Go to a place, counted from the beginning, or from the end where `whence` is 2."""
        self._at = place if whence == 0 else self._file.seek(place, whence)
        return self._at

    def tell(self) -> int:
        """Return the place."""
        return self._at

    def write(self, content: Any) -> int:
        """Write all of it, or note why that cannot be."""
        if self.failure is None:
            with self._noting():
                self._file.seek(self._at)
                left = memoryview(content)
                while len(left):
                    left = left[self._file.write(left) :]
        self._at += len(content)
        return len(content)

    def readinto(self, content: Any) -> int:
        """Read what was written."""
        self._file.seek(self._at)
        return self._file.readinto(content)

    #: Of a file that can be read, too, h5py asks for this; it does not call it.
    read = readinto

    def truncate(self, size: int) -> int:
        """Give the file its size, which HDF5 does at the end."""
        if self.failure is None:
            with self._noting():
                self._file.truncate(size)
        return size

    def flush(self) -> None:
        """Do nothing: there is no buffer."""

    @contextmanager
    def _noting(self) -> Iterator[None]:
        try:
            yield
        except BaseException as failure:  # noqa: BLE001 - an interrupt, too, must not reach HDF5
            self.failure = failure
