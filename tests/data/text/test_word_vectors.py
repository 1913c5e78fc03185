"""Word vectors: neighbours, analogies, and word2vec's files in and out."""

from __future__ import annotations

import bz2
import gzip
import importlib.util
import lzma
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import distinct_names, factor_tables

from vsenumba.data import ANALOGIES, Vocabulary, WordVectors
from vsenumba.data.names import plain
from vsenumba.errors import FileFormatError, InputError, UnknownNameError

WORDS = ["man", "king", "woman", "queen", "river"]
ROWS = [[1, 0, 0.1], [1, 1, 0.1], [-1, 0.2, 0.1], [-1, 1.2, 0.1], [0, 0, 5]]
words_without_blanks = st.text(st.characters(exclude_categories=["Cs", "Z", "Cc"]), min_size=1, max_size=8).filter(
    lambda word: word == plain(word) == "".join(word.split())
)


@pytest.fixture
def vectors():
    return WordVectors(WORDS, ROWS)


@given(table=factor_tables(max_rows=8), n=st.integers(1, 9), data=st.data())
def test_neighbors_are_those_of_the_largest_cosine(table, n, data):
    vectors = WordVectors([f"w{i}" for i in range(len(table))], table)
    row = data.draw(st.integers(0, len(table) - 1))
    exact = table.astype(np.float64)
    lengths = np.linalg.norm(exact, axis=1)
    cosines = exact @ exact[row] / np.maximum(lengths * lengths[row], 1e-300)
    if lengths[row] == 0:
        with pytest.raises(InputError, match=f"the vector of 'w{row}' is zero"):
            vectors.neighbors(f"w{row}", n)
        return
    found = vectors.neighbors(f"w{row}", n)
    others = np.delete(cosines, [row, *np.flatnonzero(lengths == 0)])
    assert len(found) == min(n, len(others))
    assert [one.score for one in found] == pytest.approx(sorted(others, reverse=True)[:n], abs=1e-5)
    assert f"w{row}" not in {one.name for one in found}
    assert all(cosines[int(one.name[1:])] == pytest.approx(one.score, abs=1e-5) for one in found)


def test_neighbors_of_a_vector(vectors):
    assert vectors.neighbors(np.array([0, 0, 1]), 1)[0] == ("river", pytest.approx(1))
    for bad in (np.zeros(2), [np.nan, 0, 0]):
        with pytest.raises(InputError, match="a vector must be 3 finite numbers"):
            vectors.neighbors(bad)


def test_a_vector_of_zeros_is_near_to_nothing():
    """Found 2026-11: it had all words for neighbours, in their order, and stood before those of negative cosines."""
    vectors = WordVectors(["cat", "zero", "dog", "car", "ox"], [[1, 0], [0, 0], [1, 0.1], [-1, 0.2], [1, 0.3]])
    assert [one.name for one in vectors.neighbors("cat")] == ["dog", "ox", "car"]
    assert [one.name for one in vectors.neighbors([0, 1e-30])] == ["ox", "car", "dog", "cat"]
    assert [one.name for one in vectors.analogy("cat", "dog", "ox")] == ["car"]
    for ask in (lambda: vectors.neighbors("zero"), lambda: vectors.analogy("cat", "dog", "zero")):
        with pytest.raises(InputError, match="the vector of 'zero' is zero, so it has no direction"):
            ask()
    with pytest.raises(InputError, match="the vector is zero"):
        vectors.neighbors(np.zeros(2))


@pytest.mark.parametrize("method", ANALOGIES)
def test_analogies(vectors, method):
    found = vectors.analogy("man", "king", "woman", method=method)
    assert found[0].name == "queen"
    assert [one.name for one in found][-1] == "river"
    assert len(found) == 2
    a, b, c, d = (vectors.directions()[vectors.words.index([w])[0]] for w in ("man", "king", "woman", "queen"))
    expected = {
        "3cosadd": d @ b - d @ a + d @ c,
        "3cosmul": (1 + d @ b) / 2 * (1 + d @ c) / 2 / ((1 + d @ a) / 2 + 0.001),
    }[method]
    assert found[0].score == pytest.approx(float(expected), rel=1e-5)


def test_unknown_words_and_wrong_arguments(vectors):
    with pytest.raises(UnknownNameError, match="unknown word 'quene'; did you mean 'queen'"):
        vectors.neighbors("quene")
    with pytest.raises(UnknownNameError, match="unknown method '3cosad'"):
        vectors.analogy("man", "king", "woman", method="3cosad")
    with pytest.raises(InputError, match="n must be a whole number of at least 1, not 0"):
        vectors.neighbors("man", 0)
    assert "man" in vectors
    assert "Man" not in vectors
    assert vectors.find(["Man", "ox"]).tolist() == [0, -1]
    assert vectors["king"].tolist() == pytest.approx(ROWS[1])


def test_whole_numbers_are_words():
    """`neighbors(2)` of a text of numbers did not find the word "2"."""
    vectors = WordVectors([1, 2, 30], np.eye(3))
    assert vectors.neighbors(2, 3) == vectors.neighbors("2", 3) == vectors.neighbors(np.int64(2), 3)
    assert vectors.analogy(1, 2, 30) == []
    assert vectors.find([30, "1", 4]).tolist() == [2, 0, -1]
    assert vectors[2].tolist() == [0, 1, 0]
    assert 30 in vectors
    with pytest.raises(UnknownNameError, match="unknown word '3'; did you mean '30'"):
        vectors.neighbors(3)
    for bad in (["2"], ["a"], [["a", [2]]]):
        with pytest.raises(InputError, match="a vector must be 3 finite numbers"):
            vectors.neighbors(bad)
    for bad in (None, float("nan")):
        with pytest.raises(InputError, match="word name 0 is empty"):
            vectors.find([bad])
    for n in (-1, 0, 2.5, "3", True, None):
        with pytest.raises(InputError, match="n must be a whole number of at least 1, not"):
            vectors.neighbors(2, n)
        with pytest.raises(InputError, match="n must be a whole number of at least 1, not"):
            vectors.analogy(1, 2, 30, n)


def test_tables_that_do_not_fit_are_refused():
    for rows in (ROWS[:2], np.zeros((5, 0)), np.zeros(5)):
        with pytest.raises(InputError, match="factors must have a row for each of the 5 words"):
            WordVectors(WORDS, rows)
    with pytest.raises(InputError, match="factors must be finite; the row of 'king' is not"):
        WordVectors(WORDS, [ROWS[0], [np.nan, 0, 0], *ROWS[2:]])


@pytest.mark.parametrize("binary", [False, True])
@settings(max_examples=40)
@given(data=st.data(), table=factor_tables(max_rows=6))
def test_files_give_back_what_was_saved(binary, data, table, tmp_path_factory):
    words = data.draw(distinct_names(len(table), words_without_blanks))
    path = tmp_path_factory.mktemp("file") / "v"
    WordVectors(words, table).save_word2vec(path, binary=binary)
    loaded = WordVectors.load_word2vec(path)
    assert list(loaded.words) == words
    assert np.array_equal(loaded.factors, table)


@pytest.mark.parametrize("binary", [False, True])
def test_gensim_reads_what_is_written_and_is_read(binary, vectors, tmp_path):
    if importlib.util.find_spec("gensim") is None:
        pytest.skip("gensim is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own imports
        from gensim.models import KeyedVectors

        vectors.save_word2vec(tmp_path / "ours", binary=binary)
        theirs = KeyedVectors.load_word2vec_format(str(tmp_path / "ours"), binary=binary)
        assert theirs.index_to_key == WORDS
        assert np.array_equal(theirs.vectors, vectors.factors)
        theirs.save_word2vec_format(str(tmp_path / "theirs"), binary=binary)
    loaded = WordVectors.load_word2vec(tmp_path / "theirs")
    assert list(loaded.words) == WORDS
    assert np.array_equal(loaded.factors, vectors.factors)


def test_rows_of_binary_files_may_lack_a_line_feed_and_files_may_be_compressed(vectors, tmp_path):
    rows = [word.encode() + b" " + row.tobytes() for word, row in zip(WORDS, vectors.factors, strict=True)]
    (tmp_path / "v.bin.gz").write_bytes(gzip.compress(b"5 3\n" + b"".join(rows)))
    assert np.array_equal(WordVectors.load_word2vec(tmp_path / "v.bin.gz").factors, vectors.factors)


def test_binary_files_are_read_in_blocks(vectors, tmp_path, monkeypatch):
    monkeypatch.setattr("vsenumba.data.text.word2vec_format._BLOCK", 5)
    vectors.save_word2vec(tmp_path / "v", binary=True)
    assert list(WordVectors.load_word2vec(tmp_path / "v").words) == WORDS


def test_blanks_in_names_become_underscores(tmp_path):
    with pytest.warns(UserWarning, match="several labels are named 'red_dot'"):
        WordVectors(Vocabulary(["red dot", "red_dot"], "label"), np.eye(2)).save_word2vec(tmp_path / "v")
    assert (tmp_path / "v").read_text().split()[:3] == ["2", "2", "red_dot"]


FLOATS = np.array([1.0, 2.0], "<f4").tobytes()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"",
            "line 1 must be the number of words and of values, such as '3000 100', or a word and its values, not b''",
        ),
        (
            b"a 1\n",
            "line 1 must be the number of words and of values, such as '3000 100', or a word and its values, not",
        ),
        (b"a b c\n", "line 1 must be the number of words"),
        (b"9" * 5000 + b" 2\n", "line 1 must be the number of words"),
        (b"2 x\na 1\n", "line 1 must be the number of words"),
        (b"0 2\n", "line 1 must be the number of words"),
        (b"-1 2\n", "line 1 must be the number of words"),
        (b"1 0\na\n", "line 1 must be the number of words"),
        (b"2 2\na 1 2\n", "line 3 must be a word and 2 values, found the end of the file"),
        (b"2 2\na 1 2\nb 1\n", "line 3 must be a word and 2 values, found 2 fields"),
        (b"2 2\na 1\nb 1 2\n", "line 2 must be a word and 2 values, found 2 fields"),
        (b"1 2\na 1 2\nb 1 2\n", "line 1 announces 1 words, but there are more"),
        (b"2 2\na 1 2\nb 1 x\n", "line 3: could not convert string to float"),
        (b"2 2\na 1 2\nb 1 nan\n", "the vector of word 2, 'b', holds NaN or an infinity"),
        (b"2 2\na 1 2\nb 1 1e99\n", "the vector of word 2, 'b', holds NaN or an infinity"),
        (b"2 2\na 1 2 3\nb 1 2 3\n", "line 1 announces 2 values, but all rows have more"),
        (b"1 2\na 1 2\n\nb 1 2\n", "line 3 is blank, but more lines follow"),
        (
            b"a 1 2\nb 1\n",
            "line 1 ends with 2 numbers and line 2 with 1; if a number is part of a word, add a first line",
        ),
        (b"a 1 2\nb 1 2 3\n", "line 1 ends with 2 numbers and line 2 with 3"),
        (b"a 1 2\nb 1 2\nc 1\n", "line 3 must be a word and 2 values, found 2 fields"),
        (b"a 1 2\nb 1 2\n\nc 1 2\n", "line 3 is blank, but more lines follow"),
        (b"1 2\na\0b 1 2\n", "word name 0 holds a NUL character"),
        (b"1 1\na 1x5\n", "line 2: could not convert string to float"),
        (b"99999999999999 9999\na 1 2\n", "more than memory holds"),
        (b"2 2\na " + FLOATS + b"\nb " + FLOATS[:-1], "truncated at word 2 of 2, or not a word2vec file"),
        (b"1 2\na " + FLOATS + b"\nb " + FLOATS, "line 1 announces 1 words, but the file is longer"),
        (b"1 2\na " + np.array([np.inf, 1], "<f4").tobytes(), "the vector of word 1, 'a', holds NaN or an infinity"),
        (b"1 2\n" + b"\xff" * 30_000, "truncated at word 1 of 1, or not a word2vec file"),
    ],
)
def test_files_that_are_wrong_are_refused(tmp_path, content, message):
    (tmp_path / "v").write_bytes(content)
    with pytest.raises(FileFormatError, match=message) as caught:
        WordVectors.load_word2vec(tmp_path / "v")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="cannot read .*nothing"):
        WordVectors.load_word2vec(tmp_path / "nothing")


def is_text_too(content):
    """Tell whether a binary file is also, byte by byte, one of text, which only its writer can tell apart."""
    header, *lines = content.removesuffix(b"\n").split(b"\n")
    n_words, n_factors = map(int, header.split())
    try:
        rows = [[float(value) for value in line.split()[1:]] for line in lines]
    except ValueError:
        return False
    return [len(row) for row in rows] == [n_factors] * n_words


# What the bytes of floats are taken from: all there are, and those that lines of text have.
BYTES = (bytes(range(256)), b"0123456789. \n-e", b"\n 1ab", bytes(range(32, 127)) + b"\n")


@settings(max_examples=100)
@given(seed=st.integers(0, 2**32), compressed=st.booleans())
def test_binary_files_are_not_taken_for_text(seed, compressed, tmp_path_factory):
    """Files whose first value's bytes are printable and followed by a line feed were: 5 of 4,000 random ones."""
    rng = np.random.default_rng(seed)
    path = tmp_path_factory.mktemp("file") / "v"
    for _ in range(20):
        n_words, n_factors = rng.integers(1, 5, 2)
        codes = np.frombuffer(BYTES[rng.integers(len(BYTES))], np.uint8)
        factors = rng.choice(codes, (n_words, 4 * n_factors)).view("<f4")
        factors = np.where(np.isfinite(factors), factors, np.float32(1)).astype("<f4")
        words = [f"w{i}" for i in range(n_words)]
        rows = (word.encode() + b" " + row.tobytes() + b"\n" for word, row in zip(words, factors, strict=True))
        content = f"{n_words} {n_factors}\n".encode() + b"".join(rows)
        path.write_bytes(gzip.compress(content, 1) if compressed else content)
        if not is_text_too(content):
            loaded = WordVectors.load_word2vec(path)
            assert list(loaded.words) == words
            assert loaded.factors.tobytes() == factors.tobytes()


def test_a_line_of_floats_that_is_no_text(tmp_path):
    """As `save_word2vec(binary=True)` wrote it, and as gensim does, without line feeds."""
    factors = np.frombuffer(b"abcd\n123 xy\n", "<f4").reshape(1, 3)
    WordVectors(["w"], factors).save_word2vec(tmp_path / "v", binary=True)
    assert WordVectors.load_word2vec(tmp_path / "v").factors.tobytes() == factors.tobytes()
    (tmp_path / "g").write_bytes(b"2 3\nw " + factors.tobytes() + b"x " + factors.tobytes())
    assert WordVectors.load_word2vec(tmp_path / "g").factors.tobytes() == 2 * factors.tobytes()


READABLE = {
    "GloVe": b"a 1 2\nb 3 4.5\n",
    "GloVe, a mark of UTF-8 first": b"\xef\xbb\xbfa 1 2\nb 3 4.5\n",
    "word2vec, a mark of UTF-8 first": b"\xef\xbb\xbf2 2\na 1 2\nb 3 4.5\n",
    "fastText, blanks at the ends": b"2 2\na 1 2 \nb 3 4.5 \n",
    "Windows": b"2 2\r\na 1 2\r\nb 3 4.5\r\n",
    "Windows, GloVe": b"a 1 2\r\nb 3 4.5\r\n",
    "tabs": b"2\t2\na\t1\t2\nb\t3\t4.5\n",
    "no last line feed": b"2 2\na 1 2\nb 3 4.5",
    "blank lines at the end": b"2 2\na 1 2\nb 3 4.5\n\n\n",
    "blank lines at the end, GloVe": b"a 1 2\nb 3 4.5\n\n \n",
}


@pytest.mark.parametrize("layout", READABLE)
@pytest.mark.parametrize("compress", [bytes, gzip.compress, lzma.compress, bz2.compress])
def test_layouts_of_text_that_are_read(layout, compress, tmp_path):
    """Without a header, compressed by bzip2, or with tabs, files were refused."""
    (tmp_path / "v").write_bytes(compress(READABLE[layout]))
    loaded = WordVectors.load_word2vec(tmp_path / "v")
    assert list(loaded.words) == ["a", "b"]
    assert loaded.factors.tolist() == [[1, 2], [3, 4.5]]


def test_words_may_hold_blanks_and_be_numbers(tmp_path):
    """As some of GloVe's 840 thousand million words do."""
    words = [". .", "at name@domain.com", "New\u00a0York", "x", "5", "1 2", "nan"]
    rows = "".join(f"{word} {i} 0.5 -1e-3\n" for i, word in enumerate(words))
    for head in ("", "7 3\n"):
        (tmp_path / "v").write_text("a 9 9 9\n" * (not head) + head + rows)
        loaded = WordVectors.load_word2vec(tmp_path / "v")
        assert list(loaded.words) == [*(["a"] * (not head)), *words]
        assert loaded.factors[-7:, 0].tolist() == list(range(7))


@pytest.mark.parametrize("binary", [False, True])
def test_words_that_stand_twice_or_cannot_be_kept_are_counted(binary, tmp_path):
    names = [b"a", b"b", b"a", b"", b"\xc3", b"b", b"\xc2\xa0", b"c\xc3\xa9"]
    rows = np.arange(16, dtype="<f4").reshape(8, 2)
    values = [row.tobytes() if binary else f"{row[0]} {row[1]}".encode() for row in rows]
    lines = b"".join(name + b" " + value + b"\n" for name, value in zip(names, values, strict=True))
    (tmp_path / "v").write_bytes(b"8 2\n" + lines)
    with pytest.warns(UserWarning, match="of 8 words") as caught:
        loaded = WordVectors.load_word2vec(tmp_path / "v")
    assert [str(one.message).partition(": ")[2] for one in caught] == [
        "of 8 words 2 appear twice, such as 'a' (the first is kept); 2 are blank and were skipped; "
        "1 contain bytes that are not UTF-8, replaced by U+FFFD, such as '\ufffd'"
    ]
    assert list(loaded.words) == ["a", "b", "\ufffd", "cé"]
    assert loaded.factors[:, 0].tolist() == [0, 2, 8, 14]


def test_many_rows_without_a_header(tmp_path):
    (tmp_path / "v").write_text("".join(f"w{i} {i} 1\n" for i in range(3000)))
    assert WordVectors.load_word2vec(tmp_path / "v").factors[:, 0].tolist() == list(range(3000))


def test_a_damaged_bzip2_file_is_refused(tmp_path):
    content = bytearray(bz2.compress(READABLE["GloVe"] * 50))
    for damaged in (content[:-9], content[:40] + b"xx" + content[42:]):
        (tmp_path / "v").write_bytes(damaged)
        with pytest.raises(FileFormatError, match="the compressed file is damaged or truncated"):
            WordVectors.load_word2vec(tmp_path / "v")


@pytest.mark.parametrize(
    ("words", "factors", "message"),
    [
        (["a", "b"], [["x"], ["y"]], "factors must be numbers, not <U1"),
        (["a", "b"], [[1, 2], [3]], "factors must be an array, or lists of equal length"),
        (["a", "b"], [[1j], [2]], "factors must be numbers, not complex128"),
        (["a", "b"], [[1e300], [2]], "factors must be finite"),
        (["a", "b"], None, "factors must be numbers, not object"),
        ({"cat", "dog"}, np.eye(2), "word names must have an order, and a set has none"),
        (5, np.eye(2), "word names must be a sequence"),
    ],
)
def test_what_no_vectors_are_made_of_is_refused(words, factors, message):
    """Found 2026-11: texts were a raw ValueError, and a set was taken in the order of its words' hashes."""
    with pytest.raises(InputError, match=message):
        WordVectors(words, factors)
    assert len(WordVectors(dict.fromkeys(["a", "b"]), np.eye(2))) == len(
        WordVectors({"a": 1, "b": 2}.keys(), np.eye(2))
    )
