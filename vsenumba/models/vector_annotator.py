"""What annotation models with vectors of labels answer by these alone."""

from __future__ import annotations

import numpy as np

from vsenumba.data.matches import Match, checked_count
from vsenumba.models.annotator import Annotator
from vsenumba.models.new_images import FoldedImages, checked_factors
from vsenumba.models.similar import likeness_to_row
from vsenumba.models.suggesting import labels_of_vectors
from vsenumba.models.trained import Trained
from vsenumba.models.unfitted import check_is_fitted


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
