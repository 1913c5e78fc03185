"""Running text: read files and folders in blocks, and split them into sentences and words."""

from __future__ import annotations

import codecs
import functools
import itertools
import re
import unicodedata
import warnings
from collections.abc import Iterable, Iterator
from os import PathLike
from pathlib import Path
from typing import BinaryIO

from vsenumba.data.compression import open_decompressed
from vsenumba.errors import FileFormatError, InputError
from vsenumba.storage import exists

# The bytes of text to process together. A longer sentence is split at whitespace.
_BLOCK = 1 << 20

# Longer sentences are split, as in word2vec, because training holds each sentence as a whole.
LONGEST_SENTENCE = 10_000

# The replacement for bytes that are not UTF-8. No word contains it.
REPLACEMENT = "\ufffd"

# The bytes at the start of a file to check for text, and the largest share of them that may be unreadable. In Latin-1,
# about 3 % of German text is unreadable; in a code page, most Russian text is.
_HEAD = 1 << 16
_UNREADABLE = 0.3

# The end of a sentence, for each rule.
SENTENCES = {"lines": re.compile(r"\n"), "paragraphs": re.compile(r"\n[ \t\r\f\v]*\n")}

# The characters that an empty line may contain.
BLANKS = " \t\r\f\v"

# Invisible characters. A joiner shapes the preceding letter. A non-joiner separates letters within a word, as in
# Persian, and has no meaning after a word. A soft hyphen marks where a word may be broken.
JOINER, NON_JOINER, SOFT_HYPHEN = "\u200d", "\u200c", "\u00ad"


def text_files(sources: str | PathLike[str] | Iterable[str | PathLike[str]]) -> list[Path]:
    """Return the files in `sources`: named files, and all files in folders in order of name.

    Raises
    ------
    InputError
        If a file or folder does not exist, or a folder has no text. Files whose names begin with a dot are ignored.
    FileFormatError
        If a file that you named is not text.

    Warns
    -----
    UserWarning
        If a folder has files that are not text. They are skipped.
    """
    files: list[Path] = []
    if not isinstance(sources, (str, PathLike, Iterable)):
        raise InputError(f"sources must be paths of files and folders, not {sources!r:.60}")
    for source in [sources] if isinstance(sources, (str, PathLike)) else sources:
        if not isinstance(source, (str, PathLike)):
            raise InputError(f"a source must be the path of a file or folder, not {source!r:.60}")
        path = Path(source)
        if not exists(path):
            raise InputError(f"cannot read {path}: there is no such file or folder")
        if path.is_dir():
            files += _texts_of(path)
            continue
        check_text(path)
        files.append(path)
    if not files:
        raise InputError("no text was given; give files or folders")
    return files


def _texts_of(folder: Path) -> list[Path]:
    inside = sorted(one for one in folder.rglob("*") if one.is_file() and not _is_hidden(one.relative_to(folder)))
    if not inside:
        raise InputError(f"cannot read {folder}: the folder has no files")
    reasons = {path: reason for path in inside if (reason := _why_no_text(path)) is not None}
    if reasons:
        found = f"{len(reasons):,} of {len(inside):,} files in {folder} cannot be read as text in UTF-8"
        first = next(iter(reasons))
        example = f"{first.relative_to(folder)}: {reasons[first]}"
        if len(reasons) == len(inside):
            raise InputError(f"{found}, such as {example}")
        warnings.warn(f"{found} and were skipped, such as {example}", UserWarning, stacklevel=2)
    return [path for path in inside if path not in reasons]


def check_text(path: Path) -> None:
    """Check the beginning of a file, plain or compressed, and reject it if it is not UTF-8 text.

    Raises
    ------
    FileFormatError
        If the file is not UTF-8 text. The message gives the reason.
    """
    reason = _why_no_text(path)
    if reason is not None:
        raise FileFormatError(f"{path} is not text in UTF-8: {reason}")


def _why_no_text(path: Path) -> str | None:
    """Return the reason why a file is not UTF-8 text, judged by its beginning, or None if it is."""
    with open_decompressed(path) as stream:
        head = stream.read(_HEAD)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "it is UTF-16; convert it with iconv -f UTF-16 -t UTF-8"
    if b"\0" in head:
        return "it contains NUL bytes"
    text = head.decode("utf-8", "replace")
    share = text.count(REPLACEMENT) / max(len(text), 1)
    return f"{share:.0%} of it is not valid UTF-8" if share > _UNREADABLE else None


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def text_blocks(path: Path, rule: str) -> Iterator[str]:
    """Yield a text of any size in blocks that end at the end of a sentence, in bounded memory.

    Parameters
    ----------
    path : Path
        A UTF-8 text, plain or compressed with gzip, xz or bzip2. Bytes that are not UTF-8 become U+FFFD.
    rule : {"lines", "paragraphs"}
        Whether a sentence is a line, or the text between empty lines. A sentence longer than a megabyte is split at
        whitespace.
    """
    with open_decompressed(path) as stream:
        rest = ""
        for block in _decoded_blocks(stream):
            text = rest + block
            cut = _last_end(text, rule)
            if len(text) - cut >= _BLOCK:
                cut = len(text)
            rest = text[cut:]
            yield text[:cut]
        yield rest


def _last_end(text: str, rule: str) -> int:
    """Return the end position of the last complete sentence in a text, or 0 if there is none."""
    end = text.rfind("\n")
    while rule == "paragraphs" and end >= 0:
        start = text.rfind("\n", 0, end)
        if start >= 0 and not text[start + 1 : end].strip(BLANKS):
            break
        end = start
    return end + 1


def _decoded_blocks(stream: BinaryIO) -> Iterator[str]:
    """Yield a text in blocks that end at whitespace, if there is any within a megabyte."""
    left = b""
    while block := stream.read(_BLOCK):
        block = left + block
        cut = 1 + max(block.rfind(blank.encode()) for blank in BLANKS + "\n")
        if cut == 0 and len(block) > _BLOCK:
            # One word of a megabyte. Do not cut a character in two.
            cut = next((i for i in range(len(block) - 1, len(block) - 4, -1) if block[i] & 0xC0 != 0x80), len(block))
        left = block[cut:]
        yield block[:cut].decode("utf-8", "replace")
    yield left.decode("utf-8", "replace")


def folded(text: str) -> str:
    """Return a text prepared for finding words: in lower case and composed form (NFC), without soft hyphens."""
    return unicodedata.normalize("NFC", text.lower().replace(SOFT_HYPHEN, ""))


def words_of(text: str) -> list[str]:
    """Return the words of a short text in lower case, by the same rule as `Corpus.from_text`.

    Examples
    --------
    >>> words_of("A dog's ball, 2 cats.")
    ['a', 'dog', 's', 'ball', '2', 'cats']
    """
    runs = itertools.groupby(folded(text), _in_words)
    words = ("".join(itertools.dropwhile(_not_a_letter, run)).rstrip(NON_JOINER) for inside, run in runs if inside)
    return [word for word in words if word]


def _in_words(character: str) -> bool:
    return is_letter(character) or is_mark(character) or character == NON_JOINER


def _not_a_letter(character: str) -> bool:
    return not is_letter(character)


@functools.lru_cache(4096)
def is_letter(character: str) -> bool:
    """Return whether a word can begin with a character."""
    return character.isalnum() or character == "_"


@functools.lru_cache(4096)
def is_mark(character: str) -> bool:
    """Return whether a character modifies the preceding letter, as accents, vowel signs and joiners do."""
    return character == JOINER or unicodedata.category(character).startswith("M")
