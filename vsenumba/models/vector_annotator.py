"""The base of annotation models that score by dot products of vectors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from vsenumba.data.matches import Match, checked_count
from vsenumba.models.annotator import Annotator
from vsenumba.models.new_images import FoldedImages, checked_factors
from vsenumba.models.on_cluster import embed_on_cluster, embedded
from vsenumba.models.similar import likeness_to_row
from vsenumba.models.suggesting import labels_of_vectors
from vsenumba.models.trained import Trained
from vsenumba.models.unfitted import check_is_fitted

if TYPE_CHECKING:
    from distributed import Client


class VectorAnnotator(Annotator, Trained):
    """Base of the annotation models that are trained, and whose scores are dot products of vectors.

    Attributes
    ----------
    label_factors_ : (n_labels, k) float32 array
        Vectors of the labels.
    """

    def _label_likeness(self, column: int) -> np.ndarray:
        self._check_tables()
        return likeness_to_row(self.tables_["label_factors"], column, f"label {self.label_names_[column]!r}")

    def embed_each(
        self, images: Any = None, *, client: Client | None = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the vectors of a set's images, a few thousand at a time, without holding all of them in memory.

        Parameters
        ----------
        images : set, optional
            The images, as in `find_images`. The default is the training images.
        client : distributed.Client, optional
            Cluster whose workers share the work; see ``docs/how-to/cluster.md``. The result is the same.

        Yields
        ------
        ids : (b,) StringDType array
            Ids of the next images.
        vectors : (b, n_factors) float32 array
            Their vectors; 0 for images about which nothing is known.

        Raises
        ------
        UnknownNameError
            If the model has a row for each image, and does not know one of the images.
        ClusterError
            If the cluster of `client` cannot do the work.

        Examples
        --------
        >>> from vsenumba import ImageAnnotator, synthetic
        >>> model = ImageAnnotator(n_factors=8, n_epochs=1, random_state=0).fit(synthetic(60, 12, 240, rng=0))
        >>> [(len(ids), vectors.shape) for ids, vectors in model.embed_each()]
        [(60, (60, 8))]
        """
        check_is_fitted(self)
        known = self._searched(images)
        found = embedded(self, known, self._asking_threads)
        if client is not None:
            found = embed_on_cluster(client, self, known)
        return ((known.image_ids.take(np.arange(some.start, some.stop)), vectors) for some, vectors in found)

    def annotate_factors(self, factors: np.ndarray, n: int = 10) -> list[list[Match]]:
        """Suggest labels for images that are given by their vectors, such as those from `fold_in` and `embed`.

        The result may contain labels that an image already has, because vectors do not say which labels these are.
        Weights between labels do not count either. For a model with such weights (`max_neighbours`), `annotate` is more
        accurate.

        Parameters
        ----------
        factors : (n_images, n_factors) array
            The vectors.
        n : int, default 10
            Maximum number of labels for each image.

        Returns
        -------
        list of list of Match
            The best labels of each image, best first.

        Raises
        ------
        InputError
            If the vectors are not finite, or their length differs from the model's.

        Warns
        -----
        UserWarning
            If some vectors are all zeros; these images get no suggestions.

        Examples
        --------
        >>> from vsenumba import ImageAnnotator, synthetic
        >>> model = ImageAnnotator(n_factors=8, n_epochs=1, random_state=0).fit(synthetic(60, 12, 240, rng=0))
        >>> len(model.annotate_factors(model.embed(model.seen_)[:2], n=3)[0])
        3
        """
        check_is_fitted(self)
        n = checked_count(n)
        factors = checked_factors(factors, self.tables_["label_factors"].shape[1])
        self._check_tables()
        images = FoldedImages(self, factors, self.tables_["label_factors"])
        return labels_of_vectors(images, len(factors), n, self.label_names_, self._asking_threads)
