"""Damaged and crafted files: damaged bytes, inconsistent contents, and layouts that point outside the file.

Contents are changed before the package's own writer writes them, so all checksums are valid.
"""

from __future__ import annotations

import copy
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from benchmarks.sample_files import TEXT, Sample
from vsenumba import storage
from vsenumba.storage import Json

Rng = np.random.Generator


@dataclass(frozen=True)
class Damaged:
    """A damaged file, and its expected content.

    Parameters
    ----------
    sample : Sample
        The undamaged sample.
    damage : str
        The kind of damage.
    elements : dict
        The elements that a reader must return if it does not reject the file.
    """

    sample: Sample
    damage: str
    elements: dict[str, Any]


def damaged_files(samples: list[Sample], folder: Path, path: Path, n_files: int, seed: int) -> Iterator[Damaged]:
    """Write one damaged file after another to a path; yield a description of each.

    Samples and kinds of damage take turns. `folder` gets the undamaged files, and files that layouts point to.
    """
    for number, sample in enumerate(samples):
        storage.write_file(folder / f"{number}.h5", sample.kind, as_written(sample.elements))
    for i in range(n_files):
        number, rng = i % len(samples), np.random.default_rng((seed, i))
        whole, sample = folder / f"{number}.h5", samples[number]
        damage = _TURNS[i // len(samples) % len(_TURNS)]
        yield Damaged(sample, damage, DAMAGES[damage](sample, whole, path, rng))


def as_written(elements: Mapping[str, Any]) -> dict[str, Any]:
    """Convert elements that were read to the form that the writer accepts."""
    return {name: _as_written(value) for name, value in elements.items()}


def _as_written(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value
    return as_written(value) if _holds_arrays(value) else Json(value)


def _holds_arrays(value: Any) -> bool:
    """Return whether a mapping contains elements, rather than being a JSON object."""
    return isinstance(value, Mapping) and any(
        isinstance(one, np.ndarray) or _holds_arrays(one) for one in value.values()
    )


# Bytes.


def _rot(change: Callable[[bytearray, Rng], bytes | bytearray]) -> Callable[[Sample, Path, Path, Rng], dict[str, Any]]:
    def damage(sample: Sample, whole: Path, path: Path, rng: Rng) -> dict[str, Any]:
        path.write_bytes(change(bytearray(whole.read_bytes()), rng))
        return sample.elements

    return damage


def _flip(raw: bytearray, rng: Rng) -> bytearray:
    for position in rng.integers(len(raw), size=rng.integers(1, 4)):
        raw[position] ^= 1 << int(rng.integers(8))
    return raw


def _cut(raw: bytearray, rng: Rng) -> bytearray:
    at = int(rng.integers(len(raw)))
    kept = raw[:at] if rng.random() < 0.5 else raw[:at] + raw[at + int(rng.integers(1, 99)) :]
    # A file system that lost the end of a file often returns zeros instead.
    return kept + bytes(len(raw) - len(kept)) if rng.random() < 0.3 else kept


def _swap(raw: bytearray, rng: Rng) -> bytearray:
    n = int(rng.integers(1, 65))
    a, b = sorted(int(at) for at in rng.integers(len(raw) - n, size=2))
    n = min(n, b - a)
    raw[a : a + n], raw[b : b + n] = raw[b : b + n], raw[a : a + n]
    return raw


def _overwrite(raw: bytearray, rng: Rng) -> bytearray:
    n, at = int(rng.integers(1, 65)), int(rng.integers(len(raw) - 64))
    raw[at : at + n] = bytes(n) if rng.random() < 0.5 else rng.bytes(n)
    return raw


# Content.

_JSON = (
    None, True, -1, 0, 1, 2**70, 1.5, 1e300, "", " ", "x\0", "adaptive", [], {}, ["a"], {"a": 1}, {"name": "x"},
    {"prefix": "", "count": 3}, {"prefix": "x", "count": 2**40},
)  # fmt: skip


def _craft(sample: Sample, whole: Path, path: Path, rng: Rng) -> dict[str, Any]:
    elements = copy.deepcopy(sample.elements)
    for _ in range(int(rng.integers(1, 3))):
        places = list(_places(elements))
        parent, name = places[rng.integers(len(places))]
        _alter(parent, name, rng)
    storage.write_file(path, sample.kind, as_written(elements))
    return elements


def _places(elements: Any) -> Iterator[tuple[Any, str | int]]:
    """Yield the container and the key of every value in a tree of elements and JSON values."""
    for name in list(elements) if isinstance(elements, dict) else range(len(elements)):
        yield elements, name
        if isinstance(elements[name], (dict, list)):
            yield from _places(elements[name])


def _alter(parent: Any, name: Any, rng: Rng) -> None:
    value, others = parent[name], [np.zeros(3, np.float32), np.array(["a", "b"], TEXT)]
    if rng.random() < 0.15:
        del parent[name]
    elif rng.random() < 0.1 and isinstance(parent, dict):
        parent[f"{name}x"] = parent.pop(name)
    elif isinstance(value, np.ndarray) and rng.random() < 0.9:
        parent[name] = _altered_texts(value, rng) if value.dtype.kind == "T" else _altered_array(value, rng)
    elif _holds_arrays(parent) and rng.random() < 0.3:
        parent[name] = others[rng.integers(2)]
    else:
        parent[name] = copy.deepcopy(_JSON[rng.integers(len(_JSON))])


def _altered_array(array: np.ndarray, rng: Rng) -> np.ndarray:
    choice = rng.integers(9)
    if choice == 0:
        return array[:-1]
    if choice == 1:
        return np.concatenate([array, array[-1:]])
    if choice == 2:
        return array[..., None] if rng.random() < 0.5 else array.reshape(-1)
    if choice == 3:
        return array[:0]
    with np.errstate(all="ignore"):
        if choice <= 5:
            return array.astype(["f8", "f4", "f2", "i8", "i4", "u1", "?"][rng.integers(7)])
        altered = array.astype("f8") if choice == 6 else array.copy()
        odd = (np.nan, np.inf, 0.5, -1) if altered.dtype.kind == "f" else (-1, 2**31 - 1, 2**62, 0, 1, 7)
        if altered.size:
            altered.reshape(-1)[rng.integers(altered.size)] = np.array(odd[rng.integers(len(odd))]).astype(
                altered.dtype
            )
    return altered


def _altered_texts(texts: np.ndarray, rng: Rng) -> np.ndarray:
    names = texts.tolist()
    choice = rng.integers(4)
    if choice == 0:
        names = names[:-1]
    elif choice == 1:
        names.append(["new", names[0] if names else ""][rng.integers(2)])
    elif names:
        names[rng.integers(len(names))] = ["", " ", "a\0b", "other", names[0], " a", "e\u0301"][rng.integers(7)]
    return np.array(names, TEXT)


# Layouts.


def _lay_out(sample: Sample, whole: Path, path: Path, rng: Rng) -> dict[str, Any]:
    path.write_bytes(whole.read_bytes())
    with h5py.File(path, "r+") as file:
        datasets: list[str] = []
        file.visititems(lambda name, node: datasets.append(name) if isinstance(node, h5py.Dataset) else None)
        name = datasets[rng.integers(len(datasets))]
        _LAYOUTS[rng.integers(len(_LAYOUTS))](file, name, whole, rng)
    return sample.elements


def _replaced(file: h5py.File, name: str, make: Callable[[h5py.Dataset], Any]) -> None:
    old = file[name]
    attributes = dict(old.attrs)
    new = make(old)
    del file[name]
    file[name] = new
    for key, value in attributes.items():
        file[name].attrs[key] = value


def _external(file: h5py.File, name: str, whole: Path, rng: Rng) -> None:
    with h5py.File(whole) as other:
        place, size = other[name].id.get_offset(), other[name].id.get_storage_size()
    source = [(str(whole), place, size)] if place else [("/etc/hostname", 0, 4)]
    shape = file[name].shape or (1,)
    _replaced(file, name, lambda old: file.create_dataset(None, shape, old.dtype, external=source))


def _virtual(file: h5py.File, name: str, whole: Path, rng: Rng) -> None:
    shape, dtype = file[name].shape or (1,), file[name].dtype
    view = h5py.VirtualLayout(shape, dtype)
    if 0 not in shape and file[name].shape:
        view[...] = h5py.VirtualSource(str(whole), name, shape=shape, dtype=dtype)
    _replaced(file, name, lambda old: file.create_virtual_dataset("made", view))
    if "made" in file:
        del file["made"]


def _packed(file: h5py.File, name: str, whole: Path, rng: Rng) -> None:
    shape = file[name].shape or (1,)
    values = np.zeros(shape, file[name].dtype) if not file[name].shape else file[name][...]
    options = [{"compression": "gzip"}, {"chunks": True}, {"fletcher32": True}][rng.integers(3)]
    maximum = {"maxshape": (None,) * len(shape)} if 0 in shape else {}
    _replaced(file, name, lambda old: file.create_dataset(None, data=values, **options, **maximum))


def _unallocated(file: h5py.File, name: str, whole: Path, rng: Rng) -> None:
    shape = (int(2 ** rng.integers(3, 50)), *file[name].shape[1:])
    chunks = (1024, *shape[1:]) if shape[0] >= 1024 and rng.random() < 0.5 else None
    _replaced(file, name, lambda old: file.create_dataset(None, shape, old.dtype, chunks=chunks))


def _link(file: h5py.File, name: str, whole: Path, rng: Rng) -> None:
    del file[name]
    file[name] = h5py.ExternalLink(str(whole), name) if rng.random() < 0.5 else h5py.SoftLink("/provenance")


def _other_name(file: h5py.File, name: str, whole: Path, rng: Rng) -> None:
    parent = file[name].parent
    choice = rng.integers(3)
    if choice == 0:
        parent["again"] = file[name]
    elif choice == 1:
        parent["loop"] = parent
    else:  # each level contains the next one twice
        level = file.create_group("levels")
        for _ in range(24):
            below = file.create_group(None)
            level["a"], level["b"] = below, below
            level = below


def _deep(file: h5py.File, name: str, whole: Path, rng: Rng) -> None:
    level = file
    for _ in range(500):
        level = level.create_group("deeper")
        storage.headers.label(level, "mapping", 1, 0)


def _version(file: h5py.File, name: str, whole: Path, rng: Rng) -> None:
    texts = (b" 1 ", b"01", b"+1", b"1.0", b"0", b"-1", b"2", b"1" * 400, b"", "１".encode(), b"1_0", b"9" * 30)
    node = file[name] if rng.random() < 0.5 else file
    text = texts[rng.integers(len(texts))]
    node.attrs["encoding-version"] = np.bytes_(text) if rng.random() < 0.9 else np.array([1, 2])


def _strange_text(file: h5py.File, name: str, whole: Path, rng: Rng) -> None:
    texts = (
        b'{"a": 1, "a": 2}', b"NaN", b'{"a": -Infinity}', b"1e999", b"[" * 90_000 + b"]" * 90_000, b"9" * 5000, b"{",
        b"\xff", b'"\\ud800"', b"[" * 100 + b"]" * 100, b"", b"1 2",
    )  # fmt: skip
    text = np.bytes_(texts[rng.integers(len(texts))])
    _replaced(file, "provenance", lambda old: file.create_dataset(None, data=text))
    sign(file)


def _strange_type(file: h5py.File, name: str, whole: Path, rng: Rng) -> None:
    made = [
        lambda old: file.create_dataset(None, data="text of any length"),
        lambda old: file.create_dataset(None, data=h5py.Empty("f4")),
        lambda old: file.create_dataset(None, (2,), np.dtype([("a", "i4"), ("b", "f4")])),
        lambda old: file.create_dataset(None, data=np.void(b"opaque")),
        lambda old: np.dtype("f4"),  # a named type
        lambda old: file.create_dataset(None, data=file.ref, dtype=h5py.ref_dtype),
        lambda old: file.create_dataset(None, data=np.bytes_(b"bytes")),
    ]
    _replaced(file, name, made[rng.integers(len(made))])


_LAYOUTS = (
    _external, _virtual, _packed, _unallocated, _link, _other_name, _deep, _version, _strange_text, _strange_type,
)  # fmt: skip


def sign(file: h5py.File) -> None:
    """Write valid checksums into a file, as specified in ``docs/reference/file-format.md``."""
    kind, version = (file.attrs[name].decode() for name in ("encoding-type", "encoding-version"))
    _sign(file, f"file {kind} {version}")


def _sign(node: Any, head: str = "") -> int:
    kind = node.attrs["encoding-type"].decode()
    shape = ",".join(map(str, node.attrs.get("shape", getattr(node, "shape", ()))))
    if isinstance(node, h5py.Group):
        head = head or f"{kind} 1 {shape}".strip()
        body = "".join(f"{_sign(node[name]):08x} {name}\n" for name in sorted(node)).encode()
    elif kind == "json":
        head, body = "json 1", bytes(node[()])
    else:
        head, body = f"array 1 {node.dtype.str} {shape}", node[...].tobytes()
    checksum = zlib.crc32(f"{head}\n".encode() + body)
    node.attrs["crc32"] = np.uint32(checksum)
    return checksum


DAMAGES: dict[str, Callable[[Sample, Path, Path, Rng], dict[str, Any]]] = {
    "bits flipped": _rot(_flip),
    "bytes cut out": _rot(_cut),
    "bytes swapped": _rot(_swap),
    "bytes overwritten": _rot(_overwrite),
    "content crafted": _craft,
    "layout crafted": _lay_out,
}
# There are more kinds of damage to content than to bytes.
_TURNS = (*DAMAGES, "content crafted", "content crafted")
