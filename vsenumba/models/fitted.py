"""What every model does, however it is fitted: its parameters are declared, checked, set by name, and kept in files."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
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
from vsenumba.models.unfitted import check_is_fitted
from vsenumba.registry import Member, split_params
from vsenumba.storage import schema

# What every file of a model holds; what else depends on the class.
HEAD = schema.Elements({"class": schema.Text(), "parameters": schema.Object({})})

# Parameters under the names they had before 0.1.0.
_FORMER_NAMES = {"longest_gradient": "max_grad_norm"}


class Fitted(BaseEstimator, ABC):  # type: ignore[misc]  # scikit-learn has no types
    """Base of all models."""

    #: What the model is called in files.
    kind: ClassVar[str]
    #: What it is a model of, for people: ``"images and labels"``.
    subject: ClassVar[str]
    #: Whose vectors it has, the main ones first: ``"labels"``, ``"images"``, ...
    exports: ClassVar[tuple[str, ...]] = ()
    #: Its parameters by name, in the order of the constructor.
    PARAMETERS: ClassVar[Mapping[str, Parameter]]

    @property
    def _recipe(self) -> Any:
        """What parameters that are None stand for, as attributes of the same names."""
        return None

    def chosen(self, name: str) -> Any:
        """Return a parameter, or where it is None what the model takes for it."""
        value = getattr(self, name)
        # A copy: the recipe is the same for all models.
        return copy.copy(getattr(self._recipe, name, None)) if value is None else value

    def member(self, name: str) -> Any:
        """Return the member that a parameter is, is the name of, or stands for where it is None."""
        if name not in self.PARAMETERS:
            raise unknown_name("parameter", name, self.PARAMETERS)
        parameter, value = self.PARAMETERS[name], self.chosen(name)
        if not isinstance(parameter, MemberOf):
            raise InputError(f"{name} is {value!r}, which has no parameters of its own")
        return parameter.family(value)

    def check_parameters(self) -> None:
        """Refuse parameters that cannot be used.

        Raises
        ------
        InputError, UnknownNameError
            For the first of them, with what was found and what is expected.
        """
        for name, parameter in self.PARAMETERS.items():
            parameter.check(name, getattr(self, name))

    def set_params(self, **parameters: Any) -> Self:
        """Set parameters; ``sampler__lam=0.1`` is that of a member, also of one that is given by name or by default."""
        own, nested = split_params(parameters)
        before = self.get_params(deep=False)
        try:
            # It refuses what is not a parameter at all.
            super().set_params(**own, **{name: before.get(name) for name in nested if name not in own})
            for name, changes in nested.items():
                member: Member = self.member(name)
                try:
                    changed = member.with_params(changes)
                except UnknownNameError as error:
                    if getattr(self, name) is not None:
                        raise
                    raise UnknownNameError(f"{error}; {name} is left to its default here, {member}") from error
                setattr(self, name, changed)
        except Exception:
            # All or nothing.
            for name, value in before.items():
                setattr(self, name, value)
            raise
        return self

    def vectors(self, what: str, data: Any = None) -> tuple[Vocabulary, np.ndarray]:
        """Return names and their vectors, (n, k) float32.

        Parameters
        ----------
        what : str
            One of `exports`.
        data : set, or name or path of one, optional
            The images or captions to embed; what the model was trained on, if it knows that, where left out.
        """
        if self.exports:
            check_choice("what", what, self.exports)
        return self._named_vectors(what, data)

    def _named_vectors(self, what: str, data: Any) -> tuple[Vocabulary, np.ndarray]:
        raise InputError(f"a model without vectors ({self.kind})")

    def _found_sizes(self, elements: Mapping[str, Any]) -> schema.Sizes:
        """Check the elements that name what the model knows; return how much that is."""
        return {}

    def _schema(self, sizes: schema.Sizes) -> dict[str, schema.Spec]:
        """Return what the other elements of its file are, for a model of these parameters and sizes."""
        return {}

    def _check_elements(self, elements: Mapping[str, Any]) -> None:
        """Refuse elements that do not fit each other and the model's parameters.

        Raises
        ------
        InputError
            For the first that does not fit.
        """
        # That of the base alone: the others warn.
        Fitted.check_parameters(self)
        sizes = self._found_sizes(elements)
        schema.check(schema.Elements(self._schema(sizes)), elements, **sizes)

    @abstractmethod
    def _to_elements(self) -> dict[str, Any]:
        """Return what was learnt, as `save` writes it."""

    @abstractmethod
    def _from_elements(self, elements: Mapping[str, Any]) -> None:
        """Take back what `_to_elements` returned."""

    def _repr_html_(self) -> str:
        return model_html(self)

    def _repr_mimebundle_(self, **settings: Any) -> dict[str, str]:
        # Notebooks ask for this first, and scikit-learn's would be its diagram of the parameters alone.
        return {"text/plain": repr(self), "text/html": self._repr_html_()}

    def save(self, path: str | PathLike[str]) -> None:
        """Write the model to one ``.h5`` file: parameters, arrays, names; see ``docs/reference/file-format.md``."""
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
            raise InputError(f"the model cannot be saved, as it could not be loaded: {error}") from error
        storage.write_file(path, "model", elements)

    @classmethod
    def from_elements(cls, elements: Mapping[str, Any], members: Iterable[type] = ()) -> Self:
        """Make a model from what `save` wrote; `members` are classes of one's own that its parameters name."""
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
