"""Inputs that never end, or grow beyond measure, are refused by whatever reads them."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import zipfile

import numpy as np
import pytest

import vsenumba as vse
from vsenumba import memory
from vsenumba.data import compression

PACK = {"gz": gzip.compress, "xz": lzma.compress, "bz2": bz2.compress}
READERS = {
    "pairs": vse.load_dataset,
    "captions": vse.load_caption_set,
    "text": lambda path: vse.Corpus.from_text(path, path.parent / "corpus.h5"),
    "vectors": vse.WordVectors.load_word2vec,
    "model": vse.load_model,
    "corpus": vse.Corpus.load,
}


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_a_pipe_is_no_file(read, tmp_path):
    """Found 2026-11: a named pipe was waited for, for ever."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises((vse.InputError, vse.FileFormatError), match="pipe"):
        read(tmp_path / "pipe")


@pytest.mark.parametrize("pack", PACK.values(), ids=PACK)
def test_a_bomb_is_stopped(pack, tmp_path, monkeypatch):
    monkeypatch.setattr(compression, "_ALWAYS_BYTES", 1 << 20)
    table = b"image,tag\n" + b"a.jpg,cat\n" * 1_000_000
    (tmp_path / "bomb").write_bytes(pack(table))
    for read in (vse.load_dataset, READERS["text"]):
        with pytest.raises(vse.FileFormatError, match="expands to more than the limit of [0-9,]+ bytes"):
            read(tmp_path / "bomb")
    # What people have is far from that.
    rows = "".join(f"photo-{i}.jpg,label {i % 97}\n" for i in range(100_000)).encode()
    (tmp_path / "fine").write_bytes(pack(b"image,tag\n" + rows))
    assert vse.load_dataset(tmp_path / "fine").n_pairs == 100_000


def test_an_archive_that_memory_does_not_hold_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    matrix = np.zeros((10_000, 10_000), bool)
    matrix[:1_000] = np.random.default_rng(0).random((1_000, 10_000)) < 0.5
    np.savez_compressed(tmp_path / "zeros.npz", matrix)
    monkeypatch.setattr(memory, "available_bytes", lambda: 1 << 26)
    with pytest.raises(vse.MemoryLimitError, match=r"zeros.npz: reading the archive needs at least 100,000,"):
        vse.load_dataset(tmp_path / "zeros.npz")


def test_a_header_that_claims_more_than_there_is_is_refused(tmp_path):
    header = (
        b"\x93NUMPY\x01\x00v\x00"
        + b"{'descr': '|b1', 'fortran_order': False, 'shape': (1099511627776, 9), }".ljust(117)
    )
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("arr_0.npy", header + b"\n")
    with pytest.raises(vse.FileFormatError, match="arr_0.npy claims 9,895,604,649,984 bytes but has 1"):
        vse.load_dataset(tmp_path / "a.npz")


def _emoji(folder):
    (folder / "emoji.jsonl").write_text('{"hex": "1F600", "label": "grin", "tags": ["joy"], "keywords": ["happy"]}\n')
    (folder / "images.tsv").write_text("vendor\thex\nnoto\t1F600\n")
    return folder / "thumbs64.npz"


def test_pipes_beside_captions_are_no_files(tmp_path):
    """Found 2026-11: of features, rows and pictures a named pipe was waited for, for ever."""
    (tmp_path / "tok.txt").write_text("a.jpg#0\ta cat\n")
    os.mkfifo(tmp_path / "fifo.npy")
    with pytest.raises(vse.InputError, match=r"^cannot read [^:]*fifo.npy: it is a stream or a device"):
        vse.load_caption_set(tmp_path / "tok.txt", tmp_path / "fifo.npy")
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "train_caps.txt").write_text("a cat\n")
    os.mkfifo(tmp_path / "rows" / "train_ims.npy")
    with pytest.raises(vse.InputError, match="train_ims.npy: it is a stream or a device"):
        vse.load_caption_set(tmp_path / "rows")
    (tmp_path / "emoji").mkdir()
    os.mkfifo(_emoji(tmp_path / "emoji"))
    with pytest.raises(vse.InputError, match="thumbs64.npz: it is a stream or a device"):
        vse.load_caption_set(tmp_path / "emoji")


def _matrix(folder):
    return folder / "a.npz"


READ_ARCHIVE = {
    "pictures": (_emoji, vse.load_caption_set),
    "matrix": (_matrix, lambda folder: vse.load_dataset(_matrix(folder))),
}


@pytest.mark.parametrize(("place", "read"), READ_ARCHIVE.values(), ids=READ_ARCHIVE)
def test_an_archive_that_expands_beyond_measure_is_refused(place, read, tmp_path, monkeypatch):
    """Found 2026-11: 5 MB were unpacked to more than a gigabyte before they were refused."""
    monkeypatch.setattr(compression, "_ALWAYS_BYTES", 1 << 20)
    np.savez_compressed(place(tmp_path), np.zeros((4, 1 << 20), np.uint8))
    monkeypatch.setattr(np, "load", None)
    with pytest.raises(vse.FileFormatError, match="expands to 4,194,432 bytes, more than the limit of 1,048,576"):
        read(tmp_path)


@pytest.mark.parametrize(("place", "read"), READ_ARCHIVE.values(), ids=READ_ARCHIVE)
@pytest.mark.parametrize("shape", ["(1099511627776,)", "(-1, 4)", f"({2**70}, 0)", f"({2**70}, 3)"])
def test_an_array_that_claims_more_than_it_holds_is_refused(shape, place, read, tmp_path):
    """Found 2026-11: memory for what was claimed was asked for, a raw MemoryError."""
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".ljust(117).encode()
    with zipfile.ZipFile(place(tmp_path), "w") as archive:
        archive.writestr("arr_0.npy", b"\x93NUMPY\x01\x00v\x00" + header + b"\n")
    with pytest.raises(vse.FileFormatError):
        read(tmp_path)


@pytest.mark.parametrize("shape", [(1, 0, 0, 3), (1, 0, 64, 3), (0, 64, 64, 3), (1, 64, 64), (1, 63, 64, 3)])
def test_pictures_of_no_size_are_refused(shape, tmp_path):
    """Found 2026-11: those without a pixel were a raw ValueError."""
    np.savez(_emoji(tmp_path), np.zeros(shape, np.uint8))
    with pytest.raises(vse.FileFormatError, match="emoji|thumbs64|pictures"):
        vse.load_caption_set(tmp_path)


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
@pytest.mark.parametrize("name", ["a" * 5_000, "a\0b"])
def test_names_that_no_file_can_have_are_refused(name, read, tmp_path):
    """Found 2026-11: a name of 5,000 letters was a raw OSError, one with a NUL a raw ValueError."""
    with pytest.raises(vse.InputError, match="File name too long|NUL character|there is no"):
        read(tmp_path / name)
