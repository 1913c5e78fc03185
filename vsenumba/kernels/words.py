"""Find the words of a text and number them; each new word gets the next number.

Python's regular expressions and dictionaries process about a million words a second, this module about ten million.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vsenumba.kernels.compiler import kernel

# The classes of characters. A word starts with a letter, continues with letters, marks and seams (such as apostrophes),
# and does not end with a seam.
OTHER, LINE_END, BLANK, SEAM, MARK, LETTER = range(6)

# The positions in `WordBook.sizes`.
WORDS, LETTERS = range(2)

_SEED = np.uint64(0x9E3779B97F4A7C15)


class WordBook(NamedTuple):
    """The known words: a hash table with open addressing, and the letters of all words one after another.

    Attributes
    ----------
    slots : (a power of 2,) int32
        The number of the word with this hash, or with that of an earlier slot; -1 if the slot is free.
    hashes, counts, ends : (most words,) uint64, int64, int64
        The hash of each word, its frequency, and the end of its letters.
    letters : (most letters,) uint32
        Code points.
    sizes : (2,) int64
        The number of words, and the number of letters.
    """

    slots: np.ndarray
    hashes: np.ndarray
    counts: np.ndarray
    ends: np.ndarray
    letters: np.ndarray
    sizes: np.ndarray


@kernel
def number_words(codes, classes, paragraphs, book, tokens, lengths):
    """Assign numbers to the words of a text; return how many words and how many sentences it has.

    Parameters
    ----------
    codes : (n,) uint32
        The code points of the text.
    classes : (0x110000,) uint8
        The class of every character.
    paragraphs : bool
        Whether a sentence ends at an empty line, instead of at every line end.
    book : WordBook
        The words. New words are added, so there must be room for all words and letters of the text.
    tokens, lengths : (>= n // 2 + 1,) int32
        Written: the numbers of the words, and the length of each sentence. Sentences without words are skipped.
    """
    n_tokens, n_sentences, first = 0, 0, 0
    empty = False
    at = 0
    while at < codes.shape[0]:
        kind = classes[codes[at]]
        if kind == LETTER:
            begin, code = at, _SEED
            end, whole = begin, code
            while at < codes.shape[0] and classes[codes[at]] >= SEAM:
                code = mixed(code, codes[at])
                at += 1
                if classes[codes[at - 1]] != SEAM:
                    end, whole = at, code
            word = number_of(codes, begin, end, whole, book)
            book.counts[word] += 1
            tokens[n_tokens] = word
            n_tokens += 1
            empty = False
        else:
            if kind == LINE_END:
                if (empty or not paragraphs) and n_tokens > first:
                    lengths[n_sentences] = n_tokens - first
                    n_sentences += 1
                    first = n_tokens
                empty = True
            elif kind != BLANK:
                empty = False
            at += 1
    if n_tokens > first:
        lengths[n_sentences] = n_tokens - first
        n_sentences += 1
    return n_tokens, n_sentences


@kernel(inline=True)
def mixed(code, letter):
    """Return a hash extended by one letter; it uses shifts and xors only, so it is the same without the compiler."""
    code ^= np.uint64(letter)
    code ^= code << np.uint64(13)
    code ^= code >> np.uint64(7)
    code ^= code << np.uint64(17)
    return code


@kernel(inline=True)
def number_of(codes, begin, end, code, book):
    """Return the number of the word ``codes[begin:end]``; a new word is added to the book."""
    mask = np.int64(book.slots.shape[0] - 1)
    slot = np.int64(code >> np.uint64(32)) & mask
    found = np.int64(book.slots[slot])
    while found >= 0 and not (book.hashes[found] == code and same_letters(codes, begin, end, book, found)):
        slot = (slot + 1) & mask
        found = np.int64(book.slots[slot])
    if found < 0:
        found = book.sizes[WORDS]
        start = book.sizes[LETTERS]
        for i in range(begin, end):
            book.letters[start + i - begin] = codes[i]
        book.slots[slot] = found
        book.hashes[found] = code
        book.counts[found] = 0
        book.ends[found] = start + end - begin
        book.sizes[WORDS] = found + 1
        book.sizes[LETTERS] = start + end - begin
    return found


@kernel(inline=True)
def same_letters(codes, begin, end, book, word):
    """Return whether ``codes[begin:end]`` has the same letters as a word of the book."""
    start = book.ends[word - 1] if word > 0 else np.int64(0)
    same = book.ends[word] - start == end - begin
    i = begin
    while same and i < end:
        same = book.letters[start + i - begin] == codes[i]
        i += 1
    return same


@kernel
def fill_slots(book):
    """Enter all words of a book into its slots, which are all free; words without letters are skipped."""
    mask = np.int64(book.slots.shape[0] - 1)
    start = np.int64(0)
    for word in range(book.sizes[WORDS]):
        if book.ends[word] > start:
            slot = np.int64(book.hashes[word] >> np.uint64(32)) & mask
            while book.slots[slot] >= 0:
                slot = (slot + 1) & mask
            book.slots[slot] = word
        start = book.ends[word]
