"""An approximate index of images, for searches by label among millions; it needs the extra ``ann``, faiss."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from vsenumba import storage
from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.digests import add_array
from vsenumba.data.matches import Match, checked_count
from vsenumba.errors import FileFormatError, InputError
from vsenumba.models.image_annotator import ImageAnnotator
from vsenumba.models.questions import as_names_asked
from vsenumba.models.suggesting import blocks_of, may_be_found

#: With fewer images the exact search takes a tenth of a second, and an index is not worth its building.
LEAST_IMAGES = 1_000_000

_MAGIC = b"vsenumba image index 1\n"
_LONGEST_HEADER = 4096
# The share of the ten best that must be found, of the labels that are tried; more lists are looked into until it is.
_WANTED = 0.95
_TRIED = 128
_BEST = 10
# Vectors a list is learnt from, on average; faiss takes four times as many, and is no better here.
_PER_LIST = 64


class ImageIndex:
    """Find images by labels without looking at all of them.

    The images' vectors lie in lists by their directions, and only the lists that promise most are looked into (faiss'
    ``IVF``, by the inner product itself). Scores are exact; an image may be missed.

    Make one with `build`, or read one with `load`.

    Attributes
    ----------
    recall : float
        The share of the ten best images that it found, in the mean over labels, when it was built.

    Examples
    --------
    >>> from vsenumba import ImageAnnotator, synthetic
    >>> model = ImageAnnotator(n_epochs=1, max_neighbours=0, random_state=0).fit(synthetic(60, 12, 240, rng=0))
    >>> ImageIndex.build(model)
    Traceback (most recent call last):
    vsenumba.errors.InputError: an index pays from 1,000,000 images on, and there are 60; find_images is exact and quick
    """

    def __init__(self, model: ImageAnnotator, images: AnnotationSet, index: Any, header: dict[str, Any]) -> None:
        self._model = model
        self._images = images
        self._index = index
        self._header = header

    @property
    def recall(self) -> float:
        """The share of the ten best images that it found when it was built."""
        return float(self._header["recall"])

    @property
    def n_images(self) -> int:
        """How many images it holds."""
        return self._images.n_images

    @classmethod
    def build(cls, model: ImageAnnotator, images: AnnotationSet | None = None) -> ImageIndex:
        """Make an index.

        Parameters
        ----------
        model : ImageAnnotator
            The model.
        images : AnnotationSet, optional
            The images to index; by default those that the model was trained on.

        Raises
        ------
        InputError
            If the model has no vectors of images, there are too few images for it to pay, or faiss is not installed.
        """
        known = _searched(model, images)
        if known.n_images < LEAST_IMAGES:
            raise InputError(
                f"an index pays from {LEAST_IMAGES:,} images on, and there are {known.n_images:,}; find_images is "
                "exact and quick"
            )
        faiss = _faiss()
        n_lists = max(1, int(np.sqrt(known.n_images)))
        rng = np.random.default_rng(0)
        index = faiss.index_factory(model.label_factors_.shape[1], f"IVF{n_lists},Flat", faiss.METRIC_INNER_PRODUCT)
        some = np.sort(rng.choice(known.n_images, min(known.n_images, _PER_LIST * n_lists), replace=False))
        index.cp.min_points_per_centroid = 1
        index.train(np.concatenate([model._vectors(known, block) for block in np.array_split(some, 16)]))
        tried = model.label_factors_[rng.permutation(len(model.label_factors_))[:_TRIED]]
        best = np.full((len(tried), 0), 0, np.float32)
        for block in blocks_of(known.n_images, max(index.d, _TRIED)):
            vectors = model._vectors(known, np.arange(block.start, block.stop))
            index.add(vectors)
            best = np.sort(np.concatenate([best, tried @ vectors.T], axis=1))[:, -_BEST:]
        index.nprobe, recall = _calibrated(index, tried, best)
        header = {"digest": _digest(model, known), "n_probe": index.nprobe, "recall": round(recall, 4)}
        return cls(model, known, index, header)

    def find_images(self, label: str | Sequence[str], n: int = 10, *, include_known: bool = False) -> list[Match]:
        """Find the images that a label fits best, or several together; see `ImageAnnotator.find_images`."""
        n = checked_count(n)
        names = self._model.label_names_
        columns = np.unique(names.index(as_names_asked(label, "label")))
        faiss = _faiss()
        may = np.packbits(may_be_found(self._images, columns, include_known), bitorder="little")
        parameters = faiss.SearchParametersIVF(nprobe=self._index.nprobe, sel=faiss.IDSelectorBitmap(may))
        vector = self._model.label_factors_[columns].mean(axis=0, dtype=np.float32)[None]
        scores, rows = self._index.search(vector, min(n, self._index.ntotal), params=parameters)
        rows, scores = rows[0][rows[0] >= 0], scores[0][rows[0] >= 0]
        # Equal scores in the order of the images, as everywhere.
        order = np.lexsort((rows, -scores))
        found = self._images.image_ids.take(rows[order]).tolist()
        return [Match(str(name), score) for name, score in zip(found, scores[order].tolist(), strict=True)]

    def save(self, path: str | PathLike[str]) -> None:
        """Write the index to a file, for `load`."""
        content = _faiss().serialize_index(self._index)
        header = self._header | {"sha256": hashlib.sha256(content.data).hexdigest()}
        with storage.open_output(path) as file:
            file.write(_MAGIC + json.dumps(header).encode() + b"\n")
            file.write(content.data)

    @classmethod
    def load(cls, path: str | PathLike[str], model: ImageAnnotator, images: AnnotationSet | None = None) -> ImageIndex:
        """Read an index that `save` wrote.

        Read none from people that you do not trust: what faiss makes of a file is not checked further than that it is
        the file that was written.

        Parameters
        ----------
        path : str or path
            The file.
        model, images
            What it was built from.

        Raises
        ------
        FileFormatError
            If it is no such file, or damaged.
        InputError
            If the model, or the images, are others than it was built from, or faiss is not installed.
        """
        storage.check_readable(path)
        with Path(path).open("rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                raise FileFormatError(f"{path}: not an index of vsenumba")
            line = file.readline(_LONGEST_HEADER)
            content = file.read()
        try:
            header = json.loads(line)
            whole = header["sha256"] == hashlib.sha256(content).hexdigest()
            wanted = {"digest": str(header["digest"]), "n_probe": int(header["n_probe"])}
            wanted["recall"] = float(header["recall"])
        except (ValueError, KeyError, TypeError) as error:
            raise FileFormatError(f"{path}: the head of the index cannot be read; build it again") from error
        if not whole:
            raise FileFormatError(f"{path}: the index is damaged or cut short; build it again")
        known = _searched(model, images)
        if wanted["digest"] != _digest(model, known):
            raise InputError(f"{path} is the index of another model, or of other images; build it again")
        index = _faiss().deserialize_index(np.frombuffer(content, np.uint8))
        index.nprobe = wanted["n_probe"]
        return cls(model, known, index, wanted)

    def __repr__(self) -> str:
        return f"<ImageIndex: {self._images.n_images:,} images, recall@10 {self.recall:.2f}>"


def _searched(model: Any, images: AnnotationSet | None) -> AnnotationSet:
    if not isinstance(model, ImageAnnotator):
        raise InputError(f"a {type(model).__name__} has no vectors of images to index; an ImageAnnotator has")
    model.label_names  # noqa: B018 - which refuses a model that is not fitted
    if model.pairs_ is not None:
        raise InputError(
            "an index goes by vectors, and this model has weights between labels too: fit it with max_neighbours=0"
        )
    return model._searched(images)


def _calibrated(index: Any, tried: np.ndarray, best: np.ndarray) -> tuple[int, float]:
    """Return how many lists to look into, and the recall with so many."""
    n_lists, n_probe = int(index.nlist), 1
    while True:
        n_probe = min(2 * n_probe, n_lists)
        index.nprobe = n_probe
        scores, _ = index.search(tried, best.shape[1])
        # By scores, not by images: those with the same are as good. Products of other shapes round otherwise.
        slack = 1e-4 * np.abs(best[:, :1]) + 1e-6
        recall = float((scores >= best[:, :1] - slack).mean())
        if recall >= _WANTED or n_probe == n_lists:
            return n_probe, recall


def _digest(model: ImageAnnotator, known: AnnotationSet) -> str:
    """Return a digest of what decides the vectors, and of the images."""
    sha = hashlib.sha256(known.digest().encode())
    for name in sorted(model.tables_):
        sha.update(name.encode())
        add_array(sha, model.tables_[name], "<f4")
    if known.features is not None and model.uses_features:
        for start in range(0, known.n_images, 1 << 16):
            rows = np.arange(start, min(start + (1 << 16), known.n_images))
            add_array(sha, model._vectors(known, rows), "<f4")
    return sha.hexdigest()


def _faiss() -> Any:
    try:
        import faiss
    except ImportError as error:
        raise InputError("an index needs faiss; install it with pip install 'vsenumba[ann]'") from error
    return faiss
