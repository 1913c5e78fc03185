"""The backbone that runs an image network from an ONNX file with onnxruntime."""

from __future__ import annotations

import hashlib
import json
import os
import re
import warnings
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from vsenumba.checks import is_whole
from vsenumba.data.backbone_id import BackboneId
from vsenumba.data.names import as_name
from vsenumba.errors import FileFormatError, InputError
from vsenumba.pictures.backbones.backbone import Backbone, refuse_settings
from vsenumba.pictures.backbones.preprocessing import SETTINGS, find_preprocessing
from vsenumba.storage import check_readable, exists

_BATCH = 32
# A larger dimension means that the file is damaged or the input is not a picture.
_LARGEST_SIDE = 4096
_INPUTS = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8}
_POOLINGS = ("mean", "first")
# The reference to a file with external weights: the key "location", then a name of up to 127 bytes.
_LOCATION = re.compile(rb"\n\x08location\x12([\x01-\x7f])", re.DOTALL)


class OnnxBackbone(Backbone):
    """An image network in an ONNX file.

    If you leave out a setting, it is read from the metadata of the file, and then from the shape of the input. The
    metadata keys are the names of the parameters and those of the ONNX standard (``Image.BitmapPixelFormat``,
    ``Image.NominalPixelRange``). A setting found in neither gets the usual value for networks trained on ImageNet,
    with a warning.

    Parameters
    ----------
    path : str or path-like
        The file. The network must have one input: a batch of pictures with three channels, as float32, float16 or
        uint8. The batch size may be fixed or open.
    size : int, optional
        Pixels along each side, if the input does not fix it.
    layout : str, optional
        ``"NCHW"`` if the channels come before the rows and columns, ``"NHWC"`` if after them.
    channels : str, optional
        ``"RGB"`` or ``"BGR"``.
    scale : float, optional
        The factor applied to the bytes: by default 1/255, or 1 if `mean` or `std` is above 1.
    mean, std : float or three floats, optional
        The values to subtract from each scaled channel, and to divide the result by.
    resize : str, optional
        ``"crop"``, ``"pad"`` or ``"squash"``, see `Backbone`.
    output : str, optional
        The output to use, if the network has several. Vectors are used unchanged. Feature maps are averaged over rows
        and columns.
    pooling : str, optional
        How to reduce an output of shape (n, tokens, d), as transformers return it: ``"mean"`` averages the tokens,
        ``"first"`` uses the first one.
    name : str, optional
        The name of the backbone in files; the name of the ONNX file by default.
    n_threads : int, optional
        Threads to use; all cores by default.

    Raises
    ------
    InputError
        If onnxruntime is missing, a setting does not fit, or the input of the network is not a batch of pictures.
    FileFormatError
        If the file is not an ONNX file, or is damaged.

    Warns
    -----
    UserWarning
        If a setting had to be assumed. The warning names the value and the option that changes it.
    """

    name = "onnx"
    description = "the path of an image network's .onnx file, run by onnxruntime"

    def __init__(
        self,
        path: str | PathLike[str],
        *,
        output: str | None = None,
        pooling: str | None = None,
        name: str | None = None,
        n_threads: int | None = None,
        **settings: Any,
    ) -> None:
        refuse_settings(self.name, settings, SETTINGS)
        if n_threads is not None and not is_whole(n_threads):
            raise InputError(f"n_threads must be a whole number of at least 1, not {n_threads!r}")
        self._path = Path(path)
        self._session = _open(self._path, n_threads)
        metadata = dict(self._session.get_modelmeta().custom_metadata_map)
        self._input, self._dtype, shape = self._the_input()
        self._prepare = find_preprocessing(str(path), shape, self._dtype == np.uint8, metadata, settings)
        self.height, self.width = self._prepare.height, self._prepare.width
        self.resize = self._prepare.resize
        self._fixed = shape[0]
        self.batch = shape[0] or _BATCH
        self._output = self._the_output(output if output is not None else metadata.get("output"))
        self._pooling = pooling if pooling is not None else metadata.get("pooling")
        if self._pooling not in (None, *_POOLINGS):
            raise InputError(f"pooling must be {' or '.join(_POOLINGS)}, not {self._pooling!r:.60}")
        self.n_features = self.describe(np.zeros((1, self.height, self.width, 3), np.uint8)).shape[1]
        called = as_name(self._path.name if name is None else name, "the backbone")
        self.id = BackboneId(called, self._digest())
        if self._prepare.notes:
            said = "; ".join(self._prepare.notes)
            warnings.warn(f"{path} does not describe its input; assuming that {said}", UserWarning, stacklevel=2)

    @classmethod
    def recognises(cls, value: Any) -> bool:
        """See `Backbone.recognises`."""
        return isinstance(value, PathLike) or (
            isinstance(value, str) and (value.lower().endswith(".onnx") or Path(value).exists() or "/" in value)
        )

    @classmethod
    def make(cls, value: Any, settings: dict[str, Any]) -> OnnxBackbone:
        """See `Backbone.make`."""
        return cls(value, **settings)

    def describe(self, pictures: np.ndarray) -> np.ndarray:
        """See `Backbone.describe`."""
        step = self._fixed or max(len(pictures), 1)
        found = [self._run(pictures[start : start + step]) for start in range(0, len(pictures), step)]
        return np.concatenate(found) if found else np.zeros((0, self.n_features), np.float32)

    def _run(self, pictures: np.ndarray) -> np.ndarray:
        n = len(pictures)
        if n < self._fixed:  # pad with black pictures, and drop their vectors
            pictures = np.concatenate([pictures, np.zeros((self._fixed - n, *pictures.shape[1:]), np.uint8)])
        values = self._prepare(pictures, self._dtype)
        try:
            (found,) = self._session.run([self._output], {self._input: values})
        except Exception as error:  # the error types of onnxruntime derive directly from Exception
            raise InputError(
                f"{self._path}: the network does not accept pictures of {self.width} x {self.height} pixels as "
                f"{self._prepare.layout}: {_one_line(error)}; set --size and --layout"
            ) from error
        return self._pooled(np.asarray(found), len(pictures))[:n]

    def _pooled(self, found: np.ndarray, n: int) -> np.ndarray:
        where = f"{self._path}: the output {self._output!r}"
        if found.dtype.kind != "f" or not found.ndim or len(found) != n:
            raise InputError(f"{where} is {found.dtype} of shape {found.shape} for {n} picture(s), not vectors")
        if found.ndim == 3:
            if self._pooling is None:
                raise InputError(
                    f"{where} has the shape {found.shape}: several vectors per picture, as transformers return; "
                    "use the first with --pooling first or their mean with --pooling mean (in Python "
                    "pooling=...), or choose "
                    "a pooled output"
                )
            found = found[:, 0] if self._pooling == "first" else found.mean(axis=1, dtype=np.float32)
        elif found.ndim == 4:
            found = found.mean(axis=(2, 3) if self._prepare.layout == "NCHW" else (1, 2), dtype=np.float32)
        if found.ndim != 2 or not found.shape[1]:
            raise InputError(f"{where} has the shape {found.shape}, which is neither vectors nor feature maps")
        return np.ascontiguousarray(found, np.float32)

    def _the_input(self) -> tuple[str, type, list[int]]:
        """Return the name, type and shape of the input; open dimensions are 0."""
        inputs = self._session.get_inputs()
        if len(inputs) != 1:
            names = ", ".join(one.name for one in inputs)
            raise InputError(
                f"{self._path}: the network has {len(inputs)} inputs ({names:.200}); expected one input, of pictures. "
                "Export only the image part"
            )
        (one,) = inputs
        dtype = _INPUTS.get(one.type)
        if dtype is None:
            raise InputError(f"{self._path}: the input {one.name!r} is a {one.type}, not one of {', '.join(_INPUTS)}")
        shape = [size if isinstance(size, int) and size > 0 else 0 for size in one.shape]
        if len(shape) != 4 or max(shape) > _LARGEST_SIDE:
            said = ", ".join(map(str, one.shape))
            raise InputError(
                f"{self._path}: the input {one.name!r} has the shape ({said}); expected the four dimensions "
                "of a batch of pictures, such as (n, 3, 224, 224)"
            )
        return one.name, dtype, shape

    def _the_output(self, wanted: str | None) -> str:
        names = [one.name for one in self._session.get_outputs()]
        if wanted is None and len(names) == 1:
            return str(names[0])
        if wanted is None:
            raise InputError(
                f"{self._path}: the network has {len(names)} outputs: {', '.join(names):.300}; choose the picture's "
                "vector with --network-output (in Python output='...')"
            )
        if wanted not in names:
            raise InputError(f"{self._path}: there is no output {wanted!r}; the outputs are {', '.join(names):.300}")
        return wanted

    def _digest(self) -> str:
        sha = hashlib.sha256()
        for path in [self._path, *_outside(self._path)]:
            with path.open("rb") as file:
                while block := file.read(1 << 20):
                    sha.update(block)
        settings = [*self._prepare.decisive(), self._output, self._pooling]
        sha.update(json.dumps(settings).encode())
        return sha.hexdigest()


def _open(path: Path, n_threads: int | None) -> Any:
    if exists(path) and path.is_dir():
        raise InputError(f"{path} is a folder; give the path of the .onnx file in it")
    check_readable(path)
    try:
        import onnxruntime
    except ImportError as error:
        raise InputError(
            "ONNX files need onnxruntime, which is not installed; install it with: pip install 'vsenumba[onnx]'"
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(n_threads or _n_cores())
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # as above
        raise FileFormatError(f"{path}: not an ONNX file that onnxruntime can run: {_one_line(error)}") from error


def _n_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _outside(path: Path) -> list[Path]:
    """Return the files with external weights; onnxruntime has already checked that they exist."""
    content = path.read_bytes()
    names = {content[found.end() : found.end() + found[1][0]] for found in _LOCATION.finditer(content)}
    paths = [path.parent / os.fsdecode(name) for name in sorted(names) if b"\0" not in name]
    return [one for one in paths if one.is_file()]


def _one_line(error: Exception) -> str:
    return f"{' '.join(str(error).split()):.200}"
