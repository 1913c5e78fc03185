"""Large tables: compiled code takes the ordinary rows, with the results, warnings and errors of the reader of rows."""

from __future__ import annotations

import gzip
import io
import re
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import vsenumba as vse
from vsenumba.data.annotation.readers import csv_pairs, plain_rows
from vsenumba.data.annotation.readers.name_numbers import NameNumbers
from vsenumba.data.annotation.readers.pair_rows import Numbers, PairRows, distinct
from vsenumba.kernels.row_states import ABSENT, LABEL, MACHINE, UNSURE, WEAK

SLOW = 10**12


def outcome(path, after, block=1 << 22, **options):
    """Return all that reading a table says, with compiled code after so many rows."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        patch.setattr(csv_pairs, "FAST_AFTER", after)
        patch.setattr(plain_rows, "BLOCK_BYTES", block)
        try:
            data = vse.load_dataset(path, **options)
        except vse.VsenumbaError as error:
            return str(error)
    absent = None if data.absent is None else (data.absent.indptr.tolist(), data.absent.indices.tolist())
    return (
        [str(one.message) for one in told],
        data.indptr.tolist(),
        data.indices.tolist(),
        list(data.image_ids),
        list(data.label_names),
        absent,
    )


# What a cell of a large table may be, most often ordinary.
ids = st.sampled_from(["a.jpg", "b.jpg", "0001", "a", " a", "c d", "Ünder.jpg", "e\u0301", "é", '"q,r"', '"s\nt"', ""])
tags = st.sampled_from(
    ["cat", "dog", "cat ", "red cat", "猫", "a|b", '"New York, NY"', '"5"" disk"', "NaN", "", "x\x1fy"]
)
scores = st.sampled_from(
    ["1", "0", "0.5", "1.0", "0.0", ".25", "0.", "1e-1", " 1", "", "high", "2", "-1", "0" * 20, "."]
)
odd_lines = st.sampled_from(["", "  ", "a,cat,1,x,y", "only", ",,", '"open', "a\0,b,1", "\x0b,cat,1", "a,cat,1,"])
ends = st.sampled_from(["\n", "\n", "\n", "\r\n", "\r"])


@st.composite
def tables(draw):
    """Draw a table of three columns as bytes, with some lines that are out of the ordinary."""
    ordinary = st.tuples(
        st.sampled_from(["a.jpg", "b.jpg", "c"]),
        st.sampled_from(["cat", "dog", "oak"]),
        st.sampled_from(["1", "0", "0.5"]),
    ).map(",".join)
    rows = draw(st.lists(ordinary | st.tuples(ids, tags, scores).map(",".join) | ordinary, min_size=1, max_size=30))
    for line in draw(st.lists(odd_lines, max_size=1)):
        rows.insert(draw(st.integers(0, len(rows))), line)
    end = draw(ends)
    text = end.join(["image,label,confidence", *rows]) + draw(st.sampled_from(["", end, end + end]))
    if draw(st.booleans()):
        text = text.replace(",", "\t")
    return draw(st.sampled_from([b"", b"", b"\xef\xbb\xbf"])) + text.encode()


@given(
    tables(),
    st.sampled_from([1, 2, 3, 7]),
    st.sampled_from([16, 64, 1 << 22]),
    st.sampled_from([{}, {"threshold": 0.5}, {"separator": "none"}, {"separator": "none", "threshold": 0.3}]),
)
def test_compiled_code_reads_what_the_reader_of_rows_reads(table, after, block, options):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        path.write_bytes(table)
        assert outcome(path, after, block, **options) == outcome(path, SLOW, **options)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["0a", "0b", "0c"]),
            st.sampled_from(["verification", "machine", "crowdsource-verification", "machine ", "", "Machine"]),
            st.sampled_from(["/m/1", "/m/2", "/m/3"]),
            st.sampled_from(["0", "1", "0.5", "0.49", "0.7", "2", "x"]),
        ).map(",".join),
        min_size=1,
        max_size=30,
    ),
    st.sampled_from([1, 4]),
    st.sampled_from([{}, {"threshold": 0.6}, {"sources": "verification"}, {"sources": "machine,verification"}]),
)
def test_so_it_does_of_open_images(rows, after, options):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        path.write_text("\n".join(["ImageID,Source,LabelName,Confidence", *rows]))
        assert outcome(path, after, **options) == outcome(path, SLOW, **options)


@pytest.mark.parametrize(
    ("odd", "message"),
    [
        (b"b,\xff\n", r"table.csv, line 5002: byte 3 \(0xff\) is not UTF-8"),
        (b"b,cat,dog\n", r"table.csv, line 5002: 3 field\(s\), but the header has 2"),
        (b"b,ca\0t\n", r"table.csv, line 5002: the line contains a NUL"),
        (b",cat\n", r"table.csv, line 5002: the cell of the image is empty"),
        (b'b,"cat\n', r"table.csv, line 5002: not a valid row"),
        (b"b," + b"x" * 2_000_000 + b"\n", r"table.csv, line 5002: the line, .*, is longer than 1,048,576 bytes"),
    ],
)
@pytest.mark.parametrize("after", [10, SLOW])
def test_an_odd_row_among_many_is_named_by_its_line(tmp_path, odd, message, after):
    path = tmp_path / "table.csv"
    path.write_bytes(b"image,tag\n" + b"a,cat\n" * 5000 + odd + b"a,dog\n" * 5000)
    said = outcome(path, after)
    assert isinstance(said, str)
    assert re.search(message, said)


def test_rows_after_quotes_and_other_scripts_are_taken_up_again(tmp_path):
    """Counted, so that the reader of rows does not silently read all of a table that has one quote."""
    rows = [f"{i // 3:05},t{i % 11}" for i in range(9000)]
    rows[4000] = '"0,1","a, b"'
    rows[6000] = "猫,cat"
    path = tmp_path / "table.csv.gz"
    path.write_bytes(gzip.compress("\n".join(["image,tag", *rows]).encode()))
    taken = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_pairs, "FAST_AFTER", 100)
        whole = plain_rows.PlainRows._take
        patch.setattr(
            plain_rows.PlainRows, "_take", lambda self, blocks: taken.append(whole(self, blocks)) or taken[-1]
        )
        data = vse.load_dataset(path)
    assert taken == [3900, 1999, 2998, 0]
    assert data.n_images == 3002
    assert data.labels_of("0,1") == ["a, b"]
    assert data.labels_of("猫") == ["cat"]
    assert data.digest() == vse.load_dataset(path).digest()


def test_a_stream_goes_by_lines_or_by_blocks():
    stream = io.BytesIO(b"one\ntwo\nthree\nfo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain_rows, "BLOCK_BYTES", 9)
        blocks = plain_rows.ByteBlocks(stream)
        assert blocks.readline(100) == b"one\n"
        assert bytes(blocks.whole_lines()) == b"two\n"
        blocks.skip(4)
        assert bytes(blocks.whole_lines()) == b"three\n"
        assert blocks.readline(3) == b"thr"
        assert blocks.readline(100) == b"ee\n"
        assert len(blocks.whole_lines()) == 0
        assert (blocks.readline(100), blocks.readline(100)) == (b"fo", b"")


def test_names_are_numbered_as_they_come_however_many():
    rng = np.random.default_rng(0)
    names = [f"n{i}" for i in rng.integers(200_000, size=300_000)] + ["é", "猫", "n", "é"]
    numbers = NameNumbers(["first"])
    found = numbers.number(names)
    position = {"first": 0}
    assert found.tolist() == [position.setdefault(name, len(position)) for name in names]
    numbers.forget_hashes()
    assert numbers.texts().tolist() == list(position)


def test_rows_are_gathered_into_the_states_of_pairs():
    rows = PairRows()
    rows.add("a", ["x", "y"], LABEL)
    rows.add("a", ["x"], ABSENT)  # people disagree
    rows.add("a", ["z"], ABSENT)
    rows.add("a", ["z"], MACHINE)  # the machine gives way
    rows.books()
    rows.add("b", ["z"], MACHINE)
    rows.add("b", ["x"], UNSURE)
    rows.add("c", [], WEAK)
    rows.add("d", [], LABEL)
    assert (rows.n_rows, rows.n_empty, rows.n_images, rows.n_labelled) == (8, 1, 4, 5)
    names, counts = rows.labels()
    assert (list(names), counts.tolist()) == (["x", "y", "z"], [2, 1, 2])
    with pytest.warns(UserWarning, match=r"skipped 1 pair\(s\): some rows say that the image has the label"):
        data = rows.annotation_set()
    assert [data.labels_of(image) for image in data.image_ids] == [["y"], ["x", "z"], [], []]
    assert (data.absent.pairs()[0].tolist(), data.absent.indices.tolist()) == ([0], [2])


@given(st.lists(st.integers(0, 2**62), max_size=50))
def test_numbers_grow_and_are_sorted(values):
    numbers = Numbers()
    for part in np.array_split(np.array(values, np.int64), 3):
        numbers.add(part)
    assert len(numbers) == len(values)
    assert distinct(numbers.taken()).tolist() == sorted(set(values))


ODD_ROWS = (
    "a long name of an image.jpg,a long name of a label,1", "b.jpg,dog,0.5", "b.jpg,dog,1,,", "b.jpg,dog,1,x,y,z",
    "c.jpg,cat,0.00000000000000001", "c.jpg,cat,1.0.0", "c.jpg,cat,.", "d.jpg,cat,1\r", "d.jpg,oak,1\rx", ",cat,1",
    "e.jpg,,1", " e.jpg,cat,1", "e.jpg,cat ,1", f"{'x' * 70_000},cat,1", "f.jpg,oak,0", "f.jpg,ash,1",
)  # fmt: skip


@pytest.mark.parametrize("odd", ODD_ROWS, ids=range(len(ODD_ROWS)))
@pytest.mark.parametrize("end", ["\n", ""])
def test_each_odd_row_is_read_as_it_is_without_the_compiler(odd, end, tmp_path):
    rows = ["image,label,confidence", "a.jpg,cat,1", "a.jpg,dog,1", odd, "g.jpg,cat,1", "g.jpg,cat,0.5", odd]
    path = tmp_path / "table.csv"
    path.write_bytes(("\n".join(rows) + end).encode())
    assert outcome(path, 1) == outcome(path, SLOW)


@pytest.mark.parametrize("options", [{}, {"threshold": 0.9}, {"sources": "verification"}], ids=str)
def test_scores_and_sources_are_read_as_they_are_without_the_compiler(options, tmp_path):
    rows = [
        f"{image},{source},{label},{score}"
        for image in ("0001", "0002", "0003")
        for source, label, score in (
            ("verification", "/m/1", "1"), ("verification", "/m/2", "0"), ("machine", "/m/3", "0.95"),
            ("machine", "/m/4", "0.3"), ("machine", "/m/5", "0"), ("verification", "/m/6", "0.5"),
            ("verificatiom", "/m/7", "1"),  # as long as another, and not the same
        )
    ]  # fmt: skip
    (tmp_path / "train.csv").write_text("\n".join(["ImageID,Source,LabelName,Confidence", *rows, ""]))
    fast, slow = (outcome(tmp_path / "train.csv", after, **options) for after in (1, SLOW))
    assert fast == slow
    assert isinstance(fast, tuple)
