"""Exports of names and vectors: what NumPy gives back, and names that its text of fixed width is no way to keep."""

from __future__ import annotations

import numpy as np
import pytest

from vsenumba.data.vector_files import write_vectors
from vsenumba.data.vocabulary import Vocabulary
from vsenumba.errors import InputError


def written(path, names):
    write_vectors(path, Vocabulary(names, "image"), np.zeros((len(names), 2), np.float32))
    with np.load(path, allow_pickle=False) as archive:
        return archive["names"].tolist(), archive["factors"].shape


@pytest.mark.parametrize(
    "names",
    [
        ["a", "schön", "猫", "two\nlines", "bl ank"],
        ["x" * 100_000, "b"],  # long, but the text is what takes the room
        [f"{i:01000}" for i in range(20_000)],
        [],
    ],
    ids=["letters", "one long", "all long", "none"],
)
def test_names_come_back(names, tmp_path):
    assert written(tmp_path / "a.npz", names) == (names, (len(names), 2))


def test_a_few_long_names_do_not_make_a_file_of_gigabytes(tmp_path):
    """Found 2026-11: one id of 100 kB among 5,000 made a file of 2 GB."""
    names = [f"{i}.jpg" for i in range(5_000)] + ["x" * 100_000]
    message = (
        r"cannot write .*a\.npz: the longest image has 100,000 characters, and .npz pads every name to this "
        r"length, 2\.0 GB in all; write a \.vec or \.bin file instead"
    )
    with pytest.raises(InputError, match=message):
        written(tmp_path / "a.npz", names)
    assert list(tmp_path.iterdir()) == []
    write_vectors(tmp_path / "a.vec", Vocabulary(names, "image"), np.zeros((5_001, 2), np.float32))
    assert (tmp_path / "a.vec").stat().st_size < 300_000
