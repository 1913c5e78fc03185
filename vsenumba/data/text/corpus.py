"""Corpus: running text encoded as numbers, sentence by sentence."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from os import PathLike
from typing import Any, Self

import numpy as np

from vsenumba import storage
from vsenumba.checks import whole_numbers
from vsenumba.data.digests import add_array, add_texts
from vsenumba.data.overviews import corpus_html
from vsenumba.data.text.reading import LONGEST_SENTENCE
from vsenumba.data.vocabulary import Vocabulary
from vsenumba.errors import InputError
from vsenumba.storage import schema

# Tokens and offsets stay on disk. Their values are checked once, when a corpus is made from them.
CORPUS = schema.Elements(
    {
        "words": schema.Names("n_words"),
        "counts": schema.Counts("n_words"),
        "offsets": schema.Array(schema.COUNT, ("n_sentences+1",)),
        "tokens": schema.Array(schema.INDEX, ("n_tokens",)),
        "about": schema.Object({}),
    }
)


class Corpus:
    """Text as an array of word numbers, split into sentences, without rare words.

    Parameters
    ----------
    tokens : (n_tokens,) int32 array
        The words of the text, as positions in `words`. It may be a memory map.
    offsets : (n_sentences + 1,) int64 array
        Sentence i is ``tokens[offsets[i]:offsets[i + 1]]``. No sentence may have more than 10,000 words.
    words : Vocabulary or iterable of str
        The distinct words.
    counts : (n_words,) int64 array
        How often each word occurs in the text.
    about : mapping
        A readable record of the corpus's sources and settings.

    Raises
    ------
    InputError
        If the arrays do not fit each other.

    Examples
    --------
    >>> corpus = Corpus.from_sentences([["the", "cat", "sat"], ["the", "dog", "sat"]])
    >>> corpus
    <Corpus: 6 tokens of 4 words in 2 sentences>
    >>> [(word, int(n)) for word, n in zip(corpus.words, corpus.counts)]
    [('the', 2), ('sat', 2), ('cat', 1), ('dog', 1)]
    """

    def __init__(
        self,
        tokens: np.ndarray,
        offsets: np.ndarray,
        words: Vocabulary | Iterable[str],
        counts: np.ndarray,
        about: Mapping[str, Any] | None = None,
    ) -> None:
        self.tokens = tokens
        self.offsets = offsets
        self.words = words if isinstance(words, Vocabulary) else Vocabulary(words, "word")
        self.counts = whole_numbers("counts", counts)
        self.about = dict(about or {})
        self._check()

    def _check(self) -> None:
        for name, dtype in (("tokens", np.int32), ("offsets", np.int64)):
            array = getattr(self, name)
            if array.dtype != dtype or array.ndim != 1:
                raise InputError(f"{name} must be a row of {np.dtype(dtype)}, not {array.dtype} of shape {array.shape}")
        if len(self.counts) != len(self.words):
            raise InputError(f"counts must be one per word ({len(self.words)}), not {len(self.counts)}")
        if not len(self.offsets) or self.offsets[0] != 0:
            raise InputError("offsets must rise from 0")
        for some in storage.blocks_of(self.offsets, overlap=1):
            lengths = np.diff(some)
            if (lengths < 0).any():
                raise InputError("offsets must rise from 0")
            if lengths.max(initial=0) > LONGEST_SENTENCE:
                raise InputError(f"a sentence has {lengths.max():,} words; the limit is {LONGEST_SENTENCE:,}")
        if self.offsets[-1] != len(self.tokens):
            raise InputError(f"offsets must rise to the number of tokens, {len(self.tokens)}, not {self.offsets[-1]}")
        for some in storage.blocks_of(self.tokens):
            if len(some) and not 0 <= some.min() <= some.max() < len(self.words):
                raise InputError(f"tokens must lie in 0..{len(self.words) - 1}, found {some.min()}..{some.max()}")

    @property
    def n_tokens(self) -> int:
        """The number of words in the text, counting repeats."""
        return len(self.tokens)

    @property
    def n_sentences(self) -> int:
        """The number of sentences in the text."""
        return len(self.offsets) - 1

    @property
    def n_words(self) -> int:
        """The number of different words."""
        return len(self.words)

    def __repr__(self) -> str:
        return f"<Corpus: {self.n_tokens:,} tokens of {self.n_words:,} words in {self.n_sentences:,} sentences>"

    def _repr_html_(self) -> str:
        return corpus_html(self)

    def sentence(self, i: int) -> list[str]:
        """Return the words of a sentence."""
        begin, end = self.offsets[range(self.n_sentences)[i]], self.offsets[range(self.n_sentences)[i] + 1]
        return [self.words[int(token)] for token in self.tokens[begin:end]]

    def digest(self) -> str:
        """Return a SHA-256 of the text: its words, their counts, and its sentence boundaries."""
        sha = hashlib.sha256()
        add_array(sha, self.offsets, "<i8")
        add_array(sha, self.tokens, "<i4")
        add_array(sha, self.counts, "<i8")
        add_texts(sha, self.words)
        return sha.hexdigest()

    @classmethod
    def from_sentences(
        cls, sentences: Iterable[Iterable[str]], *, min_count: int = 1, max_vocab: int | None = None
    ) -> Corpus:
        """Make a corpus in memory from sentences that are lists of words.

        Parameters
        ----------
        sentences : iterable of iterable of str
            The sentences in order, as lists, tuples or generators. A number becomes its decimal text, and words are
            converted to composed form (NFC).
        min_count, max_vocab
            As in `from_text`.

        Raises
        ------
        InputError
            If the text or a sentence is a single string, or is unordered, such as a set; or if a word is empty or is
            not a word.
        """
        # Imported here because it imports Numba, which reading other data does not need.
        from vsenumba.data.text.corpus_encoder import CorpusEncoder

        with CorpusEncoder() as encoder:
            encoder.add_sentences(sentences)
            return cls(**encoder.finish(min_count, max_vocab).arrays())

    @classmethod
    def from_text(
        cls,
        sources: str | PathLike[str] | Iterable[str | PathLike[str]],
        path: str | PathLike[str],
        *,
        sentences: str = "lines",
        tokenizer: Callable[[str], Iterable[str]] | None = None,
        min_count: int = 5,
        max_vocab: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Corpus:
        """Read text into a token file, in bounded memory, and open it.

        The function reads the text once and numbers the words in order of first use. After counting all words, it
        renumbers the words that it keeps, most frequent first.

        Parameters
        ----------
        sources : path or iterable of paths
            UTF-8 text files, or folders of them, plain or compressed with gzip, xz or bzip2. Bytes that are not valid
            UTF-8 separate words, and ``about["n_unreadable"]`` counts them. Files in a folder that are not text are
            skipped with a warning.
        path : str or path
            The token file to write, completely or not at all. See ``docs/reference/file-format.md``.
        sentences : {"lines", "paragraphs"}
            Whether a sentence is a line, or the text between empty lines. A sentence longer than 10,000 words or one
            megabyte is split.
        tokenizer : callable, optional
            A function that returns the words of a sentence. By default, words are runs of letters, digits and
            underscores, including the marks and joiners that scripts use. They are in lower case and composed form
            (NFC), without soft hyphens. The default is compiled and about ten times as fast.
        min_count : int
            Words that occur less often are removed from the text.
        max_vocab : int, optional
            The maximum number of words to keep. The most frequent words are kept.
        progress : callable, optional
            Called at short intervals with the number of words and of files read.

        Raises
        ------
        InputError
            If a source cannot be read, or no word is frequent enough.
        FileFormatError
            If a file that you named is not UTF-8 text.
        """
        from vsenumba.data.text.corpus_encoder import encode_text

        encode_text(
            sources, path, sentences=sentences, tokenizer=tokenizer, min_count=min_count, max_vocab=max_vocab,
            progress=progress,
        )  # fmt: skip
        return cls.load(path)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the corpus to a token file."""
        storage.write_file(path, "corpus", self.to_elements())

    def to_elements(self) -> dict[str, Any]:
        """Return the elements to write to a file."""
        return {
            "tokens": self.tokens,
            "offsets": self.offsets,
            "words": self.words.to_element(),
            "counts": self.counts,
            "about": storage.Json(self.about),
        }

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Open a token file. Its tokens stay on disk until they are used.

        Raises
        ------
        FileFormatError
            If it is not a token file, or is damaged. The whole file is checked.
        """
        elements = storage.read_file(path, "corpus", mapped=("tokens", "offsets")).elements
        with storage.content_of(path):
            schema.check(CORPUS, elements)
            words = Vocabulary.from_element(elements["words"], "word")
            return cls(elements["tokens"], elements["offsets"], words, elements["counts"], elements["about"])


def as_corpus(data: Any) -> Corpus:
    """Return a corpus unchanged, or make one from sentences that are lists of words."""
    if isinstance(data, Corpus):
        return data
    if isinstance(data, (str, PathLike)):
        raise InputError(f"a corpus must be a Corpus, such as Corpus.load({str(data)!r}) returns, not a path")
    if not isinstance(data, Iterable):
        raise InputError(f"a corpus must be a Corpus or lists of words, not {type(data).__name__}")
    return Corpus.from_sentences(data)
