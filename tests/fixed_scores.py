"""A model whose scores are given, and problems for it: what the tests of metrics evaluate."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from hypothesis import strategies as st

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.evaluation import ranking

# Few distinct values, so that ties abound; the ends of what float16 and float32 hold.
SCORE_VALUES = [0.0, -0.0, 1.0, -1.0, 0.5, 65504.0, -65504.0, 6e-8, 3.4e38, -3.4e38, 1e-45]


class FixedScorer:
    """A model whose scores are given."""

    def __init__(self, scores, label_names=None):
        self.scores = np.asarray(scores, dtype=np.float32)
        n, n_labels = self.scores.shape
        self.trained_on = AnnotationSet(np.zeros(n + 1), np.zeros(0), n_labels, label_names=label_names)
        self.label_names = self.trained_on.label_names
        self.blocks = []

    def align(self, data):
        columns = self.label_names.index(data.label_names)
        matrix = sp.coo_array(data.to_csr())
        shape = (data.n_images, len(self.label_names))
        return AnnotationSet.from_csr(
            sp.csr_array((matrix.data, (matrix.row, columns[matrix.col])), shape=shape),
            data.image_ids,
            self.label_names,
        )

    def known_for(self, test, exclude):
        known = self.trained_on if exclude is None else self.align(exclude)
        return known.select_images(known.image_ids.index(test.image_ids))

    def score_block(self, known, rows):
        self.blocks.append(len(rows))
        return self.scores[known.image_ids.index(known.image_ids.names[rows])]


def matrix_of(lists, n_labels):
    dense = np.zeros((len(lists), n_labels), dtype=bool)
    for i, labels in enumerate(lists):
        dense[i, list(labels)] = True
    return dense


def blocks_of(patch, n_images):
    """Have `evaluate` score so many images at once."""
    patch.setattr(ranking, "BLOCK_BYTES", 0)
    patch.setattr(ranking, "LEAST_IMAGES", n_images)


@st.composite
def problems(draw):
    """Scores with ties; disjoint test and excluded labels, of which an image may have none or all but one."""
    n_images = draw(st.integers(1, 6))
    n_labels = draw(st.integers(1, 7))
    values = st.sampled_from(SCORE_VALUES) if draw(st.booleans()) else st.just(draw(st.sampled_from(SCORE_VALUES)))
    scores = [[draw(values) for _ in range(n_labels)] for _ in range(n_images)]
    # Each label of an image: 0 a candidate only, 1 a test label, 2 excluded.
    roles = np.array([[draw(st.integers(0, 2)) for _ in range(n_labels)] for _ in range(n_images)])
    roles[draw(st.integers(0, n_images - 1)), draw(st.integers(0, n_labels - 1))] = 1
    return np.array(scores, dtype=np.float32), roles == 1, roles == 2
