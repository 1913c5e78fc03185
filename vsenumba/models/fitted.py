"""The base of all models: parameters that are declared, checked, set by name, and stored in files."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from os import PathLike
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator

from vsenumba import storage
from vsenumba.checks import check_choice
from vsenumba.data.vocabulary import Vocabulary
from vsenumba.errors import FileFormatError, InputError, UnknownNameError, unknown_name
from vsenumba.models.overview import model_html
from vsenumba.models.parameters import MemberOf, Parameter
from vsenumba.models.sharing import Shared
from vsenumba.models.unfitted import check_is_fitted
from vsenumba.registry import Member, split_params
from vsenumba.storage import schema

# The elements of every model file. Each class adds its own.
HEAD = schema.Elements({"class": schema.Text(), "parameters": schema.Object({})})

# Parameters that had another name before version 0.1.0.
_FORMER_NAMES = {"longest_gradient": "max_grad_norm"}


class Fitted(BaseEstimator, Shared):  # type: ignore[misc]  # scikit-learn has no types
    """Base of all models."""

    #: Name of the model in files.
    kind: ClassVar[str]
    #: Subject of the model, for messages: ``"images and labels"``.
    subject: ClassVar[str]
    #: Kinds of vectors it has, the main ones first: ``"labels"``, ``"images"``, ...
    exports: ClassVar[tuple[str, ...]] = ()
    #: Its parameters by name, in the constructor's order.
    PARAMETERS: ClassVar[Mapping[str, Parameter]]

    @property
    def _recipe(self) -> Any:
        """The defaults for parameters that are None, as attributes of the same names."""
        return None

    def chosen(self, name: str) -> Any:
        """Return the value of a parameter; if it is None, the default that the model uses."""
        value = getattr(self, name)
        # A copy: the recipe is the same for all models.
        return copy.copy(getattr(self._recipe, name, None)) if value is None else value

    def member(self, name: str) -> Any:
        """Return the member for a parameter that is a member, the name of one, or None for the default."""
        if name not in self.PARAMETERS:
            raise unknown_name("parameter", name, self.PARAMETERS)
        parameter, value = self.PARAMETERS[name], self.chosen(name)
        if not isinstance(parameter, MemberOf):
            raise InputError(f"{name} is {value!r}, which has no parameters of its own")
        return parameter.family(value)

    def check_parameters(self) -> None:
        """Check all parameters, and raise an error for the first that cannot be used.

        Raises
        ------
        InputError, UnknownNameError
            The message states the value and what is expected.
        """
        for name, parameter in self.PARAMETERS.items():
            parameter.check(name, getattr(self, name))

    def set_params(self, **parameters: Any) -> Self:
        """Set parameters of the model, or of its members: ``sampler__lam=0.1`` sets `lam` of the sampler.

        A member can be given by name or left to its default. If one value cannot be used, no parameter changes.

        Parameters
        ----------
        **parameters
            Values by parameter name.

        Returns
        -------
        Fitted
            The model itself.

        Raises
        ------
        InputError, UnknownNameError
            If a parameter does not exist, or a value cannot be used.
        """
        own, nested = split_params(parameters)
        before = self.get_params(deep=False)
        try:
            # scikit-learn's method raises the error for names that are not parameters.
            super().set_params(**own, **{name: before.get(name) for name in nested if name not in own})
            for name, changes in nested.items():
                member: Member = self.member(name)
                try:
                    changed = member.with_params(changes)
                except UnknownNameError as error:
                    if getattr(self, name) is not None:
                        raise
                    raise UnknownNameError(f"{error}; {name} is not set, so it is the default, {member}") from error
                setattr(self, name, changed)
        except Exception:
            for name, value in before.items():
                setattr(self, name, value)
            raise
        return self

    def vectors(self, what: str, data: Any = None) -> tuple[Vocabulary, np.ndarray]:
        """Return names and their vectors.

        Parameters
        ----------
        what : str
            Kind of vectors, one of `exports`.
        data : set, or name or path of one, optional
            Images or captions to embed. The default is the training data, if the model remembers it.

        Returns
        -------
        names : Vocabulary
            The names.
        vectors : (n, k) float32 array
            One vector for each name.

        Raises
        ------
        InputError
            If the model has no such vectors.
        """
        if self.exports:
            check_choice("what", what, self.exports)
        return self._named_vectors(what, data)

    def _named_vectors(self, what: str, data: Any) -> tuple[Vocabulary, np.ndarray]:
        raise InputError(f"a model of the kind {self.kind} has no vectors")

    def _found_sizes(self, elements: Mapping[str, Any]) -> schema.Sizes:
        """Check the elements that name the images, labels or words of the model; return their numbers."""
        return {}

    def _schema(self, sizes: schema.Sizes) -> dict[str, schema.Spec]:
        """Return the schema of the other elements of a file, for these parameters and sizes."""
        return {}

    def _check_elements(self, elements: Mapping[str, Any]) -> None:
        """Raise an error if elements do not fit each other or the model's parameters.

        Raises
        ------
        InputError
            For the first element that does not fit.
        """
        # Only the check of this base class: those of other classes also warn.
        Fitted.check_parameters(self)
        sizes = self._found_sizes(elements)
        schema.check(schema.Elements(self._schema(sizes)), elements, **sizes)

    @abstractmethod
    def _to_elements(self) -> dict[str, Any]:
        """Return what the model has learnt, as elements of a file."""

    @abstractmethod
    def _from_elements(self, elements: Mapping[str, Any]) -> None:
        """Restore the model from what `_to_elements` returned."""

    def _repr_html_(self) -> str:
        return model_html(self)

    def _repr_mimebundle_(self, **settings: Any) -> dict[str, str]:
        # Notebooks prefer this method; scikit-learn's version shows only a diagram of the parameters.
        return {"text/plain": repr(self), "text/html": self._repr_html_()}

    def save(self, path: str | PathLike[str]) -> None:
        """Save the model to one ``.h5`` file: its parameters, arrays and names.

        Parameters
        ----------
        path : str or path
            File to write; an existing file is replaced. See ``docs/reference/file-format.md`` for the format.

        Raises
        ------
        NotFittedError
            If the model is not fitted.
        InputError
            If a file with this content could not be loaded again.
        """
        self._write(path, {})

    def _write(self, path: str | PathLike[str], extra: Mapping[str, Any]) -> None:
        check_is_fitted(self)
        parameters = {
            name: parameter.to_json(getattr(self, name))
            for name, parameter in self.PARAMETERS.items()
            if parameter.in_file
        }
        head = {"class": storage.Json(self.kind), "parameters": storage.Json(parameters)}
        elements = {**head, **self._to_elements(), **extra}
        try:
            self._check_elements(elements)
        except (InputError, UnknownNameError) as error:
            raise InputError(f"the model cannot be saved, because the file could not be loaded: {error}") from error
        storage.write_file(path, "model", elements)

    @classmethod
    def from_elements(cls, elements: Mapping[str, Any], members: Iterable[type] = ()) -> Self:
        """Create a model from the elements of a file; `members` are your own classes that its parameters name."""
        schema.check(HEAD, elements)
        parameters = {}
        for name, value in elements["parameters"].items():
            name = str(_FORMER_NAMES.get(name, name))
            if name not in cls.PARAMETERS:
                raise FileFormatError(
                    f"the model's parameter {name!r} is not known to this version; update with pip install -U vsenumba"
                )
            if cls.PARAMETERS[name].in_file:
                parameters[name] = cls.PARAMETERS[name].from_json(value, members)
        model = cls(**parameters)
        model._check_elements(elements)
        model._from_elements(elements)
        return model
