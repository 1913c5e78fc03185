"""Retrieval's metrics: ranks, folds, classes, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import vsenumba as vse


class TestEvaluation:
    @given(
        scores=hnp.arrays(np.float64, st.tuples(st.integers(1, 6), st.integers(1, 6)), elements=st.integers(-3, 3)),
        draw=st.data(),
    )
    def test_ranks(self, scores, draw):
        n, m = scores.shape
        matching = draw.draw(hnp.arrays(np.int64, n, elements=st.integers(0, m - 1)))
        subjects = draw.draw(hnp.arrays(np.int64, m, elements=st.integers(0, 2)))
        wanted = subjects[matching]
        ranks = vse.evaluation.retrieval.first_ranks(scores, np.eye(m), wanted, subjects)
        for i in range(n):
            best = max(scores[i][j] for j in range(m) if subjects[j] == wanted[i])
            others = [j for j in range(m) if subjects[j] != wanted[i] and scores[i][j] >= best]
            assert ranks[i] == 1 + len(others)

    def test_five_captions_an_image(self):
        images = np.eye(4)
        captions = np.repeat(images, 5, axis=0)
        captions[0] = images[1]
        scores = vse.evaluate_vectors(images, captions, np.arange(4), np.repeat(np.arange(4), 5))
        assert scores.mean["i2t_recall@1"] == 0.75  # a caption of image 0 ties with those of image 1
        assert scores.mean["t2i_recall@1"] == pytest.approx(0.95)
        assert scores.mean["t2i_mean_rank"] == pytest.approx((19 + 4) / 20)
        assert scores.mean["rsum"] == pytest.approx(5.7)

    def test_folds_are_evaluated_by_themselves(self):
        rng = np.random.default_rng(0)
        images, captions = rng.normal(size=(12, 3)), rng.normal(size=(24, 3))
        subjects, owners = np.arange(12), np.repeat(np.arange(12), 2)
        folded = vse.evaluate_vectors(images, captions, subjects, owners, n_folds=3)
        single = [
            vse.evaluate_vectors(images[4 * i : 4 * i + 4], captions[8 * i : 8 * i + 8], np.arange(4), owners[:8])
            for i in range(3)
        ]
        assert folded.mean["t2i_recall@1"] == pytest.approx(np.mean([one.mean["t2i_recall@1"] for one in single]))
        assert folded.image_ranks.tolist() == [rank for one in single for rank in one.image_ranks]

    def test_class_map(self):
        # Found in the order of classes 1, 0, 1: precisions of 1 and 2/3.
        value = vse.evaluation.retrieval.class_map(
            np.ones((1, 1)), np.array([[3.0], [2.0], [1.0]]), np.array([1]), np.array([1, 0, 1])
        )
        assert value == pytest.approx((1 + 2 / 3) / 2)

    @pytest.mark.parametrize("classes", [[1, 0, 1], [0, 1, 1], [1, 1, 0]])
    def test_ties_count_against_the_class(self, classes):
        """The first item came first: its place in the file decided."""
        value = vse.evaluation.retrieval.class_map(np.ones((1, 1)), np.ones((3, 1)), np.array([1]), np.array(classes))
        assert value == pytest.approx((1 / 2 + 2 / 3) / 2)

    def test_several_captions_that_tie_are_one_match(self):
        images = np.array([[1.0, 0.0], [0.0, 1.0]])
        scores = vse.evaluate_vectors(images, images[[0, 0, 1]], np.arange(2), np.array([0, 0, 1]))
        assert scores.image_ranks.tolist() == [1, 1]
        assert scores.mean["t2i_recall@1"] == 1

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ((np.eye(2), np.eye(2), [0], [0, 1]), "there are 1 subjects of images for 2 vectors"),
            ((np.eye(2) * np.nan, np.eye(2), [0, 1], [0, 1]), "image vectors are not finite"),
            ((np.eye(2), np.eye(2), np.array([0, 1]), np.array([0, 2])), "query 1 has no match"),
        ],
    )
    def test_what_is_refused(self, arguments, message):
        with pytest.raises(vse.InputError, match=message):
            vse.evaluate_vectors(*arguments)
        with pytest.raises(vse.InputError, match="n_folds must be a whole number from"):
            vse.evaluate_vectors(np.eye(2), np.eye(2), np.arange(2), np.arange(2), n_folds=3)

    @pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.float16, np.int64, bool, np.float32, np.float64])
    def test_the_type_of_the_numbers_does_not_count(self, dtype):
        """Found 2026-11: products were made in the caller's type, so that uint8 wrapped and float16 overflowed."""
        largest = {"float16": 60_000}.get(np.dtype(dtype).name, 100)
        exact = np.array([[1, 1, 0], [1, 0, 1], [0, 1, 1]]) * (1 if dtype is bool else largest)
        own = np.arange(3)
        scores = vse.evaluate_vectors(exact.astype(dtype), exact.astype(dtype), own, own)
        assert scores.image_ranks.tolist() == scores.caption_ranks.tolist() == [1, 1, 1]
        assert vse.evaluate_vectors(exact.tolist(), exact.tolist(), own.tolist(), own.tolist()).mean == scores.mean

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"images": np.eye(3) * 1j}, "image vectors must be an array of numbers"),
            ({"images": np.ones((3, 4))}, "image vectors have 4 numbers, caption vectors 3"),
            ({"captions": [[1, 2, 3], [1]]}, "caption vectors must be an array, or lists of equal length"),
            ({"captions": np.ones(3)}, "a row for each caption"),
            ({"images": np.eye(3) * 1e300, "captions": np.eye(3) * 1e300}, "too long, so their products overflow"),
            ({"n_folds": 1.5}, "n_folds must be a whole number from 1 to the number of images"),
            ({"n_folds": True}, "n_folds must be a whole number from 1 to the number of images"),
            ({"classes": np.arange(2)}, "there are 2 classes of images for 3 vectors"),
            ({"classes": np.array([0, 1, np.nan])}, "the classes of images must be whole numbers or texts"),
            ({"classes": {0, 1, 2}}, "which has no order"),
            ({"image_subjects": np.array([0, 1, np.nan])}, "the subjects of images must be whole numbers or texts"),
            ({"caption_subjects": [0, 1, None]}, "the subjects of captions must be whole numbers or texts"),
        ],
    )
    def test_what_cannot_be_ranked_is_refused(self, change, message):
        """Found 2026-11: all of it was taken, or was a raw error."""
        fine = {"images": np.eye(3), "captions": np.eye(3), "image_subjects": [0, 1, 2], "caption_subjects": [0, 1, 2]}
        with pytest.raises(vse.InputError, match=message):
            vse.evaluate_vectors(**{**fine, **change})
