"""A caption set: images as rows of features, captions, and which ones match."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from typing import Any, Self

import numpy as np

from vsenumba import storage
from vsenumba.checks import RandomLike, as_array, generator, is_number, is_whole, whole_numbers
from vsenumba.data.captions.ragged import Ragged
from vsenumba.data.captions.texts import as_captions, as_parts, in_order
from vsenumba.data.digests import add_array, add_texts
from vsenumba.data.names import as_name
from vsenumba.data.overviews import caption_set_html
from vsenumba.data.vocabulary import NAME_DTYPE, Vocabulary, as_texts, check_plain
from vsenumba.errors import InputError, unknown_name
from vsenumba.storage import schema

# The rows stay on disk. Their values are checked once, when `Ragged` rows are made from them.
CAPTION_SET = schema.Elements(
    {
        "image_ids": schema.Names("n_images"),
        "image_rows": schema.Array(schema.REALS, ("n_image_rows", "image_width")),
        "image_offsets": schema.Offsets("n_images", "n_image_rows"),
        "image_subjects": schema.Array(schema.COUNT, ("n_images",)),
        "caption_subjects": schema.Array(schema.COUNT, ("n_captions",)),
        "captions": schema.Optional(schema.Texts("n_captions")),
        "token_rows": schema.Optional(schema.Array(schema.REALS, ("n_token_rows", "token_width"))),
        "token_offsets": schema.Optional(schema.Offsets("n_captions", "n_token_rows")),
        "classes": schema.Optional(
            schema.Either(schema.Texts("n_images"), schema.Array(schema.NUMBERS, ("n_images",), finite=True))
        ),
        "parts": schema.Optional(schema.Texts("n_images")),
        "thumbnails": schema.Optional(schema.Array(schema.BYTE, ("n_images", "height", "width", 3))),
    }
)


class CaptionSet:
    """Images, captions and their subjects. An image and a caption match if they have the same subject.

    Make a set with `from_lists`, or read one with `load_caption_set`. Usually every image is its own subject. Several
    images that share their captions, such as one emoji drawn by four vendors, are one subject.

    Parameters
    ----------
    images : Ragged
        The rows of every image: regions, grid cells, or one vector.
    captions : iterable of str, optional
        The texts of the captions.
    image_subjects, caption_subjects : (n_images,), (n_captions,) int64 arrays
        Subject numbers from 0. Each subject must have an image and a caption.
    tokens : Ragged, optional
        The rows of every caption, from your own text encoder. You can give them instead of the texts or in addition.
    image_ids : Vocabulary or iterable of str, optional
        One id per image.
    classes : (n_images,) array, optional
        One class per image, a number or a text. A ranking can count images of the same class as relevant even if their
        subjects differ.
    parts : iterable of str, optional
        The part of the set that each image belongs to, such as "train".
    thumbnails : (n_images, height, width, 3) uint8 array, optional
        Small pictures to show to people.

    Examples
    --------
    >>> data = CaptionSet.from_lists(np.ones((2, 5)), [["a cat", "a grey cat"], ["a dog"]])
    >>> data
    <CaptionSet: 2 images of 1 row of 5 numbers, 3 captions>
    >>> data.captions_of(0)
    ['a cat', 'a grey cat']
    """

    def __init__(
        self,
        images: Ragged,
        captions: Iterable[str] | None,
        image_subjects: np.ndarray,
        caption_subjects: np.ndarray,
        *,
        tokens: Ragged | None = None,
        image_ids: Vocabulary | Iterable[Any] | None = None,
        classes: np.ndarray | None = None,
        parts: Iterable[str] | None = None,
        thumbnails: np.ndarray | None = None,
    ) -> None:
        self.images = images
        self.image_subjects = whole_numbers("image subjects", image_subjects)
        self.caption_subjects = whole_numbers("caption subjects", caption_subjects)
        self.captions = None if captions is None else as_texts(as_captions(captions), "the caption")
        self.tokens = tokens
        if image_ids is None:
            image_ids = Vocabulary.numbered(len(images), "image")
        self.image_ids = image_ids if isinstance(image_ids, Vocabulary) else Vocabulary(image_ids, "image")
        self.classes = None if classes is None else as_array("classes", classes)
        if self.classes is not None and self.classes.dtype.kind == "U" and self.classes.ndim == 1:
            self.classes = as_texts(self.classes.tolist(), "the class")
        self.parts = None if parts is None else as_parts(parts)
        is_array = thumbnails is None or isinstance(thumbnails, np.ndarray)
        self.thumbnails = thumbnails if is_array else as_array("thumbnails", thumbnails)
        self._check()

    def _check(self) -> None:
        n_images, n_captions = len(self.images), len(self.caption_subjects)
        if self.captions is None and self.tokens is None:
            raise InputError("captions are missing; give texts or rows of tokens")
        for name, expected, array in (
            ("captions", n_captions, self.captions),
            ("rows of captions", n_captions, self.tokens),
            ("image subjects", n_images, self.image_subjects),
            ("image ids", n_images, self.image_ids),
            ("classes", n_images, self.classes),
            ("parts", n_images, self.parts),
            ("thumbnails", n_images, self.thumbnails),
        ):
            if isinstance(array, np.ndarray) and array.ndim != 1 and name != "thumbnails":
                raise InputError(f"{name} must be one-dimensional, not of shape {array.shape}")
            if array is not None and len(array) != expected:
                kind = "caption" if expected is n_captions and "caption" in name else "image"
                raise InputError(f"there are {len(array):,} {name} for {expected:,} {kind}s")
        small = self.thumbnails
        if small is not None and (small.dtype != np.uint8 or small.ndim != 4 or small.shape[3] != 3):
            raise InputError(f"thumbnails must be (n, height, width, 3) uint8, not {small.shape} {small.dtype}")
        classes = self.classes
        if classes is not None and (classes.dtype.kind not in "buifUT" or (classes != classes).any()):
            raise InputError(f"classes must be numbers or texts without missing values, not {classes.dtype}")
        if self.captions is not None:
            empty = np.flatnonzero(np.strings.str_len(np.strings.strip(self.captions)) == 0)
            if len(empty):
                raise InputError(f"caption {int(empty[0])} is empty ({len(empty)} such caption(s))")
        if n_images == 0 or n_captions == 0:
            raise InputError(f"a caption set needs images and captions, but has {n_images} and {n_captions}")
        lost = np.flatnonzero(~np.isin(self.caption_subjects, self.image_subjects))
        if len(lost):
            raise InputError(f"caption {int(lost[0])} has no image ({len(lost)} such caption(s))")
        lost = np.flatnonzero(~np.isin(self.image_subjects, self.caption_subjects))
        if len(lost):
            raise InputError(f"image {self.image_ids[int(lost[0])]!r} has no caption ({len(lost)} such image(s))")

    @classmethod
    def from_lists(
        cls,
        images: Any,
        captions: Sequence[str | Sequence[str]] | None = None,
        *,
        tokens: Any = None,
        captions_per_image: int | None = None,
        **about: Any,
    ) -> CaptionSet:
        """Make a set in which every image is its own subject.

        Parameters
        ----------
        images : array or list of arrays
            An (n, d) array with one row per image, an (n, k, d) array, or a list of (n_i, d) arrays, one per image.
        captions : sequence
            For each image, its caption or a list of its captions.
        tokens : array or list of arrays, optional
            The rows of all captions, in the order of the captions, in the same form as `images`.
        captions_per_image : int, optional
            The number of captions of each image, if you give `tokens` without `captions`. The default is 1.
        about
            `image_ids`, `classes`, `parts` and `thumbnails`. See `CaptionSet`.
        """
        rows = Ragged.of(images, "image")
        token_rows = None if tokens is None else Ragged.of(tokens, "caption")
        texts: list[str] | None = None
        if captions is not None:
            lists = [[one] if isinstance(one, str) else as_captions(one) for one in in_order(captions)]
            if len(lists) != len(rows):
                raise InputError(f"there are captions for {len(lists):,} images, but {len(rows):,} images")
            counts = [len(one) for one in lists]
            texts = [text for one in lists for text in one]
        elif token_rows is not None:
            if captions_per_image is not None and not is_whole(captions_per_image):
                raise InputError(
                    f"captions_per_image must be a whole number of at least 1 or None, not {captions_per_image!r}"
                )
            counts = [int(captions_per_image or 1)] * len(rows)
        else:
            raise InputError("captions are missing; give texts or rows of tokens")
        return cls(
            rows, texts, np.arange(len(rows)), np.repeat(np.arange(len(rows)), counts), tokens=token_rows, **about
        )

    @property
    def caption_ids(self) -> Vocabulary:
        """The captions' ids: the id of the first matching image, ``#``, and the caption's number for that image."""
        subjects, first = np.unique(self.image_subjects, return_index=True)
        images = first[np.searchsorted(subjects, self.caption_subjects)]
        seen: Counter[int] = Counter()
        ids = []
        for image in images.tolist():
            ids.append(f"{self.image_ids[image]}#{seen[image]}")
            seen[image] += 1
        return Vocabulary(ids, "caption")

    @property
    def n_images(self) -> int:
        """The number of images."""
        return len(self.images)

    @property
    def n_captions(self) -> int:
        """The number of captions."""
        return len(self.caption_subjects)

    def matches(self) -> tuple[np.ndarray, np.ndarray]:
        """Return all matching pairs of an image and a caption, as two int64 arrays."""
        order = np.argsort(self.caption_subjects, kind="stable")
        subjects = self.caption_subjects[order]
        first = np.searchsorted(subjects, self.image_subjects, side="left")
        counts = np.searchsorted(subjects, self.image_subjects, side="right") - first
        offsets = np.concatenate(([0], np.cumsum(counts)))
        places = np.arange(offsets[-1]) + np.repeat(first - offsets[:-1], counts)
        return np.repeat(np.arange(self.n_images), counts), order[places]

    def captions_of(self, image: int) -> list[str]:
        """Return the texts of the captions that match an image."""
        if self.captions is None:
            raise InputError("the caption set has no texts, only rows of tokens")
        return [str(text) for text in self.captions[self.caption_subjects == self.image_subjects[image]]]

    def select(self, images: np.ndarray) -> CaptionSet:
        """Return a set of some images, given by numbers or a mask, with their captions. Rows are not copied."""
        try:
            rows = np.arange(self.n_images)[images]
        except IndexError as error:
            raise InputError(f"images must be numbers of the {self.n_images:,} images, or a mask: {error}") from error
        if not len(rows):
            raise InputError("no image was selected")
        keep = np.flatnonzero(np.isin(self.caption_subjects, self.image_subjects[rows]))
        return CaptionSet(
            self.images.select(rows),
            None if self.captions is None else self.captions[keep],
            self.image_subjects[rows],
            self.caption_subjects[keep],
            tokens=None if self.tokens is None else self.tokens.select(keep),
            image_ids=Vocabulary(self.image_ids.take(rows), "image"),
            classes=None if self.classes is None else self.classes[rows],
            parts=None if self.parts is None else self.parts[rows],
            thumbnails=None if self.thumbnails is None else self.thumbnails[rows],
        )

    def part(self, name: str) -> CaptionSet:
        """Return the images of one part, such as "train", and their captions.

        Raises
        ------
        UnknownNameError
            If the set has no such part.
        """
        name = as_name(name, "the part")
        known = [] if self.parts is None else sorted(set(self.parts.tolist()))
        if name not in known:
            raise unknown_name("part", name, known)
        return self.select(np.flatnonzero(self.parts == name))

    def split(self, *, rng: RandomLike = None, **shares: float) -> CaptionSet:
        """Return the set with its subjects split at random into parts.

        Parameters
        ----------
        rng : int, Generator, SeedSequence or None
            The same seed gives the same parts.
        shares
            The share of each part, by its name. The shares must add up to 1.

        Examples
        --------
        >>> data = CaptionSet.from_lists(np.ones((10, 1)), ["text"] * 10).split(train=0.8, test=0.2, rng=0)
        >>> data.part("train").n_images, data.part("test").n_images
        (8, 2)
        """
        if not all(is_number(share) and share > 0 for share in shares.values()) or abs(sum(shares.values()) - 1) > 1e-9:
            raise InputError(f"the shares of the parts must be positive and add up to 1, not {shares}")
        shares = {as_name(name, "a part"): share for name, share in shares.items()}
        subjects = np.unique(self.image_subjects)
        order = generator(rng).permutation(len(subjects))
        bounds = np.round(np.cumsum([0.0, *shares.values()]) * len(subjects)).astype(int)
        if (np.diff(bounds) == 0).any():
            raise InputError(f"{len(subjects)} subject(s) are too few to split into {shares}")
        names = np.empty(len(subjects), NAME_DTYPE)
        for name, first, last in zip(shares, bounds[:-1], bounds[1:], strict=True):
            names[order[first:last]] = name
        return CaptionSet(
            self.images,
            self.captions,
            self.image_subjects,
            self.caption_subjects,
            tokens=self.tokens,
            image_ids=self.image_ids,
            classes=self.classes,
            parts=names[np.searchsorted(subjects, self.image_subjects)],
            thumbnails=self.thumbnails,
        )

    def digest(self) -> str:
        """Return a SHA-256 of the training data: rows, captions and subjects, without ids, classes and parts."""
        sha = hashlib.sha256()
        add_array(sha, np.array([self.n_images, self.n_captions, self.captions is None, self.tokens is None]), "<i8")
        add_array(sha, self.image_subjects, "<i8")
        add_array(sha, self.caption_subjects, "<i8")
        self.images.add_to(sha)
        if self.tokens is not None:
            self.tokens.add_to(sha)
        if self.captions is not None:
            add_array(sha, np.strings.str_len(self.captions), "<i8")
            add_texts(sha, self.captions)
        return sha.hexdigest()

    def save(self, path: str | PathLike[str]) -> None:
        """Write the set to a native ``.h5`` file; see ``docs/reference/file-format.md``."""
        storage.write_file(path, "caption-set", self.to_elements())

    def to_elements(self) -> dict[str, Any]:
        """Return the elements to write to a file."""
        elements: dict[str, Any] = {
            **{f"image_{name}": value for name, value in self.images.to_elements().items()},
            "image_ids": self.image_ids.to_element(),
            "image_subjects": self.image_subjects,
            "caption_subjects": self.caption_subjects,
        }
        if self.tokens is not None:
            elements |= {f"token_{name}": value for name, value in self.tokens.to_elements().items()}
        optional = {
            "captions": self.captions, "classes": self.classes, "parts": self.parts, "thumbnails": self.thumbnails,
        }  # fmt: skip
        return elements | {name: array for name, array in optional.items() if array is not None}

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Open a native file. Rows and thumbnails of images stay on disk until they are used.

        Raises
        ------
        FileFormatError
            If the file does not contain a caption set, or is damaged. The whole file is checked.
        """
        mapped = ("image_rows", "token_rows", "thumbnails")
        elements = storage.read_file(path, "caption-set", mapped=mapped).elements
        with storage.content_of(path):
            return cls.from_elements(elements)

    @classmethod
    def from_elements(cls, elements: Mapping[str, Any]) -> Self:
        """Make a set from the elements read from a file.

        Raises
        ------
        InputError
            If an element is missing, or does not match the others.
        """
        schema.check(CAPTION_SET, elements)
        if "parts" in elements:
            check_plain(elements["parts"], "part")
        tokens = None
        if ("token_rows" in elements) != ("token_offsets" in elements):
            raise InputError("give both token_rows and token_offsets, or neither")
        if "token_rows" in elements:
            tokens = Ragged.of_rows(elements["token_rows"], elements["token_offsets"], "caption")
        return cls(
            Ragged.of_rows(elements["image_rows"], elements["image_offsets"], "image"),
            elements.get("captions"),
            elements["image_subjects"],
            elements["caption_subjects"],
            tokens=tokens,
            image_ids=Vocabulary.from_element(elements["image_ids"], "image"),
            **{name: elements.get(name) for name in ("classes", "parts", "thumbnails")},
        )

    def __repr__(self) -> str:
        lengths = self.images.lengths
        rows = f"{lengths.min()}" if lengths.min() == lengths.max() else f"{lengths.min()} to {lengths.max()}"
        numbers = f"{rows} row{'' if rows == '1' else 's'} of {self.images.width:,} numbers"
        subjects = len(np.unique(self.image_subjects))
        shared = "" if subjects == self.n_images else f", {subjects:,} subjects"
        return f"<CaptionSet: {self.n_images:,} images of {numbers}, {self.n_captions:,} captions{shared}>"

    def _repr_html_(self) -> str:
        return caption_set_html(self)
