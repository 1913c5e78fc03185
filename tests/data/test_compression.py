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
        with pytest.raises(vse.FileFormatError, match="expands to more than [0-9,]+ bytes, which real data does not"):
            read(tmp_path / "bomb")
    # What people have is far from that.
    rows = "".join(f"photo-{i}.jpg,label {i % 97}\n" for i in range(100_000)).encode()
    (tmp_path / "fine").write_bytes(pack(b"image,tag\n" + rows))
    assert vse.load_dataset(tmp_path / "fine").n_pairs == 100_000


def test_an_archive_that_memory_does_not_hold_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "zeros.npz", np.zeros((20_000, 20_000), bool))
    monkeypatch.setattr(memory, "available_bytes", lambda: 1 << 28)
    with pytest.raises(vse.MemoryLimitError, match=r"zeros.npz: what the archive holds takes at least 400,000,"):
        vse.load_dataset(tmp_path / "zeros.npz")


def test_a_header_that_claims_more_than_there_is_is_refused(tmp_path):
    header = (
        b"\x93NUMPY\x01\x00v\x00"
        + b"{'descr': '|b1', 'fortran_order': False, 'shape': (1099511627776, 9), }".ljust(117)
    )
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("arr_0.npy", header + b"\n")
    with pytest.raises(vse.FileFormatError, match="cannot be read as an .npz file"):
        vse.load_dataset(tmp_path / "a.npz")
