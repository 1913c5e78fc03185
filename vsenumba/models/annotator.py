"""What every annotation model offers, whatever it learns: vocabularies, suggestions, search, saving."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from vsenumba.checks import is_whole
from vsenumba.data.annotation.annotation_set import PAIRS, AnnotationSet
from vsenumba.data.annotation.coercion import as_annotation_set, matched_or_new
from vsenumba.data.annotation.splits import leave_one_out
from vsenumba.data.matches import Match, best_matches, checked_count
from vsenumba.data.vocabulary import NumberedVocabulary, Vocabulary
from vsenumba.errors import InputError
from vsenumba.evaluation import evaluate
from vsenumba.evaluation.blocks import Counted, Ranked
from vsenumba.evaluation.known_labels import with_known_labels
from vsenumba.kernels.threads import thread_count
from vsenumba.models.asked_pictures import picture_set
from vsenumba.models.fitted import Fitted
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
from vsenumba.storage import schema

if TYPE_CHECKING:
    from distributed import Client


class Annotator(Fitted):
    """Base of the annotation models.

    Attributes
    ----------
    seen_ : AnnotationSet
        The pairs the model was trained on.
    image_ids_, label_names_ : Vocabulary
        The images and the labels it knows.
    n_features_in_ : int
        The number of labels, as scikit-learn calls it.
    """

    subject: ClassVar[str] = "images and labels"

    @abstractmethod
    def score_block(
        self, known: AnnotationSet, rows: np.ndarray, labels: slice | np.ndarray = slice(None)
    ) -> np.ndarray:
        """Return the scores of labels for some images, (len(rows), n_labels) float32.

        Parameters
        ----------
        known : AnnotationSet
            What is known of the images; its label columns are the model's, see `align`.
        rows : (b,) int64 array
            Which images of `known`.
        labels : slice or int64 array
            Which labels; all by default.
        """

    def knows(self, known: AnnotationSet, rows: np.ndarray) -> np.ndarray:
        """Return of which images the model knows enough to rank labels for them, (len(rows),) bool."""
        return np.ones(len(rows), dtype=bool)

    @property
    def uses_features(self) -> bool:
        """Whether features of images are among what the model looks at."""
        return False

    def _check_images(self, data: AnnotationSet) -> None:
        """Refuse images of which the model can know nothing, whatever labels they have."""

    def __sklearn_tags__(self) -> Any:
        """Say what the models take: sparse matrices, and no negative values."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.positive_only = True
        return tags

    def _remember(self, seen: AnnotationSet) -> None:
        # The words of the first two messages are what scikit-learn's checks look for.
        for found, what in ((seen.n_images, "sample"), (seen.n_labels, "feature"), (seen.n_pairs, "pair")):
            if found == 0:
                raise InputError(
                    f"there is nothing to learn from: {seen!r} has 0 {what}(s) (shape={seen.shape}) while a minimum "
                    "of 1 is required."
                )
        self.seen_ = seen
        self.image_ids_ = seen.image_ids
        self.label_names_ = seen.label_names
        self.n_features_in_ = seen.n_labels

    @property
    def label_names(self) -> Vocabulary:
        """The labels the model knows, in the order of its scores."""
        check_is_fitted(self)
        return self.label_names_

    def align(self, data: Any, argument: str = "X") -> AnnotationSet:
        """Return a set with the model's label columns; a set's columns are matched by name.

        A matrix without names must have one column per label of the model, in its order. Rows of a matrix, and label
        lists, are the model's images if there are as many, and unknown images otherwise.

        Parameters
        ----------
        data : AnnotationSet, sparse matrix, array or list of label lists
            The set.
        argument : str
            What it is called in messages.

        Raises
        ------
        UnknownNameError
            If a label that occurs is not one of the model's.
        InputError
            If a matrix has another number of columns.
        """
        data = self._named(data, argument)
        if data.label_names is self.label_names_ or data.label_names == self.label_names_:
            return data
        used = np.flatnonzero(data.label_counts)
        columns = np.full(data.n_labels, -1, dtype=np.int64)
        columns[used] = self.label_names_.index(data.label_names.take(used))
        return data.with_columns(columns, self.label_names_)

    def _named(self, data: Any, argument: str) -> AnnotationSet:
        """Return a set whose labels have names: for a matrix without any these are the model's, see `align`."""
        check_is_fitted(self)
        if isinstance(data, AnnotationSet):
            return data
        data = matched_or_new(as_annotation_set(data, argument), self.image_ids_)
        # Of a matrix; label lists have names, be they numbers.
        if not isinstance(data.label_names, NumberedVocabulary):
            return data
        if data.n_labels != self.n_features_in_:
            hint = "; did you pass the transpose?" if data.n_images == self.n_features_in_ else ""
            raise InputError(
                f"{argument} has {data.n_labels} features, but {type(self).__name__} is expecting "
                f"{self.n_features_in_} features as input: one column per label{hint}"
            )
        return AnnotationSet(data.indptr, data.indices, data.n_labels, data.image_ids, self.label_names_)

    def known_for(self, test: AnnotationSet, exclude: AnnotationSet | None) -> AnnotationSet:
        """Return what is known of a test set's images, row by row: the labels in `exclude`, or those seen in training.

        Parameters
        ----------
        test : AnnotationSet
            The images to be scored.
        exclude : AnnotationSet or None
            What is known of them; None for what the model was trained on. Images are matched by id, and an image that
            is not there has no known label.
        """
        source = self.seen_ if exclude is None else self.align(exclude, "exclude")
        if not (source.image_ids is test.image_ids or source.image_ids == test.image_ids):
            source = source.reindex_images(test.image_ids)
        if source.features is None and test.features is not None:
            source = source.with_features_of(test)
        return source

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
        """Suggest labels for images, their known labels and those that they were found not to have left out.

        Parameters
        ----------
        images : sequence of str, sequence of lists of str, or set; optional
            Ids of images that the model was trained on. For new images, a list of the labels that each is known to
            have: ``[["cat", "animal"]]`` is one image with two labels. Or a set of any images with their known labels:
            an AnnotationSet, with features or without, a mapping from ids to labels, a matrix, a data frame of zeros
            and ones. May be left out where there are features.
        n : int
            How many labels to suggest for each image; fewer where there are fewer.
        features : (n_images, n_features) array or sparse array, optional
            A feature vector for each image, for models that look at features. Without `images`, for new images of which
            nothing else is known; with them, beside their labels.
        only : collection of str, optional
            Suggest from these labels only.
        without : collection of str, optional
            Never suggest these.
        least_score : float, optional
            Suggest no label with a lower score.

        Returns
        -------
        list of list of Match
            For each image the best labels, best first, and of equal ones the model's first; none for an image of which
            nothing is known.

        Raises
        ------
        UnknownNameError
            If an image id or a label is not known; the nearest names are suggested.
        InputError
            If features are given and the model does not look at them, or the images have some already.

        Warns
        -----
        UserWarning
            If nothing is known of some images.

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
        """Suggest labels for images one after the other, for more images than have room in memory with their labels.

        Parameters
        ----------
        images, n, features, only, without, least_score
            As in `annotate`. ``model.seen_`` stands for all that the model was trained on.
        client : distributed.Client, optional
            A cluster whose workers suggest, each for parts of the images, the same; see ``docs/how-to/cluster.md``.
            Images must be a set then, or ids.

        Returns
        -------
        iterator of tuple of str and list of Match
            The images' ids, and what is suggested for each.

        Raises
        ------
        InputError, UnknownNameError
            As in `annotate`; or if a cluster cannot have the model or the images.
        ClusterError
            If there is a client, and its cluster cannot work.

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
            What describes the pictures, as in `vsenumba.pictures.load_pictures`; by default what the model was trained
            with. Another is refused before a picture is read.
        known : AnnotationSet, mapping or path, optional
            Labels that some of the pictures have already; they are left out, and models that look at labels go by them
            too.

        Returns
        -------
        dict from str to list of Match
            By each picture's path within the folder, the best labels, best first.

        Raises
        ------
        InputError
            If the model does not look at features, or its features are of another backbone.
        """
        check_is_fitted(self)
        # Before the pictures are read, which takes its time.
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
        """Return what is asked, and the answers, which are found as they are taken."""
        check_is_fitted(self)
        n = checked_count(n)
        question = as_question(self, images, features)
        limits = as_limits(self.label_names_, only, without, least_score)
        if client is not None:
            return question, suggest_on_cluster(client, self, question, n, limits)
        return question, best_labels(question, n, limits, self.label_names_, self._asking_threads)

    @property
    def _asking_threads(self) -> int:
        """How many blocks of images to work on at once."""
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
        """Find the images that a label fits best, or several labels together.

        Images that were found not to have one of them, as verified absences say, are left out.

        Parameters
        ----------
        label : str or sequence of str
            The label's name. Of several labels, each once, the mean of their scores counts.
        n : int
            How many images to return at most.
        include_known : bool
            Whether images that have the label already, or all of the labels, are among them.
        images : set, optional
            The images to search, as in `annotate`: an AnnotationSet, with features where the model looks at them, a
            mapping or a matrix; by default those that the model was trained on.
        least_score : float, optional
            Return no image with a lower score.
        client : distributed.Client, optional
            A cluster whose workers search, each parts of the images, and find the same; see ``docs/how-to/cluster.md``.

        Returns
        -------
        list of Match
            Image ids with scores, best first.

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
        """Return the images that are searched: those the model was trained on, or others."""
        if images is None:
            return self.seen_
        if not is_set(images):
            raise InputError(f"images must be a set of images to search, such as an AnnotationSet, not {images!r:.60}")
        known = self.align(images, "images")
        self._check_images(known)
        return known

    def similar_labels(self, label: str, n: int = 10) -> list[Match]:
        """Find the labels that are nearest to a label.

        An ImageAnnotator goes by the cosine of the labels' vectors; an EaseAnnotator by the labels' partial
        correlation, by which one foretells the other when all else is known.

        Parameters
        ----------
        label : str
            The label's name; it is not among those that are found.
        n : int
            How many to return at most.

        Returns
        -------
        list of Match
            Labels with what they are compared by, in -1..1, the nearest first; labels that nothing was learnt of are
            left out.

        Raises
        ------
        UnknownNameError
            If the label is not known; the nearest names are suggested.
        InputError
            If the model has learnt nothing of the label, or has nothing to compare labels by, as a PopularityAnnotator.

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
        """Find the images that are nearest to an image, by the cosine of their vectors.

        Parameters
        ----------
        image : str or sequence of str, optional
            The id of an image, which is itself not among those that are found; or the labels of a new one. May be left
            out where there are features.
        n : int
            How many to return at most.
        features : (n_features,) array, optional
            The image's feature vector, for models that look at features.
        images : set, optional
            The images to search, and where an id is looked up; by default those that the model was trained on. See
            `find_images`.
        client : distributed.Client, optional
            A cluster whose workers search, as in `find_images`.

        Returns
        -------
        list of Match
            Image ids with cosines, the nearest first; images of which nothing is known are left out.

        Raises
        ------
        UnknownNameError
            If the image, or a label, is not known; the nearest names are suggested.
        InputError
            If nothing is known of the image, or the model has no vectors of images.

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
        """Count on a cluster for `vsenumba.evaluate`; see `vsenumba.evaluation.blocks.count_blocks`."""
        return count_on_cluster(client, self, asked, n_threads)

    def _label_likeness(self, column: int) -> np.ndarray:
        """Return how near all labels are to one, (n_labels,) float32; minus infinity where nothing was learnt."""
        raise InputError(f"a {type(self).__name__} has nothing to compare labels by; an ImageAnnotator has")

    def _vectors(self, known: AnnotationSet, rows: np.ndarray) -> np.ndarray:
        """Return the vectors of some images of a set, (len(rows), k) float32."""
        raise InputError(f"a {type(self).__name__} has no vectors to compare images by; an ImageAnnotator has")

    def score(self, X: Any, y: Any = None) -> float:
        """Return the mean reciprocal rank of a held-out label, for scikit-learn's searches and cross-validation.

        One label of every image with two or more is held out, always the same. The image is ranked by its others, as
        one that the model has never seen; all labels but these take part. Labels that the model does not know are left
        out.

        Parameters
        ----------
        X : AnnotationSet, sparse matrix, array or list of label lists
            Images with their labels; best such as the model was not trained on.
        y : None
            Ignored.

        Returns
        -------
        float
            In 0..1; higher is better.

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
                "score holds out a label of every image with two that the model knows, and there is no such image; "
                "give images with all their labels"
            )
        return evaluate(self._for_new_images(known), held_out, exclude=known, metrics=["mrr"]).mean["mrr"]

    def _for_new_images(self, known: AnnotationSet) -> NewImages:
        """Return a scorer that ranks labels for images as if it had never seen them."""
        return NewImages(self)

    def _to_elements(self) -> dict[str, Any]:
        # Not the features and titles: they are not the model's.
        return {"seen": {name: element for name, element in self.seen_.to_elements().items() if name in PAIRS}}

    def _found_sizes(self, elements: Mapping[str, Any]) -> schema.Sizes:
        return schema.check(schema.Elements({"seen": schema.Elements(PAIRS)}), elements)

    def _from_elements(self, elements: Mapping[str, Any]) -> None:
        self._remember(
            AnnotationSet.from_elements({name: one for name, one in elements["seen"].items() if name in PAIRS})
        )
