"""The error of a model that has not learnt anything yet."""

from __future__ import annotations

from typing import Any

from sklearn import exceptions
from sklearn.utils import validation

from vsenumba.errors import InputError


class NotFittedError(InputError, exceptions.NotFittedError):  # type: ignore[misc]  # scikit-learn has no types
    """A model is used or saved before it is fitted."""


def check_is_fitted(model: Any) -> None:
    """Refuse a model that is not fitted.

    Raises
    ------
    NotFittedError
        Which is scikit-learn's, too.
    """
    try:
        validation.check_is_fitted(model)
    except exceptions.NotFittedError:
        raise NotFittedError(f"this {type(model).__name__} is not fitted yet; call fit first") from None
