"""Names for the images of files that have none: the file's name and the number of the row."""

from __future__ import annotations

from pathlib import Path

from vsenumba.data.names import plain
from vsenumba.data.vocabulary import Vocabulary

_COMPRESSED = frozenset({".gz", ".xz", ".bz2"})


def names_of_rows(path: Path, n_rows: int) -> Vocabulary:
    """Return names such as ``"train-0"``, so that row 0 of ``train.arff`` is not taken for that of ``test.arff``.

    Examples
    --------
    >>> names_of_rows(Path("data/train.txt.gz"), 2)
    <2 image names: 'train-0', 'train-1'>
    """
    name = path.stem if path.suffix.lower() in _COMPRESSED else path.name
    # Not counted names: those stand for images that have no names, and may be any images.
    return Vocabulary(Vocabulary.numbered(n_rows, "image", f"{plain(Path(name).stem)}-").names, "image")
