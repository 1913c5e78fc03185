"""Compute the vectors of many pictures: decode them on all cores, and cache finished batches."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from os import PathLike
from typing import Any, NamedTuple

import numpy as np

from vsenumba.checks import is_whole
from vsenumba.data.backbone_id import BackboneId
from vsenumba.errors import FileFormatError, InputError, VsenumbaError
from vsenumba.memory import check_memory
from vsenumba.pictures.backbones import Backbone, FunctionBackbone, as_backbone
from vsenumba.pictures.cache import PictureCache, Stamp
from vsenumba.pictures.decode import fitted, quiet_pillow
from vsenumba.pictures.folder import BrokenPicture, PictureFolder

# Seconds between writes to the cache. An interruption loses at most this much work and one batch.
_SECONDS_A_PART = 2.0
# Number of batches that each thread decodes ahead.
_AHEAD = 2


class Described(NamedTuple):
    """Pictures and their vectors.

    Attributes
    ----------
    image_ids : list of str
        The pictures that could be read, in the order of the folder.
    features : (n, d) array
        Their vectors, uint8, float16 or float32.
    backbone : BackboneId
        The backbone that computed the vectors.
    broken : list of BrokenPicture
        The pictures that could not be read.
    n_known : int
        The number of vectors that came from the cache.
    """

    image_ids: list[str]
    features: np.ndarray
    backbone: BackboneId
    broken: list[BrokenPicture]
    n_known: int


def describe_pictures(
    folder: PictureFolder | str | PathLike[str],
    backbone: Any = "descriptors",
    *,
    cache: str | PathLike[str] | None = None,
    n_threads: int | None = None,
    after_batch: Callable[[int, int], object] | None = None,
    **settings: Any,
) -> Described:
    """Compute a vector for each picture in a folder.

    Threads decode the pictures. Pillow releases Python's global interpreter lock, so the threads use all cores, and
    they start faster than processes.

    Parameters
    ----------
    folder : PictureFolder or path
        The pictures.
    backbone : str, path-like, callable or Backbone
        The built-in ``"descriptors"``, the path of an ONNX file, or a function from (n, size, size, 3) uint8 pictures
        to an (n, d) array.
    cache : str or path-like, optional
        A file that stores the vectors as they are computed. A later call reuses the vectors of all pictures whose size
        and modification time are unchanged. It tries broken pictures again.
    n_threads : int, optional
        The number of threads that decode pictures; one per core by default.
    after_batch : callable, optional
        Called with the number of finished pictures and the number of broken ones.
    **settings
        Settings of the backbone; see `OnnxBackbone` and `FunctionBackbone`.

    Returns
    -------
    Described
        The vectors, and the pictures that could not be read.

    Raises
    ------
    InputError
        If there are no pictures, none can be read, or the backbone or one of its settings cannot be used.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as name:
    ...     Image.new("RGB", (40, 30), "red").save(pathlib.Path(name) / "a.png")
    ...     described = describe_pictures(name, lambda pictures: pictures.mean(axis=(1, 2)), size=8, name="mean")
    >>> described.image_ids, described.features
    (['a.png'], array([[255.,   0.,   0.]], dtype=float32))
    """
    if not isinstance(folder, PictureFolder):
        folder = PictureFolder(folder)
    if n_threads is not None and not is_whole(n_threads):
        raise InputError(f"n_threads must be a whole number of at least 1, not {n_threads!r}")
    made = backbone_of(backbone, n_threads, settings)
    if cache is None:
        return _Work(folder, made, None, n_threads, after_batch).done()
    if isinstance(made, FunctionBackbone) and not made.is_named:
        raise InputError(
            "a cache needs a name for a backbone function: give name='...', and a new name whenever its results change"
        )
    with PictureCache(cache, made.id) as kept:
        described = _Work(folder, made, kept, n_threads, after_batch).done()
        kept.tidy(folder.image_ids)
    return described


def backbone_of(value: Any, n_threads: int | None, settings: Mapping[str, Any]) -> Backbone:
    """Convert a value to a backbone; an ONNX backbone runs on `n_threads` threads."""
    threaded = isinstance(value, (str, PathLike)) and value != "descriptors"
    own = {"n_threads": n_threads} if threaded and n_threads is not None else {}
    return as_backbone(value, **settings, **own)


class _Work:
    """One run of a backbone over a folder."""

    def __init__(
        self,
        folder: PictureFolder,
        backbone: Backbone,
        cache: PictureCache | None,
        n_threads: int | None,
        after_batch: Callable[[int, int], object] | None,
    ) -> None:
        self.folder = folder
        self.backbone = backbone
        self.cache = cache
        self.n_threads = int(n_threads or available_cores())
        self.after_batch = after_batch or (lambda n_done, n_broken: None)
        self.vectors: dict[str, np.ndarray] = {}
        self.broken = list(folder.unreadable)
        self.waiting: list[tuple[str, Stamp, np.ndarray]] = []

    def done(self) -> Described:
        """Return the vectors of all pictures."""
        todo, stamps = self._known()
        n_known = len(self.vectors)
        self._report()
        last = time.monotonic()
        try:
            # Closing it stops the decoding threads, also after an interrupt.
            with closing(self._decoded(todo)) as batches:
                for images, pictures in batches:
                    self._describe(images, pictures, stamps)
                    if time.monotonic() - last > _SECONDS_A_PART:
                        self._keep()
                        last = time.monotonic()
                    self._report()
        finally:
            self._keep()
        images = [image for image in self.folder if image in self.vectors]
        if not images:
            first = self.broken[0]
            raise InputError(
                f"none of the {len(self.broken):,} pictures in {self.folder.path} could be read: {first.image}: "
                f"{first.reason}"
            )
        features = np.stack([self.vectors[image] for image in images])
        return Described(images, features, self.backbone.id, sorted(self.broken), n_known)

    def _report(self) -> None:
        self.after_batch(len(self.vectors), len(self.broken))

    def _known(self) -> tuple[list[str], dict[str, Stamp]]:
        """Take known vectors from the cache; return the other pictures and their stamps."""
        if self.cache is None:
            return self.folder.image_ids, {}
        todo, stamps = [], {}
        for image in self.folder:
            try:
                # Take the stamp before reading: a picture that is rewritten meanwhile then has a different stamp.
                stamp = self.folder.stamp_of(image)
            except FileFormatError as error:
                self._leave_out(image, error)
                continue
            vector = self.cache.get(image, stamp)
            if vector is None:
                todo.append(image)
                stamps[image] = stamp
            else:
                self.vectors[image] = vector
        return todo, stamps

    def _decoded(self, todo: Sequence[str]) -> Generator[tuple[list[str], np.ndarray]]:
        """Yield batches of pictures, decoded ahead of time."""
        step = self.backbone.batch
        # Jobs are small, so that a slow picture delays few others. The results are merged into batches.
        size = min(step, 8)
        jobs = deque[Future[list[tuple[str, np.ndarray | VsenumbaError]]]]()
        starts = iter(range(0, len(todo), size))
        ahead = self.n_threads * _AHEAD * max(1, step // size)
        with ExitStack() as stack:
            stack.enter_context(quiet_pillow())
            pool = ThreadPoolExecutor(self.n_threads, "pictures")
            stack.callback(pool.shutdown, cancel_futures=True)
            ready: list[tuple[str, np.ndarray]] = []
            while True:
                while len(jobs) < ahead and (start := next(starts, None)) is not None:
                    jobs.append(pool.submit(self._job, todo[start : start + size]))
                if not jobs:
                    break
                for image, found in jobs.popleft().result():
                    if isinstance(found, VsenumbaError):
                        self._leave_out(image, found)
                    else:
                        ready.append((image, found))
                while len(ready) >= step:
                    yield [image for image, _ in ready[:step]], np.stack([one for _, one in ready[:step]])
                    del ready[:step]
                self._report()
            if ready:
                yield [image for image, _ in ready], np.stack([one for _, one in ready])

    def _job(self, images: Sequence[str]) -> list[tuple[str, np.ndarray | VsenumbaError]]:
        backbone = self.backbone
        found: list[tuple[str, np.ndarray | VsenumbaError]] = []
        for image in images:
            try:
                path = self.folder.path_of(image)
                picture = fitted(path, backbone.height, backbone.width, backbone.resize, smooth=backbone.smooth)
                found.append((image, picture))
            except (FileFormatError, InputError) as error:
                found.append((image, error))
        return found

    def _leave_out(self, image: str, error: VsenumbaError) -> None:
        # The message begins with the path, which the caller prints already.
        reason = str(error).removeprefix(f"{self.folder.path_of(image)}: ")
        self.broken.append(BrokenPicture(image, reason))

    def _describe(self, images: list[str], pictures: np.ndarray, stamps: dict[str, Stamp]) -> None:
        vectors = self.backbone.describe(pictures)
        if vectors.dtype.kind == "f" and not (finite := np.isfinite(vectors).all(axis=1)).all():
            image = images[int(np.flatnonzero(~finite)[0])]
            raise InputError(f"the backbone {self.backbone.id.name!r} returned NaN or inf for the picture {image!r}")
        self._check_width(images[0], vectors)
        self.vectors.update(zip(images, vectors, strict=True))
        if self.cache is not None:
            rows = zip(images, vectors, strict=True)
            self.waiting += [(image, stamps[image], vector) for image, vector in rows]

    def _check_width(self, image: str, vectors: np.ndarray) -> None:
        other = next(iter(self.vectors.values()), None)
        if other is None:
            n_bytes = len(self.folder) * vectors.shape[1] * vectors.itemsize
            check_memory(2 * n_bytes, f"the vectors of {len(self.folder):,} pictures", "use fewer pictures at once")
        elif other.shape != vectors.shape[1:] or other.dtype != vectors.dtype:
            raise InputError(
                f"the backbone {self.backbone.id.name!r} returned {vectors.shape[1]} numbers of {vectors.dtype} for "
                f"{image!r}, but {other.shape[0]} of {other.dtype} before; if you changed it, give it a new name"
            )

    def _keep(self) -> None:
        if self.cache is not None and self.waiting:
            images, stamps, vectors = zip(*self.waiting, strict=True)
            self.cache.add(images, stamps, np.stack(vectors))
            self.waiting = []


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
