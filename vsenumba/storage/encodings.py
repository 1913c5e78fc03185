"""The encoding of elements in an HDF5 file: one encoder per type of element.

An encoder writes an element, reads it back, and computes its checksum, which covers the element's type, shape and
content. The checksum of a group covers the names and checksums of its members, so the checksum of the root covers the
whole file. To add a type of element, add a class and a line in `ENCODINGS`.
"""

from __future__ import annotations

import itertools
import json
import zlib
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from vsenumba.errors import FileFormatError, InputError
from vsenumba.storage.headers import check_checksum, check_version, label, read_attribute, read_label
from vsenumba.storage.mapped import blocks_of

STRING_DTYPE = np.dtypes.StringDType()
ARRAY_DTYPES = frozenset(["|b1", "|i1", "<i2", "<i4", "<i8", "|u1", "<u2", "<u4", "<u8", "<f2", "<f4", "<f8"])

# The number of texts to encode or decode at once, as Python strings need several times the memory.
_TEXTS = 1 << 16

# Nesting depth of JSON; vsenumba writes five levels.
_MAX_NESTING = 64


@dataclass(frozen=True)
class Json:
    """A value to store as JSON text: dicts with text keys, lists, text, numbers, booleans and None.

    NumPy scalars are stored as numbers and tuples as lists. NaN and infinities are refused, as JSON does not have them.
    Reading returns the bare value.
    """

    value: Any


@dataclass(frozen=True)
class Stream:
    """An array that is written in blocks of rows as they are computed, and read like any array.

    The array has one dimension, or two if `width` is given.
    """

    dtype: str
    length: int
    blocks: Iterable[np.ndarray]
    width: int | None = None


class Encoding(ABC):
    """An encoder of one type of element; the file stores its `name` and `version` as attributes."""

    name: str
    version: int

    @abstractmethod
    def accepts(self, value: Any) -> bool:
        """Return whether `value` is of this encoder's type."""

    @abstractmethod
    def write(self, group: Any, name: str, value: Any, where: str) -> tuple[Any, int]:
        """Write `value` as ``group[name]``; return the new HDF5 object and the checksum."""

    @abstractmethod
    def read(self, node: Any, where: str) -> tuple[Any, int]:
        """Return the value in the HDF5 object `node`, and its checksum."""


class _ArrayEncoding(Encoding):
    """A numeric or boolean array: one dataset, little-endian, contiguous."""

    name = "array"
    version = 1

    def accepts(self, value: Any) -> bool:
        return isinstance(value, Stream) or (isinstance(value, np.ndarray) and value.dtype.kind in "biuf")

    def write(self, group: Any, name: str, value: np.ndarray | Stream, where: str) -> tuple[Any, int]:
        if isinstance(value, Stream):
            return self._write_stream(group, name, value, where)
        array = np.asarray(value, dtype=value.dtype.newbyteorder("<"), order="C")
        if array.dtype.str not in ARRAY_DTYPES:
            raise InputError(f"{where} is an array of {value.dtype}, which cannot be stored")
        return group.create_dataset(name, data=array), self._checksum(array)

    def _write_stream(self, group: Any, name: str, stream: Stream, where: str) -> tuple[Any, int]:
        shape = (stream.length,) if stream.width is None else (stream.length, stream.width)
        node = group.create_dataset(name, shape=shape, dtype=stream.dtype)
        checksum, written = zlib.crc32(self._head(stream.dtype, node.shape)), 0
        for block in stream.blocks:
            array = np.ascontiguousarray(block, dtype=stream.dtype)
            node[written : written + len(array)] = array
            checksum = zlib.crc32(array.reshape(-1).view(np.uint8).data, checksum)
            written += len(array)
        if written != stream.length:
            raise InputError(f"the blocks of {where} have {written:,} rows; expected {stream.length:,}")
        return node, checksum

    def read(self, node: Any, where: str) -> tuple[np.ndarray, int]:
        array = np.asarray(node[...])
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
        if array.dtype.str not in ARRAY_DTYPES:
            raise FileFormatError(f"{where} contains {array.dtype}, not numbers or booleans")
        return array, self._checksum(array)

    def read_mapped(self, node: Any, where: str) -> tuple[np.ndarray, int]:
        """Return a read-only memory map of the array, and its checksum; read one block at a time."""
        offset = node.id.get_offset()
        if offset is None or node.dtype.str not in ARRAY_DTYPES or node.ndim == 0:
            return self.read(node, where)  # empty, compressed, or written by another program
        array = np.memmap(node.file.filename, dtype=node.dtype, mode="r", offset=offset, shape=node.shape)
        checksum = zlib.crc32(self._head(array.dtype.str, array.shape))
        for block in blocks_of(array):
            checksum = zlib.crc32(block.reshape(-1).view(np.uint8).data, checksum)
        return array, checksum

    def _checksum(self, array: np.ndarray) -> int:
        return zlib.crc32(array.reshape(-1).view(np.uint8).data, zlib.crc32(self._head(array.dtype.str, array.shape)))

    def _head(self, dtype: str, shape: tuple[int, ...]) -> bytes:
        return f"array {self.version} {dtype} {_shape_text(shape)}\n".encode()


class _StringArrayEncoding(Encoding):
    """A one-dimensional array of text (``StringDType``): a group of all its UTF-8 bytes and the end of each text.

    HDF5's own text of variable length is not used: it is stored in a heap without checksums, and one flipped bit in the
    heap makes the HDF5 library loop forever.
    """

    name = "string-array"
    version = 1

    def accepts(self, value: Any) -> bool:
        return isinstance(value, np.ndarray) and value.dtype.kind == "T" and value.ndim == 1

    def write(self, group: Any, name: str, value: np.ndarray, where: str) -> tuple[Any, int]:
        joined = bytearray()
        offsets = np.zeros(len(value) + 1, dtype=np.int64)
        for start in range(0, len(value), _TEXTS):
            encoded = [text.encode() for text in value[start : start + _TEXTS]]
            ends = offsets[start + 1 : start + 1 + len(encoded)]
            ends[:] = len(joined) + np.cumsum([len(text) for text in encoded])
            joined += b"".join(encoded)
        data = np.frombuffer(joined, dtype=np.uint8)
        return write_parts(group, name, {"data": data, "offsets": offsets}, where, self._head())

    def read(self, node: Any, where: str) -> tuple[np.ndarray, int]:
        dtypes = {"data": ("|u1",), "offsets": ("<i8",)}
        (data, offsets), checksum = read_parts(node, dtypes, where, self._head())
        _check_offsets(offsets, len(data), f"{where}/offsets")
        texts = np.empty(len(offsets) - 1, dtype=STRING_DTYPE)
        for start in range(0, len(texts), _TEXTS):
            bounds = offsets[start : start + _TEXTS + 1]
            joined = data[bounds[0] : bounds[-1]].tobytes()
            pairs = itertools.pairwise((bounds - bounds[0]).tolist())
            try:
                decoded = [joined[begin:end].decode() for begin, end in pairs]
            except UnicodeDecodeError as error:
                raise FileFormatError(f"{where} contains text that is not UTF-8: {error.reason}") from error
            texts[start : start + _TEXTS] = np.array(decoded, dtype=STRING_DTYPE)
        return texts, checksum

    def _head(self) -> str:
        return f"string-array {self.version}\n"


class _JsonEncoding(Encoding):
    """A `Json` value: one scalar dataset of text (not an attribute, as attributes are limited to 64 KB)."""

    name = "json"
    version = 1

    def accepts(self, value: Any) -> bool:
        return isinstance(value, Json)

    def write(self, group: Any, name: str, value: Json, where: str) -> tuple[Any, int]:
        text = np.bytes_(json.dumps(_plain(value.value, where), allow_nan=False).encode())
        return group.create_dataset(name, data=text), self._checksum(text)

    def read(self, node: Any, where: str) -> tuple[Any, int]:
        text = node[()]
        if not isinstance(text, bytes):
            raise FileFormatError(f"{where} contains {node.dtype}, not text of fixed length")
        return _parsed(text, where), self._checksum(text)

    def _checksum(self, text: bytes) -> int:
        return zlib.crc32(text, zlib.crc32(f"json {self.version}\n".encode()))


class _CsrEncoding(Encoding):
    """A SciPy CSR array: a group of three arrays, with the shape as an attribute and 64-bit offsets."""

    name = "csr-matrix"
    version = 1

    def accepts(self, value: Any) -> bool:
        return isinstance(value, (sp.csr_array, sp.csr_matrix)) and value.ndim == 2

    def write(self, group: Any, name: str, value: Any, where: str) -> tuple[Any, int]:
        parts = {"data": value.data, "indices": value.indices, "indptr": value.indptr.astype(np.int64)}
        node, checksum = write_parts(group, name, parts, where, self._head(value.shape))
        node.attrs["shape"] = np.array(value.shape, dtype="<i8")
        return node, checksum

    def read(self, node: Any, where: str) -> tuple[sp.csr_array, int]:
        n_rows, n_columns = read_attribute(node, "shape", "<i8", (2,), where).tolist()
        head = self._head((n_rows, n_columns))
        dtypes = {"data": tuple(ARRAY_DTYPES), "indices": ("<i4", "<i8"), "indptr": ("<i8",)}
        (data, indices, indptr), checksum = read_parts(node, dtypes, where, head)
        _check_offsets(indptr, len(indices), f"{where}/indptr")
        if len(indptr) != n_rows + 1 or len(data) != len(indices):
            raise FileFormatError(
                f"{where} has {len(indptr)} offsets, {len(indices)} column numbers and {len(data)} values "
                f"for {n_rows} rows"
            )
        if len(indices) and not 0 <= indices.min() <= indices.max() < n_columns:
            raise FileFormatError(f"{where}/indices are out of range for {n_columns} columns")
        return sp.csr_array((data, indices, indptr), shape=(n_rows, n_columns)), checksum

    def _head(self, shape: tuple[int, int]) -> str:
        return f"csr-matrix {self.version} {_shape_text(shape)}\n"


class _MappingEncoding(Encoding):
    """A mapping from names to elements: a group that keeps their order."""

    name = "mapping"
    version = 1

    def accepts(self, value: Any) -> bool:
        return isinstance(value, Mapping)

    def write(self, group: Any, name: str, value: Mapping[str, Any], where: str) -> tuple[Any, int]:
        node = group.create_group(name, track_order=True)
        return node, write_members(node, value, where, self._head())

    def read(self, node: Any, where: str) -> tuple[dict[str, Any], int]:
        return read_members(node, where, self._head())

    def _head(self) -> str:
        return f"mapping {self.version}\n"


ENCODINGS: dict[str, Encoding] = {
    encoding.name: encoding
    for encoding in (
        _ArrayEncoding(),
        _StringArrayEncoding(),
        _JsonEncoding(),
        _CsrEncoding(),
        _MappingEncoding(),
    )
}


def write_element(group: Any, name: str, value: Any, where: str) -> int:
    """Write `value` as ``group[name]`` with the encoder of its type; return its checksum."""
    encoding = next((one for one in ENCODINGS.values() if one.accepts(value)), None)
    if encoding is None:
        raise InputError(f"{where} is of type {type(value).__name__}, which cannot be stored")
    node, checksum = encoding.write(group, name, value, where)
    label(node, encoding.name, encoding.version, checksum)
    return checksum


def read_element(group: Any, name: str, where: str, mapped: Collection[str] = ()) -> tuple[Any, int]:
    """Return the element ``group[name]`` and its checksum, after comparing the checksum with the stored one.

    Arrays named in `mapped` are opened as memory maps.
    """
    node = group[name]
    kind, version = read_label(node, where)
    if kind not in ENCODINGS:
        raise FileFormatError(f"{where} has the unknown type {kind!r}; update with pip install -U vsenumba")
    check_version(version, ENCODINGS[kind].version, where)
    encoding = ENCODINGS[kind]
    if where in mapped and isinstance(encoding, _ArrayEncoding):
        value, checksum = encoding.read_mapped(node, where)
    else:
        value, checksum = encoding.read(node, where)
    check_checksum(node, checksum, where)
    return value, checksum


def write_parts(group: Any, name: str, parts: Mapping[str, np.ndarray], where: str, head: str) -> tuple[Any, int]:
    """Write an element that consists of several arrays as a group; return the group and its checksum."""
    node = group.create_group(name, track_order=True)
    return node, write_members(node, parts, where, head)


def read_parts(
    node: Any, dtypes: Mapping[str, tuple[str, ...]], where: str, head: str
) -> tuple[tuple[np.ndarray, ...], int]:
    """Return the one-dimensional arrays of an element that consists of several arrays, and its checksum."""
    members, checksum = read_members(node, where, head)
    for name, allowed in dtypes.items():
        part = members.get(name)
        if not isinstance(part, np.ndarray) or part.ndim != 1:
            raise FileFormatError(f"{where}/{name} is missing or is not a one-dimensional array")
        if part.dtype.str not in allowed:
            raise FileFormatError(f"{where}/{name} is an array of {part.dtype.str}; expected {' or '.join(allowed)}")
    return tuple(members[name] for name in dtypes), checksum


def write_members(node: Any, members: Mapping[str, Any], where: str, head: str) -> int:
    """Write every member of a mapping into a group; return the checksum of `head` and all of them."""
    checksums = {}
    for name, value in members.items():
        if not isinstance(name, str) or not name or name == "." or "/" in name or "\0" in name:
            raise InputError(f"{where} has the name {name!r}; names must be text, not empty, and without '/'")
        checksums[name] = write_element(node, name, value, f"{where}/{name}".lstrip("/"))
    return _members_checksum(head, checksums)


def read_members(node: Any, where: str, head: str, mapped: Collection[str] = ()) -> tuple[dict[str, Any], int]:
    """Return all elements of a group and the checksum of `head` and all of them; see `read_element`."""
    read = {name: read_element(node, name, f"{where}/{name}".lstrip("/"), mapped) for name in node}
    checksum = _members_checksum(head, {name: checksum for name, (_, checksum) in read.items()})
    return {name: value for name, (value, _) in read.items()}, checksum


def _check_offsets(offsets: np.ndarray, total: int, where: str) -> None:
    """Refuse offsets that do not rise from 0 to `total`."""
    if not len(offsets) or offsets[0] != 0 or offsets[-1] != total or (offsets[1:] < offsets[:-1]).any():
        raise FileFormatError(f"{where} does not rise from 0 to {total}")


def _members_checksum(head: str, checksums: Mapping[str, int]) -> int:
    # Sorted by name, so that the checksum does not depend on the order of creation.
    lines = "".join(f"{checksums[name]:08x} {name}\n" for name in sorted(checksums))
    return zlib.crc32((head + lines).encode())


def _shape_text(shape: tuple[int, ...]) -> str:
    return ",".join(str(extent) for extent in shape)


def _parsed(text: bytes, where: str) -> Any:
    """Parse a JSON text; refuse values that Python's parser accepts but that are not JSON."""

    def distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise ValueError("a name appears twice in an object")
        return found

    def finite(number: str) -> float:
        value = float(number)
        if not np.isfinite(value):
            raise ValueError(f"{number:.20} is not a finite number")
        return value

    def bounded(digits: str) -> int:
        finite(digits)
        return int(digits)

    try:
        value = json.loads(
            text.decode(), object_pairs_hook=distinct, parse_float=finite, parse_int=bounded, parse_constant=finite
        )  # fmt: skip
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"{where} is not JSON: {error}") from error
    inner = [(value, 0)]
    while inner:
        one, depth = inner.pop()
        if depth > _MAX_NESTING:
            raise FileFormatError(f"{where} is JSON nested more than {_MAX_NESTING} deep")
        if isinstance(one, (dict, list)):
            inner += [(child, depth + 1) for child in (one.values() if isinstance(one, dict) else one)]
    return value


def _plain(value: Any, where: str) -> Any:
    """Return `value` in JSON types; `json.dumps` alone would convert number keys to text."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise InputError(f"{where} has the key {key!r}; keys must be text")
        return {key: _plain(one, f"{where}.{key}") for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one, f"{where}[{i}]") for i, one in enumerate(value)]
    if isinstance(value, float) and not np.isfinite(value):
        raise InputError(f"{where} is {value}, which cannot be stored as JSON")
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    raise InputError(f"{where} is of type {type(value).__name__}, which cannot be stored as JSON: {value!r:.80}")
