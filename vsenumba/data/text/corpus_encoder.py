"""Text to numbers: words numbered in order of first use, counted, then renumbered by frequency."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, MappingView, Set
from contextlib import suppress
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Self

import numpy as np

from vsenumba import storage
from vsenumba.checks import check_choice, is_whole
from vsenumba.data.names import all_plain, plain
from vsenumba.data.text.reading import LONGEST_SENTENCE, REPLACEMENT, SENTENCES, folded, text_blocks, text_files
from vsenumba.data.text.word_numbers import CODE_POINTS, CharacterClasses, WordNumbers
from vsenumba.data.vocabulary import Vocabulary, as_names
from vsenumba.errors import InputError
from vsenumba.kernels.words import LETTER, LINE_END, OTHER

# When this many different words are known, which takes about 250 MB, the encoder forgets the rarest.
_MOST_WORDS = 2_000_000

# The number of sentences to number together when sentences are lists of words.
_SENTENCES = 10_000

# Separators for words and sentences in that case. A word cannot contain them.
_BETWEEN, _END = "\0", "\1"


@dataclass(frozen=True)
class EncodedText:
    """Text as numbers. The file on disk has the words' original numbers.

    Attributes
    ----------
    words : Vocabulary
        The words that were kept, most frequent first. Equally frequent words are in order of first use.
    counts : (n_words,) int64 array
        How often each word occurs in the text.
    blocks : callable
        Returns a new iterator over the text at each call. Each item is the tokens of some sentences, and the lengths of
        those sentences.
    """

    words: Vocabulary
    counts: np.ndarray
    blocks: Callable[[], Iterator[tuple[np.ndarray, np.ndarray]]]

    def arrays(self) -> dict[str, Any]:
        """Return the corpus's arrays, in memory."""
        blocks = list(self.blocks())
        return {
            "tokens": np.concatenate([tokens for tokens, _ in blocks]),
            "offsets": np.cumsum(np.concatenate([[0], *(lengths for _, lengths in blocks)]), dtype=np.int64),
            "words": self.words,
            "counts": self.counts,
        }

    def elements(self, about: Mapping[str, Any]) -> dict[str, Any]:
        """Return the elements to write to a file, with the text in blocks."""
        n_sentences = sum(len(lengths) for _, lengths in self.blocks())
        return {
            "tokens": storage.Stream("<i4", int(self.counts.sum()), (tokens for tokens, _ in self.blocks())),
            "offsets": storage.Stream("<i8", n_sentences + 1, self._offsets()),
            "words": self.words.to_element(),
            "counts": self.counts,
            "about": storage.Json({**about, "n_sentences": n_sentences}),
        }

    def _offsets(self) -> Iterator[np.ndarray]:
        done = 0
        yield np.zeros(1, np.int64)
        for _, lengths in self.blocks():
            yield done + np.cumsum(lengths, dtype=np.int64)
            done += int(lengths.sum())


class CorpusEncoder:
    """Number the words of texts, and keep the numbers in temporary files that vanish with the encoder.

    Parameters
    ----------
    path : path, optional
        The file that the text will go to. The temporary files are created in the same folder. By default, they are in
        the system's temporary folder.
    """

    def __init__(self, path: str | PathLike[str] | None = None) -> None:
        folder = tempfile.gettempdir() if path is None else Path(path).absolute().parent
        self._target = folder if path is None else path
        self._numbers = WordNumbers()
        self._classes = CharacterClasses()
        self._joined = np.full(CODE_POINTS, LETTER, np.uint8)
        self._joined[[ord(_BETWEEN), ord(_END)]] = OTHER, LINE_END
        self._sizes: list[tuple[int, int]] = []
        with storage.named_errors(self._target):
            self._tokens = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by __exit__
            self._lengths = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
        self.n_tokens = 0
        self.n_forgotten = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for file in (self._tokens, self._lengths):
            with suppress(OSError):  # unwritten data is no longer needed
                file.close()

    def add_text(self, text: str, rule: str) -> None:
        """Add the words of a text in lower case, with sentences defined by `rule`."""
        codes = _codes(folded(text))
        self._classes.learn(codes)
        self._add(codes, self._classes.table, paragraphs=rule == "paragraphs")

    def add_sentences(self, sentences: Iterable[Iterable[str]]) -> None:
        """Add sentences, each a list of words.

        Raises
        ------
        InputError
            If the text or a sentence is a single string, or is unordered, such as a set; or if a word is empty, is not
            a word, or contains the control character 0 or 1.
        """
        sentences = _in_order(sentences, "a text", "sentences")
        lists = (list(_in_order(sentence, "a sentence", "words")) for sentence in sentences)
        while some := list(itertools.islice(lists, _SENTENCES)):
            # Join them into one text for the kernel, with control characters between the words.
            text = _joined(some)
            if self._add(_codes(text), self._joined, paragraphs=False) != sum(map(len, some)):
                raise InputError("a word must not be empty or contain the control characters 0 and 1")

    def _add(self, codes: np.ndarray, classes: np.ndarray, *, paragraphs: bool) -> int:
        tokens, lengths = self._numbers.add(codes, classes, paragraphs=paragraphs)
        self._sizes.append((len(tokens), len(lengths)))
        with storage.named_errors(self._target):
            self._tokens.write(tokens.data)
            self._lengths.write(lengths.data)
        self.n_tokens += len(tokens)
        if self._numbers.n_known > _MOST_WORDS:
            self.n_forgotten += self._numbers.forget_rarest()
        return len(tokens)

    def finish(self, min_count: int, max_vocab: int | None) -> EncodedText:
        """Choose the words to keep, and return the text renumbered. The encoder must stay open while you use the text.

        Raises
        ------
        InputError
            If no word is frequent enough.
        """
        with storage.named_errors(self._target):
            self._tokens.flush()
            self._lengths.flush()
        for name, value in (("min_count", min_count), ("max_vocab", 1 if max_vocab is None else max_vocab)):
            if not is_whole(value):
                raise InputError(f"{name} must be a whole number of at least 1, not {value!r}")
        numbers = self._numbers.known()
        counts = self._numbers.counts[numbers]
        order = np.argsort(-counts, kind="stable")
        order = order[counts[order] >= min_count][:max_vocab]
        if not len(order):
            raise InputError(
                f"no word is frequent enough with min_count={min_count}; the text has {self.n_tokens:,} words, "
                f"{len(numbers):,} of them different. Use a smaller min_count"
            )
        final = np.full(len(self._numbers), -1, np.int32)
        final[numbers[order]] = np.arange(len(order))
        words = Vocabulary(self._numbers.names(numbers[order]), "word")
        return EncodedText(words, counts[order], lambda: self._blocks(final))

    def _blocks(self, final: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        places = [0, 0]
        for n_tokens, n_sentences in self._sizes:
            # Two readers may alternate, so each keeps its own position.
            tokens = final[_read(self._tokens, places[0], n_tokens)]
            ends = np.cumsum(_read(self._lengths, places[1], n_sentences))
            places = [places[0] + n_tokens, places[1] + n_sentences]
            stays = tokens >= 0
            left = np.concatenate(([0], np.cumsum(stays)))[np.concatenate(([0], ends))]
            lengths = np.diff(left)
            yield tokens[stays], _cut(lengths[lengths > 0])


def _read(file: Any, place: int, n: int) -> np.ndarray:
    file.seek(4 * place)
    return np.frombuffer(file.read(4 * n), np.int32)


def _cut(lengths: np.ndarray) -> np.ndarray:
    """Return sentence lengths, with lengths over the limit split into parts."""
    if lengths.max(initial=0) <= LONGEST_SENTENCE:
        return lengths
    parts = (lengths + LONGEST_SENTENCE - 1) // LONGEST_SENTENCE
    cut = np.full(parts.sum(), LONGEST_SENTENCE)
    cut[np.cumsum(parts) - 1] = lengths - (parts - 1) * LONGEST_SENTENCE
    return cut


def encode_text(
    sources: str | PathLike[str] | Iterable[str | PathLike[str]],
    path: str | PathLike[str],
    *,
    sentences: str,
    tokenizer: Callable[[str], Iterable[str]] | None,
    min_count: int,
    max_vocab: int | None,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Read text into a token file. See `Corpus.from_text`."""
    storage.check_writable(path)
    files = text_files(sources)
    check_choice("sentences", sentences, SENTENCES)
    if tokenizer is not None and not callable(tokenizer):
        raise InputError(f"tokenizer must be a function from a text to its words, not {tokenizer!r}")
    n_unreadable = 0
    with CorpusEncoder(path) as encoder:
        for n_files, file in enumerate(files):
            for text in text_blocks(file, sentences):
                n_unreadable += text.count(REPLACEMENT)
                if tokenizer is None:
                    encoder.add_text(text, sentences)
                else:
                    encoder.add_sentences(map(tokenizer, SENTENCES[sentences].split(text)))
                if progress is not None:
                    progress(encoder.n_tokens, n_files)
        about = {
            "sources": [file.name for file in files],
            "sentences": sentences,
            "tokenizer": "words" if tokenizer is None else getattr(tokenizer, "__name__", type(tokenizer).__name__),
            "min_count": int(min_count),
            "max_vocab": max_vocab,
            "n_tokens_read": encoder.n_tokens,
            "n_unreadable": n_unreadable,
            "n_forgotten": encoder.n_forgotten,
        }
        storage.write_file(path, "corpus", encoder.finish(min_count, max_vocab).elements(about))


def _codes(text: str) -> np.ndarray:
    """Return the code points of a text as uint32."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def _joined(sentences: list[list[Any]]) -> str:
    """Return sentences as one text, with their words in canonical form."""
    try:
        text = _END.join(map(_BETWEEN.join, sentences))
    except TypeError:  # not all of them are text
        return _END.join(_BETWEEN.join(as_names(words, "word").tolist()) for words in sentences)
    return text if all_plain(text) else _END.join(_BETWEEN.join(map(plain, words)) for words in sentences)


def _in_order(items: Iterable[Any], what: str, kind: str) -> Iterator[Any]:
    """Return an iterator over sentences or words, after checking that they are ordered."""
    if isinstance(items, (str, bytes)):
        raise InputError(f"{what} must be a list of {kind}, not one text {items!r:.60}; split it first")
    if isinstance(items, (Set, Mapping, MappingView)):
        raise InputError(
            f"{what} must be a list of {kind}, not a {type(items).__name__}, which does not keep the "
            "order of a text; use "
            "a list"
        )
    try:
        return iter(items)
    except TypeError:
        raise InputError(f"{what} must be a list of {kind}, not {items!r:.60}") from None
