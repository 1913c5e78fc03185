"""Synthetic caption sets: images and captions of the same things, drawn from a known distribution."""

from __future__ import annotations

import numpy as np

from vsenumba.checks import RandomLike, generator, is_number, is_whole
from vsenumba.data.captions.caption_set import CaptionSet
from vsenumba.data.captions.ragged import Ragged
from vsenumba.errors import InputError
from vsenumba.memory import check_memory

# The number of words for each thing. A caption uses one of them.
_NAMES = 2
_SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]
_FILLERS = ("a", "and", "are", "at", "behind", "by", "in", "is", "near", "of", "on", "some", "the", "there", "with")


def synthetic_captions(
    n_images: int,
    *,
    n_regions: int = 36,
    captions_per_image: int = 5,
    width: int = 64,
    n_things: int = 100,
    noise: float = 0.5,
    rng: RandomLike = None,
) -> CaptionSet:
    """Make a caption set in the form of Flickr30K: image regions, some of which show what the captions name.

    There are `n_things` things, and each is a random direction. An image shows 3 to 6 of them, popular things more
    often (Zipf's law). Each of these things appears in 1 to 4 regions of the image. The other regions show one of 20
    backgrounds. Every region has added noise. A caption names 2 or 3 of the image's things in any order, each by one of
    its two words. It also has 4 to 8 filler words out of 15.

    Parameters
    ----------
    n_images, n_regions, captions_per_image, width : int
        The shape of the set. `n_regions` must be at least 24, so that all things fit.
    n_things : int
        The number of things, at least 6.
    noise : float
        The standard deviation of the noise in each number of a region. For comparison, a thing's direction has the
        length ``sqrt(width)``.
    rng : int, Generator, SeedSequence or None
        The same seed gives the same set.

    Raises
    ------
    InputError
        If a parameter is out of range.

    Examples
    --------
    >>> synthetic_captions(100, rng=0)
    <CaptionSet: 100 images of 36 rows of 64 numbers, 500 captions>
    """
    for name, value, least in (
        ("n_images", n_images, 1), ("n_regions", n_regions, 24), ("captions_per_image", captions_per_image, 1),
        ("width", width, 1), ("n_things", n_things, 6),
    ):  # fmt: skip
        if not is_whole(value, least):
            raise InputError(f"{name} must be a whole number of at least {least}, not {value!r}")
    if not is_number(noise) or not 0 <= noise < np.inf:
        raise InputError(f"noise must be finite and at least 0, not {noise!r}")
    needed = 4 * int(n_images) * int(n_regions) * int(width) + 8 * int(n_things) * int(width)
    check_memory(needed, f"a set of {n_images:,} images of {n_regions:,} regions", "make it smaller")
    drawn = generator(rng)
    directions, backgrounds = (drawn.standard_normal((n, width)) for n in (n_things, 20))
    popularity = 1 / np.arange(1, n_things + 1)
    rows = np.empty((n_images, n_regions, width), np.float32)
    texts = []
    for image in range(n_images):
        things = drawn.choice(n_things, drawn.integers(3, 7), replace=False, p=popularity / popularity.sum())
        shown = np.repeat(things, drawn.integers(1, 5, len(things)))
        behind = drawn.integers(0, len(backgrounds), n_regions - len(shown))
        clean = drawn.permutation(np.concatenate([directions[shown], backgrounds[behind]]))
        rows[image] = clean + noise * drawn.standard_normal((n_regions, width))
        texts += [_caption(things, drawn) for _ in range(captions_per_image)]
    subjects = np.arange(n_images)
    return CaptionSet(Ragged.of(rows, "image"), texts, subjects, np.repeat(subjects, captions_per_image))


def _caption(things: np.ndarray, rng: np.random.Generator) -> str:
    named = rng.choice(things, rng.integers(2, 4), replace=False)
    words = [_name(_NAMES * int(thing) + int(rng.integers(_NAMES))) for thing in named]
    return " ".join(rng.permutation([*words, *rng.choice(_FILLERS, rng.integers(4, 9))]))


def _name(number: int) -> str:
    """Return the unique word of a number, with at least two syllables."""
    word = _SYLLABLES[number % len(_SYLLABLES)]
    while (number := number // len(_SYLLABLES)) > 0:
        word += _SYLLABLES[number % len(_SYLLABLES)]
    return word + "to"
