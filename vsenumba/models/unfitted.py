"""The error for models that are not fitted yet."""

from __future__ import annotations

from typing import Any

from sklearn import exceptions
from sklearn.utils import validation

from vsenumba.errors import InputError


class NotFittedError(InputError, exceptions.NotFittedError):  # type: ignore[misc]  # scikit-learn has no types
    """A model is used or saved before it is fitted."""


def check_is_fitted(model: Any) -> None:
    """Raise an error if a model is not fitted.

    Raises
    ------
    NotFittedError
        A subclass of scikit-learn's error of the same name.
    """
    try:
        validation.check_is_fitted(model)
    except exceptions.NotFittedError:
        raise NotFittedError(f"this {type(model).__name__} is not fitted yet; call fit first") from None
