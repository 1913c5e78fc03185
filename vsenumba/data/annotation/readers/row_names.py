"""Names for images in files without names: the file's name and the row number."""

from __future__ import annotations

from pathlib import Path

from vsenumba.data.names import plain
from vsenumba.data.vocabulary import Vocabulary

_COMPRESSED = frozenset({".gz", ".xz", ".bz2"})


def names_of_rows(path: Path, n_rows: int) -> Vocabulary:
    """Return names such as ``"train-0"``, so that row 0 of ``train.arff`` and row 0 of ``test.arff`` differ.

    Examples
    --------
    >>> names_of_rows(Path("data/train.txt.gz"), 2)
    <2 image names: 'train-0', 'train-1'>
    """
    name = path.stem if path.suffix.lower() in _COMPRESSED else path.name
    # Not a NumberedVocabulary, which marks images without names of their own that can match any images.
    return Vocabulary(Vocabulary.numbered(n_rows, "image", f"{plain(Path(name).stem)}-").names, "image")
