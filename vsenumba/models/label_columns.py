"""The training pairs that a model remembers, and other data matched to their images and labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from vsenumba.data.annotation.annotation_set import PAIRS, AnnotationSet
from vsenumba.data.annotation.coercion import as_annotation_set, matched_or_new
from vsenumba.data.vocabulary import NumberedVocabulary, Vocabulary
from vsenumba.errors import InputError
from vsenumba.models.fitted import Fitted
from vsenumba.models.unfitted import check_is_fitted
from vsenumba.storage import schema


class LabelColumns(Fitted):
    """Base of the annotation models: remembers the training pairs, and matches other data to the model's labels."""

    subject: ClassVar[str] = "images and labels"

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn which data the models accept: sparse matrices without negative values."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.positive_only = True
        return tags

    def _remember(self, seen: AnnotationSet) -> None:
        # scikit-learn's checks look for the exact words of the first two messages.
        for found, what in ((seen.n_images, "sample"), (seen.n_labels, "feature"), (seen.n_pairs, "pair")):
            if found == 0:
                raise InputError(
                    f"the training set is empty: {seen!r} has 0 {what}(s) (shape={seen.shape}) while a minimum "
                    "of 1 is required."
                )
        self.seen_ = seen
        self.image_ids_ = seen.image_ids
        self.label_names_ = seen.label_names
        self.n_features_in_ = seen.n_labels

    @property
    def label_names(self) -> Vocabulary:
        """The labels that the model knows, in the order of its scores."""
        check_is_fitted(self)
        return self.label_names_

    def align(self, data: Any, argument: str = "X") -> AnnotationSet:
        """Return a set with the model's label columns.

        The columns of a set are matched by name. A matrix without names must have one column for each label of the
        model, in the same order. If a matrix or a sequence of label lists has as many rows as the model has images, the
        rows are these images; otherwise they are unknown images.

        Parameters
        ----------
        data : AnnotationSet, sparse matrix, array or list of label lists
            The set.
        argument : str, default "X"
            Name of the set in error messages.

        Returns
        -------
        AnnotationSet
            The set, with the model's labels as columns.

        Raises
        ------
        UnknownNameError
            If an image has a label that the model does not know.
        InputError
            If a matrix has a different number of columns.
        """
        data = self._named(data, argument)
        if data.label_names is self.label_names_ or data.label_names == self.label_names_:
            return data
        used = np.flatnonzero(data.label_counts)
        columns = np.full(data.n_labels, -1, dtype=np.int64)
        columns[used] = self.label_names_.index(data.label_names.take(used))
        return data.with_columns(columns, self.label_names_)

    def _named(self, data: Any, argument: str) -> AnnotationSet:
        """Return a set with named labels; the columns of a matrix get the model's names. See `align`."""
        check_is_fitted(self)
        if isinstance(data, AnnotationSet):
            return data
        data = matched_or_new(as_annotation_set(data, argument), self.image_ids_)
        # Only a matrix has numbered labels. The labels of label lists have names, even if these are digits.
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
        """Return the known labels of a test set's images, row by row.

        Parameters
        ----------
        test : AnnotationSet
            The images to score.
        exclude : AnnotationSet or None
            The known labels of these images; None for those seen in training. Images are matched by id. An image that
            is not in `exclude` has no known label.

        Returns
        -------
        AnnotationSet
            One row for each image of `test`, in the same order.
        """
        source = self.seen_ if exclude is None else self.align(exclude, "exclude")
        if not (source.image_ids is test.image_ids or source.image_ids == test.image_ids):
            source = source.reindex_images(test.image_ids)
        if source.features is None and test.features is not None:
            source = source.with_features_of(test)
        return source

    def _to_elements(self) -> dict[str, Any]:
        # Features and titles stay out of the file: the model does not use them after training.
        return {"seen": {name: element for name, element in self.seen_.to_elements().items() if name in PAIRS}}

    def _found_sizes(self, elements: Mapping[str, Any]) -> schema.Sizes:
        return schema.check(schema.Elements({"seen": schema.Elements(PAIRS)}), elements)

    def _from_elements(self, elements: Mapping[str, Any]) -> None:
        self._remember(
            AnnotationSet.from_elements({name: one for name, one in elements["seen"].items() if name in PAIRS})
        )
