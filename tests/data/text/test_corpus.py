"""Text to numbers: words and sentences as the rules say, whatever the text; token files; bad input."""

from __future__ import annotations

import gzip
import lzma
import re
import unicodedata
from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from strategies import corpora

from vsenumba.data import Corpus
from vsenumba.data.names import plain
from vsenumba.data.text.corpus import LONGEST_SENTENCE, as_corpus
from vsenumba.data.text.corpus_encoder import CorpusEncoder
from vsenumba.data.text.reading import SENTENCES, text_blocks
from vsenumba.data.text.reading import words_of as short_words_of
from vsenumba.errors import FileFormatError, InputError, UnknownNameError

letters = st.characters(exclude_categories=["Cs"])
texts = st.text(st.sampled_from("ab.1_ \n\n\t\r\u0301\u200c\u200d\u00ad") | letters, max_size=60)


def words_of(text):
    """Return a text's words as the documentation says, in lower case.

    A word begins with a letter, digit or underscore, goes on with these, marks, joiners and non-joiners, and does not
    end with a non-joiner. Soft hyphens are dropped.
    """
    words = [""]
    for character in unicodedata.normalize("NFC", text.lower().replace("\u00ad", "")):
        begins = character.isalnum() or character == "_"
        goes_on = begins or character in "\u200c\u200d" or unicodedata.category(character)[0] == "M"
        if begins or (goes_on and words[-1]):
            words[-1] += character
        elif words[-1]:
            words.append("")
    return [word.rstrip("\u200c") for word in words if word]


def sentences_of(text, rule):
    ends = {"lines": "\n", "paragraphs": "\n[ \t\r\f\v]*\n"}[rule]
    return [words for words in map(words_of, re.split(ends, text)) if words]


def all_sentences(corpus):
    return [corpus.sentence(i) for i in range(corpus.n_sentences)]


@pytest.mark.parametrize("rule", SENTENCES)
@given(text=texts)
@example(text="a\n \n\nb.\n--\nc")
@example(text="naïve e\u0301t मानक हिन्दी\u00a0x")
@example(text="می\u200cروم می\u200c. അവന്\u200d \u2764\ufe0f co\u00adop -\u00ad-\n\u00ad\n\u0301\n\n")
def test_words_and_sentences_are_those_of_the_rules(rule, text):
    expected = sentences_of(text, rule)
    with CorpusEncoder() as encoder:
        encoder.add_text(text, rule)
        if not expected:
            with pytest.raises(InputError, match="no word is frequent enough"):
                encoder.finish(1, None)
            return
        corpus = Corpus(**encoder.finish(1, None).arrays())
    assert all_sentences(corpus) == expected
    counts = Counter(word for words in expected for word in words)
    assert dict(zip(corpus.words, corpus.counts.tolist(), strict=True)) == counts
    # The most frequent first; of equally frequent ones the one that came first.
    assert list(corpus.words) == [word for word, _ in counts.most_common()]


@given(text=texts)
@example(text="می\u200cروم \u200c\u200dx\u0301\u00ad\u00ady\u200c\u200d\u200c")
def test_short_texts_are_taken_apart_by_the_same_rule(text):
    assert short_words_of(text) == words_of(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("می\u200cروم خانه\u200cها", ["می\u200cروم", "خانه\u200cها"]),  # Persian: non-joiners within words
        ("ക്\u200dഷ അവന്\u200d", ["ക്\u200dഷ", "അവന്\u200d"]),  # Malayalam: joiners, also at the end
        ("क्\u200dष हिन्\u200cदी", ["क्\u200dष", "हिन्\u200cदी"]),  # Hindi
        ("co\u00adoperate", ["cooperate"]),
        ("می\u200c x\u200c\u200c.", ["می", "x"]),  # behind a word it is not seen and means nothing
        ("\u2764\ufe0f \U0001f469\u200d\u2764\ufe0f\u200d\U0001f468 a", ["a"]),  # no words of marks alone
    ],
)
def test_joiners_stay_and_soft_hyphens_go(text, words):
    """Joiners and soft hyphens split words; what selects an emoji's look was a word."""
    with CorpusEncoder() as encoder:
        encoder.add_text(text, "lines")
        assert all_sentences(Corpus(**encoder.finish(1, None).arrays())) == [words]
    assert short_words_of(text) == words


@settings(max_examples=30)
@given(text=texts, block=st.integers(1, 20), rule=st.sampled_from(sorted(SENTENCES)))
@example(text="ab\n\nab a", block=1, rule="paragraphs")
@example(text="éééééé", block=1, rule="lines")
def test_a_text_is_the_same_in_whatever_blocks_it_is_read(text, block, rule, tmp_path_factory):
    path = tmp_path_factory.mktemp("text") / "a.txt"
    path.write_bytes(text.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vsenumba.data.text.reading._BLOCK", block)
        read = list(text_blocks(path, rule))
    assert "".join(read) == text
    patch_free = list(text_blocks(path, rule))
    assert "".join(patch_free) == text
    # Where no sentence is longer than a block, blocks end where sentences do.
    if all(len(one.encode()) < block for one in re.split(SENTENCES[rule], text)):
        assert [s for one in read for s in sentences_of(one, rule)] == sentences_of(text, rule)


@given(sentences=st.lists(st.lists(st.text(letters.filter(lambda c: c not in "\0\1"), min_size=1, max_size=3))))
def test_lists_of_words_come_back(sentences):
    sentences = [[plain(word) for word in words if plain(word)] for words in sentences]
    if not any(sentences):
        return
    assert all_sentences(Corpus.from_sentences(sentences)) == [words for words in sentences if words]


def test_rare_words_and_more_than_are_wanted_are_left_out():
    sentences = [list("aab"), list("abc"), ["d"]]
    assert all_sentences(Corpus.from_sentences(sentences, min_count=2)) == [list("aab"), list("ab")]
    assert all_sentences(Corpus.from_sentences(sentences, max_vocab=1)) == [list("aa"), ["a"]]
    with pytest.raises(
        InputError, match="no word is frequent enough with min_count=9; the text has 7 words, 4 of them different"
    ):
        Corpus.from_sentences(sentences, min_count=9)
    for arguments in ({"min_count": 0}, {"max_vocab": 0}, {"min_count": 1.5}, {"max_vocab": True}):
        with pytest.raises(InputError, match="must be a whole number of at least 1"):
            Corpus.from_sentences(sentences, **arguments)


def test_long_sentences_are_cut():
    n = LONGEST_SENTENCE
    corpus = Corpus.from_sentences([["a"] * (2 * n + 1), ["b"], ["a"] * n])
    assert np.diff(corpus.offsets).tolist() == [n, n, 1, 1, n]


def test_the_rarest_words_are_forgotten_when_there_are_too_many(monkeypatch):
    monkeypatch.setattr("vsenumba.data.text.corpus_encoder._MOST_WORDS", 50)
    rng = np.random.default_rng(0)
    text = [[f"rare{rng.integers(1 << 40)}", "common", f"often{i % 5}"] for i in range(300)]
    with CorpusEncoder() as encoder:
        for one in text:
            encoder.add_sentences([one])
        corpus = Corpus(**encoder.finish(1, None).arrays())
        assert encoder.n_forgotten > 100
    counts = dict(zip(corpus.words, corpus.counts.tolist(), strict=True))
    assert counts["common"] == 300
    assert all(counts[f"often{i}"] == 60 for i in range(5))
    assert len(counts) <= 56


class TestTextFiles:
    @pytest.fixture
    def text(self, tmp_path):
        folder = tmp_path / "texts"
        (folder / "deep").mkdir(parents=True)
        (folder / "a.txt").write_text("One two.\nTwo\n")
        (folder / "deep" / "b.txt.gz").write_bytes(gzip.compress(b"three two\n"))
        (folder / "c.xz").write_bytes(lzma.compress("vier zwölf".encode()))
        (folder / ".hidden").write_text("hidden")
        return folder

    def test_folders_plain_and_compressed(self, text, tmp_path):
        told = []
        corpus = Corpus.from_text(text, tmp_path / "c.h5", min_count=1, progress=lambda *done: told.append(done))
        assert all_sentences(corpus) == [["one", "two"], ["two"], ["vier", "zwölf"], ["three", "two"]]
        assert corpus.about["sources"] == ["a.txt", "c.xz", "b.txt.gz"]
        assert corpus.about["n_tokens_read"] == 7
        assert told[-1] == (7, 2)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["c.h5", "texts"]

    def test_a_tokenizer_of_ones_own(self, text, tmp_path):
        corpus = Corpus.from_text(text / "a.txt", tmp_path / "c.h5", min_count=1, tokenizer=str.split)
        assert all_sentences(corpus) == [["One", "two."], ["Two"]]
        assert corpus.about["tokenizer"] == "split"
        with pytest.raises(InputError, match="tokenizer must be a function"):
            Corpus.from_text(text, tmp_path / "d.h5", tokenizer="words")
        with pytest.raises(InputError, match="a sentence must be a list of words, not one text"):
            Corpus.from_text(text, tmp_path / "d.h5", tokenizer=str.lower)
        with pytest.raises(InputError, match="a word must not be empty"):
            Corpus.from_text(text, tmp_path / "d.h5", tokenizer=lambda line: ["a", ""])
        assert not (tmp_path / "d.h5").exists()

    def test_bytes_that_are_not_utf8_part_words_and_are_counted(self, tmp_path):
        (tmp_path / "a.txt").write_bytes(b"caf\xe9 bar\nna\xc3\xafve \xff\xfe\n")
        corpus = Corpus.from_text(tmp_path / "a.txt", tmp_path / "c.h5", min_count=1)
        assert all_sentences(corpus) == [["caf", "bar"], ["naïve"]]
        assert corpus.about["n_unreadable"] == 3

    @pytest.mark.parametrize("content", ["word and text " * 9_000, "x" * 99_999, "é" * 50_000, "a\n" * 50_000])
    @pytest.mark.parametrize("rule", SENTENCES)
    def test_a_line_or_a_word_however_long_is_read_in_blocks(self, tmp_path, monkeypatch, content, rule):
        monkeypatch.setattr("vsenumba.data.text.reading._BLOCK", 1000)
        (tmp_path / "a.txt").write_text(content)
        read = list(text_blocks(tmp_path / "a.txt", rule))
        assert "".join(read) == content
        assert max(map(len, read)) <= 3000

    @pytest.mark.parametrize("content", [b"", b"\n\n", b"...\n"])
    def test_texts_without_words(self, tmp_path, content):
        (tmp_path / "a.txt").write_bytes(content)
        with pytest.raises(InputError, match="no word is frequent enough"):
            Corpus.from_text(tmp_path / "a.txt", tmp_path / "c.h5")
        assert not (tmp_path / "c.h5").exists()

    def test_what_cannot_be_read_or_written(self, text, tmp_path):
        (tmp_path / "empty").mkdir()
        with pytest.raises(InputError, match="nowhere: there is no such file or folder"):
            Corpus.from_text([text, tmp_path / "nowhere"], tmp_path / "c.h5")
        with pytest.raises(InputError, match="empty: the folder has no files"):
            Corpus.from_text(tmp_path / "empty", tmp_path / "c.h5")
        with pytest.raises(InputError, match="no text was given"):
            Corpus.from_text([], tmp_path / "c.h5")
        with pytest.raises(InputError, match="there is no folder"):
            Corpus.from_text(text, tmp_path / "nowhere" / "c.h5")
        with pytest.raises(UnknownNameError, match="unknown sentences 'line'; did you mean 'lines'"):
            Corpus.from_text(text, tmp_path / "c.h5", sentences="line")
        (tmp_path / "cut.gz").write_bytes(gzip.compress(b"one two three" * 99)[:-20])
        with pytest.raises(FileFormatError, match="truncated"):
            Corpus.from_text(tmp_path / "cut.gz", tmp_path / "c.h5")


@settings(max_examples=20)
@given(corpus=corpora())
def test_files_give_back_what_was_saved(corpus, tmp_path_factory):
    path = tmp_path_factory.mktemp("file") / "c.h5"
    corpus.save(path)
    loaded = Corpus.load(path)
    assert isinstance(loaded.tokens, np.memmap)
    assert all_sentences(loaded) == all_sentences(corpus)
    assert np.array_equal(loaded.counts, corpus.counts)
    assert list(loaded.words) == list(corpus.words)


def test_a_flipped_bit_in_the_tokens_is_found(tmp_path):
    corpus = Corpus.from_sentences([["a", "b", "c"] * 1000])
    corpus.save(tmp_path / "c.h5")
    raw = bytearray((tmp_path / "c.h5").read_bytes())
    at = raw.find(corpus.tokens.tobytes())
    raw[at + 500] ^= 1
    (tmp_path / "c.h5").write_bytes(raw)
    with pytest.raises(FileFormatError, match="tokens is damaged"):
        Corpus.load(tmp_path / "c.h5")


def test_arrays_that_do_not_fit_are_refused():
    good = {"tokens": np.array([0, 1], np.int32), "offsets": np.array([0, 2]), "words": ["a", "b"], "counts": [1, 1]}
    Corpus(**good)
    for bad, message in [
        ({"tokens": np.array([0, 2], np.int32)}, r"tokens must lie in 0\.\.1, found 0\.\.2"),
        ({"tokens": np.array([0, -1], np.int32)}, r"found -1\.\.0"),
        ({"tokens": np.array([0, 1])}, "tokens must be a row of int32, not int64"),
        ({"offsets": np.array([0, 1])}, "offsets must rise to the number of tokens, 2, not 1"),
        ({"offsets": np.array([1, 2])}, "offsets must rise from 0"),
        ({"offsets": np.array([0, 3, 2])}, "offsets must rise from 0"),
        ({"offsets": np.zeros(0, np.int64)}, "offsets must rise from 0"),
        ({"counts": [1]}, r"counts must be one per word \(2\), not 1"),
        ({"words": ["a", "a"]}, "word 'a' appears twice"),
    ]:
        with pytest.raises(InputError, match=message):
            Corpus(**good | bad)
    long = LONGEST_SENTENCE + 1
    with pytest.raises(InputError, match="a sentence has 10,001 words; the limit is 10,000"):
        Corpus(np.zeros(long, np.int32), np.array([0, long]), ["a"], [long])


def test_what_is_no_corpus_is_refused():
    corpus = Corpus.from_sentences([["a", "b"]])
    assert as_corpus(corpus) is corpus
    assert as_corpus([["a", "b"]]).n_tokens == 2
    for bad, message in [
        ("text.h5", r"such as Corpus\.load\('text\.h5'\)"),
        (3, "must be a Corpus or lists of words, not int"),
        (["a b"], "a sentence must be a list of words, not one text 'a b'"),
    ]:
        with pytest.raises(InputError, match=message):
            as_corpus(bad)


def test_composed_and_decomposed_letters_are_one(tmp_path):
    """They look alike, and were two words."""
    for composed in ("Müller", "한국"):
        both = [composed, unicodedata.normalize("NFD", composed)]
        assert both[0] != both[1]
        assert list(Corpus.from_sentences([both, ["x"]]).words) == [composed, "x"]
        (tmp_path / "a.txt").write_text(" ".join(both), encoding="utf-8")
        corpus = Corpus.from_text(tmp_path / "a.txt", tmp_path / "c.h5", min_count=1)
        assert list(corpus.words) == [composed.lower()]
        assert short_words_of(" ".join(both)) == [composed.lower()] * 2


@pytest.mark.parametrize(
    ("sentence", "message"),
    [
        ({"a", "b"}, r"not a set, which does not keep the order of a text; use a list"),
        (frozenset("ab"), "not a frozenset"),
        ({"a": 1, "b": 2}, "not a dict"),
        ({"a": 1, "b": 2}.keys(), "not a dict_keys"),
        (Counter("ab"), "not a Counter"),
        (b"a b", "not one text b'a b'"),
        (3, "not 3"),
        (np.array(3), r"not array\(3\)"),
        (["a", None], "word name 1 is empty"),
        (["a", float("nan")], "word name 1 is empty"),
    ],
)
def test_sentences_without_an_order_or_words_are_refused(sentence, message):
    """The order of a set follows Python's hash seed; a Counter lost its counts, None became a word."""
    with pytest.raises(InputError, match=message):
        Corpus.from_sentences([["a", "b"], sentence])


def test_texts_without_an_order_are_refused():
    for text in ({("a", "b"), ("c", "d")}, {"a": ["b", "c"]}, "the cat", b"the cat"):
        with pytest.raises(InputError, match="a text must be a list of sentences, not"):
            Corpus.from_sentences(text)


def test_generators_tuples_arrays_and_numbers_are_sentences():
    text = ((word for word in "ab"), ("b", 2), np.array([2, 7]), [np.str_("a"), np.int64(7)])
    corpus = Corpus.from_sentences(sentence for sentence in text)
    assert all_sentences(corpus) == [["a", "b"], ["b", "2"], ["2", "7"], ["a", "7"]]


NO_TEXT = {
    "program": (b"\x7fELF\2\1\1\0" + bytes(range(256)), "it contains NUL bytes"),
    "picture.png": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "it contains NUL bytes"),
    "wide.txt": ("naïve text".encode("utf-16"), "it is UTF-16; convert it"),
    "other-end.txt": (b"\xfe\xff\0a\0b", "it is UTF-16; convert it"),
    "without-mark.txt": ("plain".encode("utf-16-le"), "it contains NUL bytes"),
    "russian.txt": ("Привет мир, как дела".encode("cp1251"), "80% of it is not valid UTF-8"),
    "program.gz": (gzip.compress(b"\x7fELF\0"), "it contains NUL bytes"),
}


@pytest.mark.parametrize("name", NO_TEXT)
def test_files_that_are_no_text_are_refused(name, tmp_path):
    """A program trained 2,040 words."""
    content, reason = NO_TEXT[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileFormatError, match=f"{name} is not text in UTF-8: {reason}"):
        Corpus.from_text([tmp_path / name], tmp_path / "c.h5", min_count=1)
    assert not (tmp_path / "c.h5").exists()


def test_a_folder_is_read_without_the_files_that_are_no_text(tmp_path):
    folder = tmp_path / "texts"
    folder.mkdir()
    for name, (content, _) in NO_TEXT.items():
        (folder / name).write_bytes(content)
    with pytest.raises(
        InputError, match="7 of 7 files in .* cannot be read as text in UTF-8, such as other-end.txt: it "
    ):
        Corpus.from_text(folder, tmp_path / "c.h5", min_count=1)
    (folder / "a.txt").write_text("one two")
    with pytest.warns(
        UserWarning, match="7 of 8 files in .* cannot be read as text in UTF-8 and were skipped, such as"
    ):
        corpus = Corpus.from_text(folder, tmp_path / "c.h5", min_count=1)
    assert all_sentences(corpus) == [["one", "two"]]
    assert corpus.about["sources"] == ["a.txt"]


def test_the_digest_tells_texts_apart(tmp_path):
    one = Corpus.from_sentences([["a", "b"], ["a"]])
    one.save(tmp_path / "a.h5")
    assert one.digest() == Corpus.load(tmp_path / "a.h5").digest()
    others = [[["a"], ["b", "a"]], [["a", "b", "a"]], [["a", "c"], ["a"]], [["b", "a"], ["a"]]]
    digests = {Corpus.from_sentences(sentences).digest() for sentences in others}
    assert len(digests | {one.digest()}) == len(others) + 1
