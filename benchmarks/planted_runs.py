"""Create planted sets in a folder, once, and train models on them, each in a separate process."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.own_process import in_own_process


class Size(NamedTuple):
    """The size of a planted set."""

    n_images: int
    n_labels: int
    n_pairs: int


class PlantedRuns:
    """Creates planted sets in a folder, and trains on them.

    Parameters
    ----------
    folder : Path
        The folder of the sets. Existing sets are not created again.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._warm: set[str] = set()

    def train(self, size: Size, **parameters: Any) -> dict[str, Any]:
        """Train a model with these parameters; return the measurements of `scale_run.train`."""
        code = json.dumps({**parameters, "n_epochs": 1, "n_factors": 4})
        if code not in self._warm:  # on a tiny set first, so that no measured process compiles
            self._train(Size(60, 12, 240), json.loads(code))
            self._warm.add(code)
        return self._train(size, parameters)

    def _train(self, size: Size, parameters: Mapping[str, Any]) -> dict[str, Any]:
        path = self._folder / f"planted-{size.n_images}-{size.n_labels}-{size.n_pairs}.h5"
        if not path.exists():
            made = in_own_process("scale_run.py", {"task": "make", "file": str(path), **size._asdict()})
            print(f"made {path.name} in {made['seconds']:.0f} s, {made['peak_bytes'] / 1e9:.2f} GB", file=sys.stderr)
        run = in_own_process("scale_run.py", {"task": "train", "file": str(path), "parameters": parameters})
        done = f"{run['epoch_seconds']:.3g} s an epoch, {run['peak_bytes'] / 1e9:.2f} GB"
        print(f"trained on {path.name}, {parameters['inputs']}, {parameters['sampler']}: {done}", file=sys.stderr)
        return {**parameters, **run}


@contextmanager
def sets_folder(folder: Path | None) -> Iterator[Path]:
    """Yield the folder for the sets: the given one, or a temporary one."""
    if folder is None:
        with tempfile.TemporaryDirectory() as temporary:
            yield Path(temporary)
    else:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder


def markdown(header: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table with numbers aligned to the right."""
    lines = [header, [":--" if i == 0 else "--:" for i in range(len(header))], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
