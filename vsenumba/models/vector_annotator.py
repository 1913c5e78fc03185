"""What annotation models with vectors of labels answer by these alone."""

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
    """Base of the annotation models that are trained, and score by the products of vectors.

    Attributes
    ----------
    label_factors_ : (n_labels, k) float32 array
        The labels' vectors.
    """

    def _label_likeness(self, column: int) -> np.ndarray:
        self._check_tables()
        return likeness_to_row(self.tables_["label_factors"], column, f"label {self.label_names_[column]!r}")

    def embed_each(
        self, images: Any = None, *, client: Client | None = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the vectors of a set's images, some thousands at a time, for more images than have room in memory.

        Parameters
        ----------
        images : set, optional
            The images, as in `find_images`; by default those that the model was trained on.
        client : distributed.Client, optional
            A cluster whose workers make the vectors, the same; see ``docs/how-to/cluster.md``.

        Yields
        ------
        ids : (b,) StringDType array
            The ids of the next images.
        vectors : (b, n_factors) float32 array
            Their vectors, 0 for images of which nothing is known.

        Raises
        ------
        UnknownNameError
            If the model keeps rows for images, and does not know one.
        ClusterError
            If there is a client, and its cluster cannot work.

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
        """Suggest labels for images given by their factors, such as `fold_in` and `embed` return.

        All labels take part, as factors do not say which ones an image has; `annotate` leaves these out. Vectors alone
        count: where the model has weights between labels beside them (`max_neighbours`), `annotate` is more accurate.

        Raises
        ------
        InputError
            If they are not finite, or of another length than the model's.

        Warns
        -----
        UserWarning
            If the factors of some images are all 0: nothing is suggested for them.
        """
        check_is_fitted(self)
        n = checked_count(n)
        factors = checked_factors(factors, self.tables_["label_factors"].shape[1])
        self._check_tables()
        images = FoldedImages(self, factors, self.tables_["label_factors"])
        return labels_of_vectors(images, len(factors), n, self.label_names_, self._asking_threads)
