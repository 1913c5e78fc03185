"""Read a folder of pictures and a table of tags as one annotation set."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from os import PathLike, fspath
from typing import Any, NamedTuple

import numpy as np

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.catalogue import load_dataset
from vsenumba.errors import InputError
from vsenumba.pictures.describing import Described, backbone_of, describe_pictures
from vsenumba.pictures.folder import BrokenPicture, PictureFolder
from vsenumba.pictures.joining import Joined, described_lost, join, tagged_pictures

_SHOWN = 3


class PicturesRead(NamedTuple):
    """A folder of pictures that was read.

    Attributes
    ----------
    data : AnnotationSet
        The pictures with their vectors, and with labels if there are tags.
    folder : PictureFolder
        The folder.
    described : Described
        The vectors, and the broken pictures.
    joined : Joined or None
        The matches between tags and pictures; None without tags.
    """

    data: AnnotationSet
    folder: PictureFolder
    described: Described
    joined: Joined | None

    @property
    def remarks(self) -> list[str]:
        """Messages about skipped pictures and tags, one line for each kind."""
        remarks = []
        if self.described.broken:
            remarks.append(
                f"skipped {_count(self.described.broken, 'picture')}: {described_broken(self.described.broken)}"
            )
        if self.folder.other_formats:
            found = ", ".join(f"{n:,} {ending}" for ending, n in self.folder.other_formats.items())
            remarks.append(f"skipped pictures in unsupported formats: {found}; convert them to JPEG or PNG")
        if self.joined is not None and self.joined.lost:
            lost = described_lost(self.joined.lost, self.folder.image_ids)
            remarks.append(f"skipped {_count(self.joined.lost, 'tagged image')} without a picture: {lost}")
        return remarks


def load_pictures(
    folder: PictureFolder | str | PathLike[str],
    tags: Any = None,
    *,
    backbone: Any = "descriptors",
    cache: str | PathLike[str] | None = None,
    n_threads: int | None = None,
    **settings: Any,
) -> AnnotationSet:
    """Read a folder of pictures, with their tags if there are any, as an annotation set with features.

    Parameters
    ----------
    folder : PictureFolder or path
        The pictures; see `PictureFolder`.
    tags : AnnotationSet, path, data frame, mapping, optional
        The tags of the pictures: a set, or anything that `load_dataset` reads. Its images are matched to pictures by
        their paths, or by names that are unambiguous. Pictures without tags are kept.
    backbone : str, path-like, callable or Backbone
        The backbone that computes the features: ``"descriptors"``, the path of an ONNX file, or a function of pictures;
        see `describe_pictures`.
    cache : str or path-like, optional
        A file that stores the vectors, so that a later call computes only those of new and changed pictures.
    n_threads : int, optional
        The number of threads; one per core by default.
    **settings
        Settings of the backbone; see `OnnxBackbone` and `FunctionBackbone`.

    Returns
    -------
    AnnotationSet
        One image for each picture that could be read, with `features` and `backbone`. The id of an image is the path
        of its picture within the folder, such as ``"birds/a.jpg"``.

    Raises
    ------
    InputError
        If there are no pictures, none can be read, none has tags, or a name in the tags is ambiguous.

    Warns
    -----
    UserWarning
        If pictures are broken, or tagged images have no picture. The warning states their number and the first names.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as name:
    ...     for picture in ("a.png", "b.png"):
    ...         Image.new("RGB", (40, 30), "red").save(pathlib.Path(name) / picture)
    ...     data = load_pictures(name, AnnotationSet.from_pairs(["a", "a"], ["red", "plain"]))
    >>> data, data.labels_of("a.png"), data.labels_of("b.png")
    (<AnnotationSet: 2 images, 2 labels, 2 pairs, 256 features>, ['red', 'plain'], [])
    """
    read = read_pictures(folder, tags, backbone=backbone, cache=cache, n_threads=n_threads, **settings)
    for remark in read.remarks:
        warnings.warn(remark, UserWarning, stacklevel=2)
    return read.data


def read_pictures(
    folder: PictureFolder | str | PathLike[str],
    tags: Any = None,
    *,
    backbone: Any = "descriptors",
    cache: str | PathLike[str] | None = None,
    n_threads: int | None = None,
    after_batch: Callable[[int, int], object] | None = None,
    tags_name: str = "the tags",
    **settings: Any,
) -> PicturesRead:
    """Read a folder of pictures like `load_pictures`, and return details about the pictures and tags.

    The parameters and errors are those of `load_pictures` and `describe_pictures`; `tags_name` is the name of the tags
    in messages. The tags are checked before any picture is decoded.
    """
    if not isinstance(folder, PictureFolder):
        folder = PictureFolder(folder)
    if isinstance(tags, (str, PathLike)):
        tags_name = fspath(tags) if tags_name == "the tags" else tags_name
    if tags is not None and not isinstance(tags, AnnotationSet):
        tags = load_dataset(tags)
    joined = None
    if tags is not None:
        joined = join(tags.image_ids, folder.image_ids, source=tags_name, root=str(folder.path))
    made = backbone_of(backbone, n_threads, settings)
    described = describe_pictures(folder, made, cache=cache, n_threads=n_threads, after_batch=after_batch)
    if tags is None or joined is None:
        n = len(folder)
        data = AnnotationSet(np.zeros(n + 1, np.int64), np.zeros(0, np.int32), 0, folder.image_ids, [])
    else:
        data = tagged_pictures(tags, folder.image_ids, joined)
    if len(described.image_ids) < len(folder):
        data = data.select_images(data.image_ids.index(described.image_ids))
        if tags is not None and not data.n_pairs:
            raise InputError(f"none of the pictures with tags could be read: {described_broken(described.broken)}")
    return PicturesRead(data.with_features(described.features, described.backbone), folder, described, joined)


def described_broken(broken: list[BrokenPicture]) -> str:
    """Describe the first broken pictures, each with the reason."""
    some = "; ".join(f"{one.image}: {one.reason}" for one in broken[:_SHOWN])
    return some + (f"; and {len(broken) - _SHOWN:,} more" if len(broken) > _SHOWN else "")


def _count(things: list[Any], what: str) -> str:
    return f"{len(things):,} {what}{'s' * (len(things) != 1)}"
