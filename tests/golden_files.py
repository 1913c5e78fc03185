"""What the golden files in ``tests/golden`` hold: for every format version, one file of each kind.

Contents of a version that was released never change; a new version gets an entry of its own, and
``tools/make_golden_files.py`` writes the files that are not there yet.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import scipy.sparse as sp

from vsenumba.storage import Json

FOLDER = Path(__file__).parent / "golden"
TEXT = np.dtypes.StringDType()
VERSION_1 = {
    "annotation-set": {
        "indptr": np.array([0, 2, 2, 3]),
        "indices": np.array([0, 2, 1], dtype=np.int32),
        "image_ids": np.array(["a.jpg", "ü.png", "猫"], dtype=TEXT),
        "label_names": np.array(["cat", "animal", "red\tdot"], dtype=TEXT),
        "features": np.array([[0.5, -1.0], [0.0, 2.0], [3.25, 1e-30]], dtype=np.float32),
        "titles": np.array(["", "two words", "é"], dtype=TEXT),
    },
    "caption-set": {
        "image_rows": np.array([[0.5, -1.0], [0.0, 2.0], [3.25, 1.5]], dtype=np.float16),
        "image_offsets": np.array([0, 2, 3]),
        "image_ids": np.array(["a.jpg", "猫"], dtype=TEXT),
        "image_subjects": np.array([0, 1]),
        "caption_subjects": np.array([0, 0, 1]),
        "captions": np.array(["a cat", "ein Kätzchen", "猫"], dtype=TEXT),
        "token_rows": np.array([[1.0], [2.0], [3.0], [4.0]], dtype=np.float32),
        "token_offsets": np.array([0, 1, 3, 4]),
        "classes": np.array([1, 0]),
        "parts": np.array(["train", "test"], dtype=TEXT),
        "thumbnails": np.arange(24, dtype=np.uint8).reshape(2, 2, 2, 3),
    },
    "corpus": {
        "tokens": np.array([0, 1, 0, 2], dtype=np.int32),
        "offsets": np.array([0, 3, 4]),
        "words": np.array(["the", "naïve", "猫"], dtype=TEXT),
        "counts": np.array([2, 1, 1]),
        "about": Json({"sources": ["a.txt"], "min_count": 1, "max_vocab": None, "n_sentences": 2}),
    },
    "model": {
        "class": Json("image-annotator"),
        "parameters": Json(
            {
                "inputs": "labels",
                "n_factors": 2,
                "l2": None,
                "sampler": {"name": "adaptive", "lam": 0.05, "refresh_every": None},
                "loss": "hinge",
                "random_state": 7,
            }
        ),
        "seen": {
            "indptr": np.array([0, 2, 3]),
            "indices": np.array([0, 2, 1], dtype=np.int32),
            "image_ids": np.array(["a", "ü"], dtype=TEXT),
            "label_names": np.array(["cat", "dog", "猫"], dtype=TEXT),
        },
        "arrays": {
            "label_factors": np.array([[1.5, -2.5], [0.0, 1.0], [0.25, 0.5]], dtype=np.float32),
            "context_factors": np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]], dtype=np.float32),
        },
        "history": {"epoch": np.array([1, 2]), "loss": np.array([0.75, np.nan])},
        "seed": Json({"entropy": "7", "spawn_key": []}),
        # No reader knows it, and every reader must pass over it.
        "unknown": sp.csr_array((np.ones(1, np.float32), np.array([0], np.int32), np.array([0, 1, 1])), shape=(2, 1)),
    },
    "runs": {
        "settings": Json({"metric": "mrr", "n_seeds": 1}),
        "references": Json({"EASE": {"mrr": 0.75}}),
        "runs": {
            "0": {
                "run": Json({"sampler": "adaptive", "loss": "logistic", "seed": 0}),
                "history": {
                    "epoch": np.array([1, 2]),
                    "seconds": np.array([0.5, 1.0]),
                    "steps": np.array([10, 20]),
                    "mrr": np.array([0.25, 0.5]),
                    "validation_mrr": np.array([0.5, 0.25]),
                },
            }
        },
    },
}
CONTENTS = {(kind, 1): elements for kind, elements in VERSION_1.items()}


def golden_path(kind: str, version: int) -> Path:
    """Return where the golden file of a kind and a version lies."""
    return FOLDER / f"{kind}-{version}.h5"
