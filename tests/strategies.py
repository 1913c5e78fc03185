"""The shared Hypothesis vocabulary: what data sets, names and factor tables can look like.

Everything here covers what kernels and readers trip over: images with no label or with all, labels nobody
has, names in any script, tables of zeros, of ties, with constant columns, with one row or one column.
"""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vsenumba.data import AnnotationSet, Corpus
from vsenumba.data.names import plain

# Any text that can be a name, as it is compared: some letters of every script; no surrogates, no NUL, not blank.
names = st.one_of(
    st.text("ab", min_size=1, max_size=4),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12)
    .map(plain)
    .filter(bool),
)
# What tables of text can carry as well: no control characters but tab and line feed.
table_names = names.filter(lambda name: all(c >= " " or c in "\t\n" for c in name))
seeds = st.integers(0, 2**32 - 1)


def distinct_names(size: int, of: st.SearchStrategy[str] = names) -> st.SearchStrategy[list[str]]:
    """Return lists of `size` distinct names."""
    return st.lists(of, min_size=size, max_size=size, unique=True)


@st.composite
def incidence(draw: st.DrawFn, max_images: int = 8, max_labels: int = 6, min_images: int = 0, min_labels: int = 0):
    """Draw a bool matrix of images by labels; some rows are made full or empty, and some columns empty."""
    n_images = draw(st.integers(min_images, max_images))
    n_labels = draw(st.integers(min_labels, max_labels))
    matrix = draw(hnp.arrays(bool, (n_images, n_labels)))
    if n_images and n_labels:
        matrix[draw(st.lists(st.integers(0, n_images - 1), max_size=2)), :] = draw(st.booleans())
        matrix[:, draw(st.lists(st.integers(0, n_labels - 1), max_size=1))] = False
    return matrix


@st.composite
def annotation_sets(
    draw: st.DrawFn,
    max_images: int = 8,
    max_labels: int = 6,
    min_images: int = 0,
    min_labels: int = 0,
    min_pairs: int = 0,
    name: st.SearchStrategy[str] = names,
    extras: bool = False,
):
    """Draw an `AnnotationSet`; with `extras`, perhaps with features and titles."""
    matrix = draw(
        incidence(max_images, max_labels, min_images, min_labels).filter(lambda matrix: matrix.sum() >= min_pairs)
    )
    n_images, n_labels = matrix.shape
    data = AnnotationSet.from_csr(matrix, draw(distinct_names(n_images, name)), draw(distinct_names(n_labels, name)))
    if not extras:
        return data
    finite = st.floats(-1e6, 1e6, width=32)
    features = st.one_of(
        st.none(),
        hnp.arrays(np.float32, (n_images, 2), elements=finite),
        hnp.arrays(np.uint8, (n_images, 3)),
    )
    titles = st.none() | st.lists(st.text("xyzé ", max_size=9), min_size=n_images, max_size=n_images)
    return AnnotationSet(
        data.indptr, data.indices, n_labels, data.image_ids, data.label_names, draw(features), draw(titles)
    )


@st.composite
def factor_tables(
    draw: st.DrawFn,
    max_rows: int = 12,
    max_factors: int = 5,
    rows: int | None = None,
    factors: int | None = None,
):
    """Draw a float32 table, at least 1 by 1: of any values, of few (ties), of zeros, with constant columns.

    Give `rows` or `factors` to fix that extent, for example to draw two tables that fit together.
    """
    shape = (
        draw(st.integers(1, max_rows)) if rows is None else rows,
        draw(st.integers(1, max_factors)) if factors is None else factors,
    )
    any_value = st.floats(-8, 8, width=32)
    elements = draw(st.sampled_from([any_value, st.sampled_from([-1.0, 0.0, 1.0]), st.just(0.0)]))
    table = draw(hnp.arrays(np.float32, shape, elements=elements))
    constant = draw(st.lists(st.integers(0, shape[1] - 1), max_size=2))
    table[:, constant] = table[:1, constant]
    return table


# What a column of a table is multiplied by: the least float32, the least one with all its digits, and what lets
# scores come near 1e38, where they are refused.
SCALES = (1.0, 1e-45, 1e-38, 1e-20, 1e8, 1e17)


@st.composite
def scaled_tables(draw: st.DrawFn, max_rows: int = 12, max_factors: int = 5, factors: int | None = None):
    """Draw a factor table of any magnitude: its columns share one scale, or each has its own."""
    table = draw(factor_tables(max_rows=max_rows, max_factors=max_factors, factors=factors))
    scale = st.sampled_from(SCALES)
    n_factors = table.shape[1]
    scales = draw(st.just([1.0] * n_factors) | scale.map(lambda one: [one] * n_factors) | st.lists(
        scale, min_size=n_factors, max_size=n_factors
    ))  # fmt: skip
    return (table.astype(np.float64) * scales).astype(np.float32)


@st.composite
def situations(draw: st.DrawFn, max_images: int = 3, max_labels: int = 9, max_factors: int = 5):
    """Draw images, labels, and which labels each image has: none, some, all but one, all.

    One label, one factor and more factors than labels are among them.
    """
    n_factors = draw(st.integers(1, max_factors))
    images = draw(scaled_tables(max_rows=max_images, factors=n_factors))
    labels = draw(scaled_tables(max_rows=max_labels, factors=n_factors))
    every = range(len(labels))
    some = st.sets(st.sampled_from(every))
    all_but_one = st.sampled_from(every).map(lambda one: set(every) - {one})
    own = [sorted(draw(some | all_but_one | st.just(set(every)))) for _ in images]
    return images, labels, own


@st.composite
def corpora(draw: st.DrawFn, min_words: int = 1, max_words: int = 6, max_sentences: int = 6, longest: int = 8):
    """Draw a corpus: sentences of one word, words that stand twice in a window, the same sentence again."""
    n_words = draw(st.integers(min_words, max_words))
    sentence = st.lists(st.integers(0, n_words - 1), min_size=1, max_size=longest)
    sentences = draw(st.lists(sentence, min_size=1, max_size=max_sentences))
    # Every word stands somewhere.
    sentences.append(list(range(n_words)))
    return Corpus.from_sentences([[f"word-{word}" for word in one] for one in sentences])
