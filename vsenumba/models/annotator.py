"""The base of all annotation models: suggestions, search, scores and evaluation."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from vsenumba.checks import is_whole
from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.splits import leave_one_out
from vsenumba.data.matches import Match, best_matches, checked_count
from vsenumba.errors import InputError
from vsenumba.evaluation import evaluate
from vsenumba.evaluation.blocks import Counted, Ranked
from vsenumba.evaluation.known_labels import with_known_labels
from vsenumba.kernels.threads import thread_count
from vsenumba.models.asked_pictures import picture_set
from vsenumba.models.label_columns import LabelColumns
from vsenumba.models.new_images import NewImages
from vsenumba.models.on_cluster import (
    best_images_on_cluster,
    count_on_cluster,
    searched_scores,
    suggest_on_cluster,
)
from vsenumba.models.questions import (
    Question,
    as_limits,
    as_names_asked,
    as_question,
    floor_of,
    is_set,
    warn_of_unknown,
)
from vsenumba.models.similar import image_asked
from vsenumba.models.suggesting import Best, as_matches, best_labels
from vsenumba.models.unfitted import check_is_fitted

if TYPE_CHECKING:
    from distributed import Client


class Annotator(LabelColumns):
    """Base of the annotation models.

    Attributes
    ----------
    seen_ : AnnotationSet
        The pairs that the model was trained on.
    image_ids_, label_names_ : Vocabulary
        The images and the labels that the model knows.
    n_features_in_ : int
        Number of labels, under the name that scikit-learn uses.
    """

    @abstractmethod
    def score_block(
        self, known: AnnotationSet, rows: np.ndarray, labels: slice | np.ndarray = slice(None)
    ) -> np.ndarray:
        """Return the scores of labels for some images.

        Parameters
        ----------
        known : AnnotationSet
            The known labels of the images. Its columns must be the model's labels; see `align`.
        rows : (b,) int64 array
            Rows of `known` to score.
        labels : slice or int64 array, default all
            Label columns to score.

        Returns
        -------
        (b, n_labels) float32 array
            A higher score means that the label fits the image better.
        """

    def knows(self, known: AnnotationSet, rows: np.ndarray) -> np.ndarray:
        """Return the images for which the model can rank labels.

        Parameters
        ----------
        known, rows
            As in `score_block`.

        Returns
        -------
        (b,) bool array
            False for images about which too little is known.
        """
        return np.ones(len(rows), dtype=bool)

    @property
    def uses_features(self) -> bool:
        """Whether the model uses features of images."""
        return False

    def _check_images(self, data: AnnotationSet) -> None:
        """Raise an error for images about which the model cannot know anything, whatever their labels."""

    def annotate(
        self,
        images: Any = None,
        n: int = 10,
        *,
        features: Any = None,
        only: Collection[str] | None = None,
        without: Collection[str] | None = None,
        least_score: float | None = None,
    ) -> list[list[Match]]:
        """Suggest labels for images, without those that are known or verified to be absent.

        Parameters
        ----------
        images : sequence of str, sequence of lists of str, or set; optional
            The images:

            - ids of images that the model was trained on;
            - a list of known labels for each new image, such as ``[["cat", "animal"]]`` for one image with two labels;
            - a set of images with their known labels: an AnnotationSet, a mapping from ids to labels, a matrix, or a
              data frame of zeros and ones.

            You can leave it out if you give `features`.
        n : int, default 10
            Maximum number of labels for each image.
        features : (n_images, n_features) array or sparse array, optional
            Feature vector of each image, for models that use features. Without `images`, the images are new and have no
            known labels.
        only : collection of str, optional
            Suggest only labels from this collection.
        without : collection of str, optional
            Never suggest these labels.
        least_score : float, optional
            Suggest only labels with at least this score.

        Returns
        -------
        list of list of Match
            The best labels of each image, best first. Labels with equal scores come in the model's order. The list is
            empty for an image about which nothing is known.

        Raises
        ------
        UnknownNameError
            If the model does not know an image id or a label; the message suggests the nearest names.
        InputError
            If you give features to a model that does not use them, or to images that already have some.

        Warns
        -----
        UserWarning
            If nothing is known about some images.

        Examples
        --------
        >>> from vsenumba import ImageAnnotator, load_dataset
        >>> model = ImageAnnotator(n_epochs=1, random_state=0).fit(load_dataset("openclipart"))
        >>> [match.name in ("animal", "farm") for match in model.annotate([["animal", "farm"]], n=2)[0]]
        [False, False]
        >>> [[match.name for match in found] for found in model.annotate([["farm"]], only=["animal", "farm"])]
        [['animal']]
        """
        question, best = self._best(images, n, features, only, without, least_score)
        warn_of_unknown(question.unknown)
        return [matches for block in best for matches in as_matches(block, self.label_names_)]

    def annotate_each(
        self,
        images: Any = None,
        n: int = 10,
        *,
        features: Any = None,
        only: Collection[str] | None = None,
        without: Collection[str] | None = None,
        least_score: float | None = None,
        client: Client | None = None,
    ) -> Iterator[tuple[str, list[Match]]]:
        """Suggest labels for one image after another, without holding all suggestions in memory.

        Parameters
        ----------
        images, n, features, only, without, least_score
            As in `annotate`. Use ``model.seen_`` for all training images.
        client : distributed.Client, optional
            Cluster whose workers share the work; see ``docs/how-to/cluster.md``. The result is the same. `images` must
            then be a set or ids.

        Returns
        -------
        iterator of tuple of str and list of Match
            The id of each image, and its suggestions.

        Raises
        ------
        InputError, UnknownNameError
            As in `annotate`; also if the model or the images cannot be sent to the cluster.
        ClusterError
            If the cluster of `client` cannot do the work.

        Examples
        --------
        >>> from vsenumba import ImageAnnotator, load_dataset
        >>> model = ImageAnnotator(n_epochs=1, random_state=0).fit(load_dataset("openclipart"))
        >>> image, suggestions = next(model.annotate_each(model.seen_, n=2))
        >>> [match.name for match in suggestions] == [match.name for match in model.annotate([image], n=2)[0]]
        True
        """
        question, best = self._best(images, n, features, only, without, least_score, client)
        warn_of_unknown(question.unknown)
        ids, rows = question.known.image_ids, question.rows
        return (
            pair
            for block in best
            for pair in zip(ids.take(rows[block.places]).tolist(), as_matches(block, self.label_names_), strict=True)
        )

    def annotate_pictures(
        self,
        pictures: Any,
        n: int = 10,
        *,
        backbone: Any = None,
        known: Any = None,
        only: Collection[str] | None = None,
        without: Collection[str] | None = None,
        least_score: float | None = None,
    ) -> dict[str, list[Match]]:
        """Suggest labels for the pictures in a folder.

        Parameters
        ----------
        pictures : path or PictureFolder
            The folder.
        n, only, without, least_score
            As in `annotate`.
        backbone : str, path, callable or Backbone, optional
            Backbone that computes the features, as in `vsenumba.load_pictures`. The default is the backbone of the
            training features. A different backbone raises an error before any picture is read.
        known : AnnotationSet, mapping or path, optional
            Known labels of some of the pictures. They are not suggested, and models that use labels take them into
            account.

        Returns
        -------
        dict from str to list of Match
            For each picture, by its path within the folder, the best labels, best first.

        Raises
        ------
        InputError
            If the model does not use features, or was trained with features of a different backbone.
        """
        check_is_fitted(self)
        # Report mistakes before the pictures are read, which takes a while.
        as_limits(self.label_names_, only, without, least_score)
        n = checked_count(n)
        data = picture_set(self, pictures, backbone, known)
        return dict(self.annotate_each(data, n, only=only, without=without, least_score=least_score))

    def _best(
        self,
        images: Any,
        n: int,
        features: Any,
        only: Any,
        without: Any,
        least_score: Any,
        client: Client | None = None,
    ) -> tuple[Question, Iterator[Best]]:
        """Return the query, and an iterator that finds the answers one block at a time."""
        check_is_fitted(self)
        n = checked_count(n)
        question = as_question(self, images, features)
        limits = as_limits(self.label_names_, only, without, least_score)
        if client is not None:
            return question, suggest_on_cluster(client, self, question, n, limits)
        return question, best_labels(question, n, limits, self.label_names_, self._asking_threads)

    @property
    def _asking_threads(self) -> int:
        """Number of blocks of images to process at once."""
        available = thread_count(None)
        wanted = getattr(self, "n_threads", None)
        return min(available, int(wanted)) if wanted is not None and is_whole(wanted) else available

    def find_images(
        self,
        label: str | Sequence[str],
        n: int = 10,
        *,
        include_known: bool = False,
        images: Any = None,
        least_score: float | None = None,
        client: Client | None = None,
    ) -> list[Match]:
        """Find the images that a label, or several labels together, fit best.

        Images for which one of the labels is a verified absence are left out.

        Parameters
        ----------
        label : str or sequence of str
            Name of a label, or of several. Several labels count by the mean of their scores.
        n : int, default 10
            Maximum number of images.
        include_known : bool, default False
            Whether to include images that already have the label, or all of the labels.
        images : set, optional
            Images to search: an AnnotationSet, a mapping or a matrix, as in `annotate`, with features if the model uses
            them. The default is the training images.
        least_score : float, optional
            Return only images with at least this score.
        client : distributed.Client, optional
            Cluster whose workers share the search; see ``docs/how-to/cluster.md``. The result is the same.

        Returns
        -------
        list of Match
            Image ids with their scores, best first.

        Raises
        ------
        UnknownNameError
            If the model does not know a label; the message suggests the nearest names.
        InputError
            If `images` is not a set of images.

        Examples
        --------
        >>> from vsenumba import ImageAnnotator, load_dataset
        >>> model = ImageAnnotator(n_epochs=1, random_state=0).fit(load_dataset("openclipart"))
        >>> found = model.find_images(["animal", "farm"], n=3)
        >>> len(found), found[0].score >= found[1].score
        (3, True)
        """
        check_is_fitted(self)
        n = checked_count(n)
        columns = self.label_names_.index(as_names_asked(label, "label"))
        columns = columns[np.sort(np.unique(columns, return_index=True)[1])]
        asked = {"columns": columns, "include_known": include_known, "floor": float(floor_of(least_score))}
        known = self._searched(images)
        if client is not None:
            places, scores = best_images_on_cluster(client, self, known, n, asked)
            return best_matches(scores, n, known.image_ids.take(places))
        return best_matches(searched_scores(self, known, asked), n, known.image_ids)

    def _searched(self, images: Any) -> AnnotationSet:
        """Return the images to search: the training images, or others."""
        if images is None:
            return self.seen_
        if not is_set(images):
            raise InputError(f"images must be a set of images to search, such as an AnnotationSet, not {images!r:.60}")
        known = self.align(images, "images")
        self._check_images(known)
        return known

    def similar_labels(self, label: str, n: int = 10) -> list[Match]:
        """Find the labels that are most similar to a label.

        `ImageAnnotator` compares labels by the cosine of their vectors. `EaseAnnotator` compares them by their partial
        correlation: how well one label predicts the other if all other labels are known.

        Parameters
        ----------
        label : str
            Name of the label. It is not in the result itself.
        n : int, default 10
            Maximum number of labels.

        Returns
        -------
        list of Match
            Labels with their cosine or correlation, from -1 to 1, most similar first. Labels about which the model has
            learnt nothing are left out.

        Raises
        ------
        UnknownNameError
            If the model does not know the label; the message suggests the nearest names.
        InputError
            If the model has learnt nothing about the label, or cannot compare labels (`PopularityAnnotator`).

        Examples
        --------
        >>> from vsenumba import EaseAnnotator
        >>> model = EaseAnnotator(l2=1.0).fit([["cat", "pet"], ["dog", "pet"], ["cat", "pet"], ["oak", "tree"]])
        >>> model.similar_labels("cat", n=1)[0].name
        'pet'
        """
        check_is_fitted(self)
        n = checked_count(n)
        (column,) = self.label_names_.index([label])
        likeness = self._label_likeness(int(column))
        likeness[column] = -np.inf
        return best_matches(likeness, n, self.label_names_)

    def similar_images(
        self,
        image: str | Sequence[str] | None = None,
        n: int = 10,
        *,
        features: Any = None,
        images: Any = None,
        client: Client | None = None,
    ) -> list[Match]:
        """Find the images that are most similar to an image, by the cosine of their vectors.

        Parameters
        ----------
        image : str or sequence of str, optional
            Id of an image, which is not in the result itself; or the labels of a new image. You can leave it out if you
            give `features`.
        n : int, default 10
            Maximum number of images.
        features : (n_features,) array, optional
            Feature vector of the image, for models that use features.
        images : set, optional
            Images to search, which also contain the image with the given id; see `find_images`. The default is the
            training images.
        client : distributed.Client, optional
            Cluster whose workers share the search, as in `find_images`.

        Returns
        -------
        list of Match
            Image ids with cosines, most similar first. Images about which nothing is known are left out.

        Raises
        ------
        UnknownNameError
            If the model does not know the image or a label; the message suggests the nearest names.
        InputError
            If nothing is known about the image, or the model has no image vectors.

        Examples
        --------
        >>> from vsenumba import ImageAnnotator, load_dataset
        >>> model = ImageAnnotator(n_epochs=1, random_state=0).fit(load_dataset("openclipart"))
        >>> len(model.similar_images(model.image_ids_[0], n=3)), len(model.similar_images(["animal"], n=3))
        (3, 3)
        """
        check_is_fitted(self)
        n = checked_count(n)
        searched = self._searched(images)
        vector, own = image_asked(self, searched, image, features)
        if client is None:
            cosines = searched_scores(self, searched, {"vector": vector})
            cosines[own] = -np.inf
            return best_matches(cosines, n, searched.image_ids)
        places, cosines = best_images_on_cluster(client, self, searched, n + len(own), {"vector": vector})
        cosines[np.isin(places, own)] = -np.inf
        return best_matches(cosines, n, searched.image_ids.take(places))

    def count_on_cluster(self, client: Client, asked: Ranked, n_threads: int | None) -> Counted:
        """Count ranks on a cluster for `vsenumba.evaluate`; see `vsenumba.evaluation.blocks.count_blocks`."""
        return count_on_cluster(client, self, asked, n_threads)

    def _label_likeness(self, column: int) -> np.ndarray:
        """Return how similar all labels are to one, (n_labels,) float32; minus infinity if nothing was learnt."""
        raise InputError(f"a {type(self).__name__} cannot compare labels; use an ImageAnnotator")

    def _vectors(self, known: AnnotationSet, rows: np.ndarray) -> np.ndarray:
        """Return the vectors of some images of a set, (len(rows), k) float32."""
        raise InputError(f"a {type(self).__name__} has no image vectors; use an ImageAnnotator")

    def score(self, X: Any, y: Any = None) -> float:
        """Return the mean reciprocal rank of held-out labels, for scikit-learn's searches and cross-validation.

        The method hides one label of every image with at least two, always the same one. It treats the image as new to
        the model, and ranks all labels except the image's other labels. Labels that the model does not know are
        skipped.

        Parameters
        ----------
        X : AnnotationSet, sparse matrix, array or list of label lists
            Images with their labels, preferably not the training images.
        y : None
            Ignored; present for compatibility with scikit-learn.

        Returns
        -------
        float
            From 0 to 1; higher is better.

        Raises
        ------
        InputError
            If no image has two labels that the model knows.

        Examples
        --------
        >>> from sklearn.model_selection import GridSearchCV
        >>> from vsenumba import ImageAnnotator, synthetic
        >>> model = ImageAnnotator(n_factors=8, n_epochs=3, random_state=0)
        >>> search = GridSearchCV(model, {"sampler__lam": [0.05, 0.1], "l2": [0.001, 0.01]}, cv=2)
        >>> sorted(search.fit(synthetic(60, 12, 240, rng=0)).best_params_)
        ['l2', 'sampler__lam']
        """
        data, _ = with_known_labels(self._named(X, "X"), self.label_names_, "X")
        known, held_out = leave_one_out(self.align(data), rng=0)
        if held_out.n_pairs == 0:
            raise InputError(
                "score needs at least one image with two labels that the model knows, and there is none; give images "
                "with all their labels"
            )
        return evaluate(self._for_new_images(known), held_out, exclude=known, metrics=["mrr"]).mean["mrr"]

    def _for_new_images(self, known: AnnotationSet) -> NewImages:
        """Return a scorer that treats all images as new to the model."""
        return NewImages(self)
