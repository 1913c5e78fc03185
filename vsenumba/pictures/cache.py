"""A cache file for the vectors of pictures.

The file starts with a line that names its format. Parts follow, which are appended as they are computed. Each part has
a checksum and contains the ids and stamps of pictures, the backbone, and the vectors. If a process is killed while it
writes, only the last part is lost. You can delete the file at any time: the vectors are then computed again.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from vsenumba.data.backbone_id import BackboneId
from vsenumba.errors import InputError
from vsenumba.storage import check_writable, named_errors, open_output

_MAGIC = b"vsenumba pictures 1\n"
_PART = struct.Struct("<4sQQI")  # a mark, the sizes of the head and the vectors in bytes, the checksum of both
_MARK = b"PART"
_DTYPES = ("uint8", "float16", "float32")
# `tidy` rewrites the file if at least this many bytes, and as many as are still used, are unused.
_WORTH_IT = 1 << 20

Stamp = tuple[int, int]


class _Part(NamedTuple):
    begin: int
    end: int
    backbone: BackboneId
    pictures: list[tuple[str, Stamp]]
    vectors: np.ndarray | None


class PictureCache:
    """A cache file with vectors of pictures.

    Use it as a context manager, which locks the file for other processes.

    Parameters
    ----------
    path : str or path-like
        The file, which may not exist yet.
    backbone : BackboneId
        The backbone whose vectors to use. Vectors of other backbones stay in the file.

    Raises
    ------
    InputError
        If the file is not a cache, cannot be written, or is in use.
    """

    def __init__(self, path: str | PathLike[str], backbone: BackboneId) -> None:
        self.path = Path(path)
        self.backbone = backbone
        self._rows: dict[str, tuple[Stamp, np.ndarray]] = {}
        self._n_replaced = 0  # bytes of vectors that a newer vector of the same picture replaced
        self._file: BinaryIO | None = None

    def __enter__(self) -> PictureCache:
        check_writable(self.path)
        with named_errors(self.path):
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
            self._file = os.fdopen(descriptor, "r+b")
        try:
            self._lock(self._file)
            self._read(self._file)
        except BaseException:
            self._file.close()
            raise
        return self

    def __exit__(self, *raised: object) -> None:
        assert self._file is not None  # noqa: S101 - for type checkers
        with suppress(OSError):
            if self._file.seek(0, os.SEEK_END) <= len(_MAGIC):  # nothing was computed
                self.path.unlink()
        self._file.close()
        self._file = None

    def _lock(self, file: BinaryIO) -> None:
        try:
            import fcntl
        except ImportError:  # Windows
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(f"{self.path} is in use by another run; wait until that run ends") from error
        except OSError:  # a file system without locks
            return

    def _read(self, file: BinaryIO) -> None:
        head = file.read(len(_MAGIC))
        if head != _MAGIC:
            if not _MAGIC.startswith(head):
                raise InputError(f"{self.path} exists but is not a cache of vsenumba; move it away")
            self._append(file, 0, _MAGIC)  # the file is new, or ends within the first line
            return
        end = len(_MAGIC)
        for part in self._parts(file):
            end = part.end
            if part.vectors is not None:
                self._keep(part.pictures, part.vectors)
        file.truncate(end)
        file.seek(end)

    def _parts(self, file: BinaryIO) -> Iterator[_Part]:
        """Yield the undamaged parts; those of other backbones come without their vectors."""
        n_bytes, begin = os.fstat(file.fileno()).st_size, len(_MAGIC)
        while begin + _PART.size <= n_bytes:
            file.seek(begin)
            mark, n_head, n_data, checksum = _PART.unpack(file.read(_PART.size))
            end = begin + _PART.size + n_head + n_data
            if mark != _MARK or end > n_bytes:
                return
            content = file.read(n_head + n_data)
            if zlib.crc32(content) == checksum and (part := self._part(content, n_head, begin, end)) is not None:
                yield part
            begin = end

    def _part(self, content: bytes, n_head: int, begin: int, end: int) -> _Part | None:
        try:
            head = json.loads(content[:n_head])
            backbone = BackboneId(*map(str, head["backbone"]))
            pictures = [(str(image), (int(size), int(time))) for image, size, time in head["pictures"]]
            if head["dtype"] not in _DTYPES:
                return None
            vectors = np.frombuffer(content, head["dtype"], offset=n_head).reshape(len(pictures), head["width"])
        except (ValueError, KeyError, TypeError):
            return None
        mine = backbone == self.backbone and np.isfinite(vectors).all()
        return _Part(begin, end, backbone, pictures, vectors if mine else None)

    def _keep(self, pictures: Sequence[tuple[str, Stamp]], vectors: np.ndarray) -> None:
        for (image, stamp), vector in zip(pictures, vectors, strict=True):
            self._n_replaced += vector.nbytes if image in self._rows else 0
            self._rows[image] = stamp, vector

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, image: str, stamp: Stamp) -> np.ndarray | None:
        """Return the vector of a picture; None if it is not in the cache or the picture has changed."""
        found = self._rows.get(image)
        return found[1] if found is not None and found[0] == stamp else None

    def add(self, images: Sequence[str], stamps: Sequence[Stamp], vectors: np.ndarray) -> None:
        """Append a part, and return when it is on disk.

        Raises
        ------
        InputError
            If the part cannot be written, for example because the disk is full. The earlier parts stay.
        """
        assert self._file is not None  # noqa: S101 - likewise
        pictures = list(zip(images, stamps, strict=True))
        with named_errors(self.path):
            place = self._file.seek(0, os.SEEK_END)
            self._append(self._file, place, _part_bytes(self.backbone, pictures, vectors))
        self._keep(pictures, vectors)

    def _append(self, file: BinaryIO, place: int, content: bytes) -> None:
        with named_errors(self.path):
            try:
                file.seek(place)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            except BaseException:
                with suppress(OSError):
                    file.truncate(place)
                raise

    def tidy(self, images: Sequence[str]) -> None:
        """Rewrite the file if much of it belongs to pictures not in `images`, or to older versions of them."""
        assert self._file is not None  # noqa: S101 - likewise
        wanted = set(images)
        gone = [one for image, (_, one) in self._rows.items() if image not in wanted]
        n_unused = self._n_replaced + sum(one.nbytes for one in gone)
        n_kept = sum(one.nbytes for image, (_, one) in self._rows.items() if image in wanted)
        if n_unused < max(n_kept, _WORTH_IT):
            return
        with open_output(self.path) as new:
            new.write(_MAGIC)
            for part in self._parts(self._file):
                if part.backbone != self.backbone:
                    self._file.seek(part.begin)
                    new.write(self._file.read(part.end - part.begin))
            kept = [(image, stamp) for image, (stamp, _) in self._rows.items() if image in wanted]
            for start in range(0, len(kept), 1024):
                some = kept[start : start + 1024]
                new.write(_part_bytes(self.backbone, some, np.stack([self._rows[image][1] for image, _ in some])))


def _part_bytes(backbone: BackboneId, pictures: Sequence[tuple[str, Stamp]], vectors: np.ndarray) -> bytes:
    head: dict[str, Any] = {
        "backbone": list(backbone),
        "dtype": vectors.dtype.name,
        "width": vectors.shape[1],
        "pictures": [[image, *stamp] for image, stamp in pictures],
    }
    content = json.dumps(head).encode()
    n_head = len(content)
    content += np.ascontiguousarray(vectors).tobytes()
    return _PART.pack(_MARK, n_head, len(content) - n_head, zlib.crc32(content)) + content
