"""An approximate index for searches by label among millions of images; needs faiss (the extra ``ann``)."""

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

#: With fewer images, the exact search takes a tenth of a second, and building an index is not worth the time.
LEAST_IMAGES = 1_000_000

_MAGIC = b"vsenumba image index 1\n"
_LONGEST_HEADER = 4096
# Recall of the ten best images that the index must reach on a sample of labels. It searches more lists until it does.
_WANTED = 0.95
_TRIED = 128
_BEST = 10
# Mean number of training vectors for each list. faiss uses four times as many by default, without better recall here.
_PER_LIST = 64


class ImageIndex:
    """Find images by labels without scoring all of them.

    The index sorts image vectors into lists by direction, and searches the most promising lists only (``IVF`` in faiss,
    by inner product). Scores are exact, but a search may miss an image.

    Create an index with `build`, or load one with `load`.

    Attributes
    ----------
    recall : float
        Share of the ten best images that the index found when it was built, averaged over a sample of labels.

    Examples
    --------
    >>> from vsenumba import ImageAnnotator, synthetic
    >>> model = ImageAnnotator(n_epochs=1, max_neighbours=0, random_state=0).fit(synthetic(60, 12, 240, rng=0))
    >>> ImageIndex.build(model)
    Traceback (most recent call last):
    vsenumba.errors.InputError: an index needs 1,000,000 images, not 60; find_images is exact and quick
    """

    def __init__(self, model: ImageAnnotator, images: AnnotationSet, index: Any, header: dict[str, Any]) -> None:
        self._model = model
        self._images = images
        self._index = index
        self._header = header

    @property
    def recall(self) -> float:
        """Share of the ten best images that the index found when it was built."""
        return float(self._header["recall"])

    @property
    def n_images(self) -> int:
        """Number of images in the index."""
        return self._images.n_images

    @classmethod
    def build(cls, model: ImageAnnotator, images: AnnotationSet | None = None) -> ImageIndex:
        """Build an index.

        Parameters
        ----------
        model : ImageAnnotator
            A model without weights between labels (``max_neighbours=0``).
        images : AnnotationSet, optional
            The images to index. The default is the training images.

        Returns
        -------
        ImageIndex
            The index.

        Raises
        ------
        InputError
            If the model has no image vectors, there are fewer than a million images, or faiss is not installed.
        """
        known = _searched(model, images)
        if known.n_images < LEAST_IMAGES:
            raise InputError(
                f"an index needs {LEAST_IMAGES:,} images, not {known.n_images:,}; find_images is exact and quick"
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
        """Find the images that a label, or several labels together, fit best.

        Parameters
        ----------
        label, n, include_known
            As in `ImageAnnotator.find_images`.

        Returns
        -------
        list of Match
            Image ids with their scores, best first. They are fewer than `n` only if no more images may be found.
        """
        names = self._model.label_names_
        columns = np.unique(names.index(as_names_asked(label, "label")))
        may = may_be_found(self._images, columns, include_known)
        n = min(checked_count(n), int(np.count_nonzero(may)))
        selector = _faiss().IDSelectorBitmap(np.packbits(may, bitorder="little"))
        vector = self._model.label_factors_[columns].mean(axis=0, dtype=np.float32)[None]
        scores, rows = self._search(vector, n, self._index.nprobe, selector)
        # Images that have the label already can fill the lists near it, so that the best of the others are elsewhere.
        n_probe, is_settled = 2 * self._index.nprobe, include_known and len(rows) == n
        while not is_settled and n_probe < 2 * self._index.nlist:
            fewer, (scores, rows) = scores, self._search(vector, n, n_probe, selector)
            n_probe, is_settled = 2 * n_probe, len(rows) == n and np.array_equal(scores, fewer)
        # Images with equal scores come in the order of the set, as in all searches.
        order = np.lexsort((rows, -scores))
        found = self._images.image_ids.take(rows[order]).tolist()
        return [Match(str(name), score) for name, score in zip(found, scores[order].tolist(), strict=True)]

    def _search(self, vector: np.ndarray, n: int, n_probe: int, selector: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return the scores and rows of the best selected images in the `n_probe` most promising lists."""
        parameters = _faiss().SearchParametersIVF(nprobe=n_probe, sel=selector)
        (scores,), (rows,) = self._index.search(vector, max(n, 1), params=parameters)
        return scores[rows >= 0], rows[rows >= 0]

    def save(self, path: str | PathLike[str]) -> None:
        """Save the index to a file, for `load`.

        Parameters
        ----------
        path : str or path
            File to write; an existing file is replaced.
        """
        content = _faiss().serialize_index(self._index)
        header = self._header | {"sha256": hashlib.sha256(content.data).hexdigest()}
        with storage.open_output(path) as file:
            file.write(_MAGIC + json.dumps(header).encode() + b"\n")
            file.write(content.data)

    @classmethod
    def load(cls, path: str | PathLike[str], model: ImageAnnotator, images: AnnotationSet | None = None) -> ImageIndex:
        """Load an index that `save` wrote.

        Only load files from people you trust. The checksum shows that a file is complete, but faiss does not protect
        itself against crafted files.

        Parameters
        ----------
        path : str or path
            The file.
        model, images
            The model and the images that the index was built from.

        Returns
        -------
        ImageIndex
            The index.

        Raises
        ------
        FileFormatError
            If the file is not an index, or is damaged.
        InputError
            If the index was built from another model or other images, or faiss is not installed.
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
            raise FileFormatError(f"{path}: the header of the index cannot be read; build it again") from error
        if not whole:
            raise FileFormatError(f"{path}: the index is damaged or incomplete; build it again")
        known = _searched(model, images)
        if wanted["digest"] != _digest(model, known):
            raise InputError(f"{path} was built from another model or other images; build it again")
        index = _faiss().deserialize_index(np.frombuffer(content, np.uint8))
        index.nprobe = wanted["n_probe"]
        return cls(model, known, index, wanted)

    def __repr__(self) -> str:
        return f"<ImageIndex: {self._images.n_images:,} images, recall@10 {self.recall:.2f}>"


def _searched(model: Any, images: AnnotationSet | None) -> AnnotationSet:
    if not isinstance(model, ImageAnnotator):
        raise InputError(f"a {type(model).__name__} has no image vectors to index; use an ImageAnnotator")
    model.label_names  # noqa: B018 - raises an error if the model is not fitted
    if model.pairs_ is not None:
        raise InputError(
            "an index uses vectors alone, but this model also has weights between labels; fit it with max_neighbours=0"
        )
    return model._searched(images)


def _calibrated(index: Any, tried: np.ndarray, best: np.ndarray) -> tuple[int, float]:
    """Return the number of lists to search, and the recall with that number."""
    n_lists, n_probe = int(index.nlist), 1
    while True:
        n_probe = min(2 * n_probe, n_lists)
        index.nprobe = n_probe
        scores, _ = index.search(tried, best.shape[1])
        # Compare scores, not images, because images with equal scores are equally good. The slack covers rounding:
        # faiss multiplies matrices of other shapes.
        slack = 1e-4 * np.abs(best[:, :1]) + 1e-6
        recall = float((scores >= best[:, :1] - slack).mean())
        if recall >= _WANTED or n_probe == n_lists:
            return n_probe, recall


def _digest(model: ImageAnnotator, known: AnnotationSet) -> str:
    """Return a digest of the images and of everything that determines their vectors."""
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
