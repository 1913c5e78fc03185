"""Word vectors: neighbours, analogies, and word2vec's files in and out."""

from __future__ import annotations

import gzip
import importlib.util
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import distinct_names, factor_tables

from vsenumba.data import ANALOGIES, Vocabulary, WordVectors
from vsenumba.errors import FileFormatError, InputError, UnknownNameError

WORDS = ["man", "king", "woman", "queen", "river"]
ROWS = [[1, 0, 0.1], [1, 1, 0.1], [-1, 0.2, 0.1], [-1, 1.2, 0.1], [0, 0, 5]]
words_without_blanks = st.text(st.characters(exclude_categories=["Cs", "Z", "Cc"]), min_size=1, max_size=8).filter(
    lambda word: word == "".join(word.split())
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
    found = vectors.neighbors(f"w{row}", n)
    others = np.delete(cosines, row)
    assert len(found) == min(n, len(others))
    assert [one.score for one in found] == pytest.approx(sorted(others, reverse=True)[:n], abs=1e-5)
    assert f"w{row}" not in {one.name for one in found}
    assert all(cosines[int(one.name[1:])] == pytest.approx(one.score, abs=1e-5) for one in found)


def test_neighbors_of_a_vector(vectors):
    assert vectors.neighbors(np.array([0, 0, 1]), 1)[0] == ("river", pytest.approx(1))
    assert [one.score for one in vectors.neighbors(np.zeros(3))] == [0] * 5
    for bad in (np.zeros(2), [np.nan, 0, 0]):
        with pytest.raises(InputError, match="a vector must be 3 finite numbers"):
            vectors.neighbors(bad)


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
    with pytest.warns(UserWarning, match="several labels are called 'red_dot'"):
        WordVectors(Vocabulary(["red dot", "red_dot"], "label"), np.eye(2)).save_word2vec(tmp_path / "v")
    assert (tmp_path / "v").read_text().split()[:3] == ["2", "2", "red_dot"]


FLOATS = np.array([1.0, 2.0], "<f4").tobytes()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "line 1 must be the number of words and of values, such as '3000 100', not b''"),
        (b"a 1 2\n", "line 1 must be the number of words"),
        (b"2 x\na 1\n", "line 1 must be the number of words"),
        (b"0 2\n", "line 1 must be the number of words"),
        (b"-1 2\n", "line 1 must be the number of words"),
        (b"1 0\na\n", "line 1 must be the number of words"),
        (b"2 2\na 1 2\n", "line 3 must be a word and 2 values, found is the end of the file"),
        (b"2 2\na 1 2\nb 1\n", "line 3 must be a word and 2 values, found is 2 fields"),
        (b"2 2\na 1\nb 1 2\n", "line 2 must be a word and 2 values, found is 2 fields"),
        (b"1 2\na 1 2\nb 1 2\n", "line 1 announces 1 words, but there are more"),
        (b"2 2\na 1 2\nb 1 x\n", "line 3: could not convert string to float"),
        (b"2 2\na 1 2\nb 1 nan\n", "the vector of word 2, 'b', holds NaN or an infinity"),
        (b"2 2\na 1 2\na 1 2\n", "word 'a' stands twice"),
        (b"99999999999999 9999\na 1 2\n", "more than memory holds"),
        (b"2 2\na " + FLOATS + b"\nb " + FLOATS[:-1], "cut off, or not word2vec's, at word 2 of 2"),
        (b"1 2\na " + FLOATS + b"\nb " + FLOATS, "line 1 announces 1 words, but there is more"),
        (b"1 2\na " + np.array([np.inf, 1], "<f4").tobytes(), "the vector of word 1, 'a', holds NaN or an infinity"),
        (b"1 2\n" + b"\xff" * 30_000, "cut off, or not word2vec's, at word 1 of 1"),
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
