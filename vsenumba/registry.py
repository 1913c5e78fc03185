"""Families of members: samplers, losses, poolings and the like, found by name and set by their parameters.

A member is a frozen dataclass of parameters with a ``name``. A `Family` is the registry of one kind of member.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields, replace
from typing import Any, ClassVar, Generic, Self, TypeVar, get_args, get_type_hints

import numpy as np

from vsenumba.errors import FileFormatError, InputError, unknown_name

T = TypeVar("T", bound="Member")


@dataclass(frozen=True, kw_only=True)
class Member:
    """Base of the members of all families.

    Examples
    --------
    >>> from vsenumba import AdaptiveSampler
    >>> sampler = AdaptiveSampler(lam=0.1)
    >>> str(sampler), sampler.set_params(n_candidates=4).get_params()["n_candidates"]
    ('adaptive (lam=0.1)', 4)
    """

    name: ClassVar[str]
    #: The families of those parameters that are members themselves, or names of such.
    nested: ClassVar[Mapping[str, Family[Any]]] = {}

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name, as scikit-learn does; `deep` adds those of nested members, as ``"a__b"``."""
        own = {field.name: getattr(self, field.name) for field in fields(self)}
        inner = {name: value for name, value in own.items() if deep and isinstance(value, Member)}
        return own | {f"{name}__{key}": one for name, value in inner.items() for key, one in value.get_params().items()}

    def set_params(self, **parameters: Any) -> Self:
        """Change parameters in place, and return the member, as scikit-learn's searches ask for it.

        Raises
        ------
        InputError
            If a value cannot be used; the member then stays as it was.
        UnknownNameError
            If there is no such parameter.
        """
        for name, value in self.with_params(parameters).get_params(deep=False).items():
            object.__setattr__(self, name, value)
        return self

    def with_params(self, parameters: Mapping[str, Any]) -> Self:
        """Return a copy with some parameters changed; ``"a__b"`` is parameter b of the nested member a."""
        changes, inner = split_params(parameters)
        known = [field.name for field in fields(self)]
        for name in (*changes, *inner):
            if not known:
                raise InputError(f"{self.name} has no parameters, so {name} cannot be set")
            if name not in known:
                raise unknown_name(f"parameter of {self.name}", name, known)
        copy = replace(self, **changes)
        return replace(copy, **{name: copy.member(name).with_params(one) for name, one in inner.items()})

    def member(self, parameter: str) -> Member:
        """Return the nested member that a parameter is, or is the name of."""
        value = getattr(self, parameter)
        family = self.nested.get(parameter)
        if family is None or not isinstance(value, (str, Member)):
            raise InputError(f"{parameter} of {self.name} is {value!r}, which has no parameters of its own")
        result: Member = family(value)
        return result

    def parse(self, parameter: str, text: str) -> Any:
        """Return the value that a text stands for, of one of the types that a parameter takes; see `parse_value`."""
        known = [field.name for field in fields(self)]
        if not known:
            raise InputError(f"{self.name} has no parameters, so {parameter}={text} cannot be set")
        if parameter not in known:
            raise unknown_name(f"parameter of {self.name}", parameter, known)
        if parameter in self.nested and text in self.nested[parameter].members:
            return self.nested[parameter](text)
        hint = get_type_hints(type(self))[parameter]
        return parse_value(parameter, text, get_args(hint) or (hint,))

    def __str__(self) -> str:
        """Return the name, with the parameters that are not the defaults in brackets."""
        defaults = {
            field.name: field.default_factory() if field.default_factory is not MISSING else field.default
            for field in fields(self)
        }
        changed = [f"{name}={value}" for name, value in self.get_params(deep=False).items() if value != defaults[name]]
        return f"{self.name} ({', '.join(changed)})" if changed else self.name


class Family(Generic[T]):
    """The members of one kind, by name.

    Calling a family returns a member as it is, or that of a name with its default parameters.

    Parameters
    ----------
    kind : str
        What the members are, for error messages: ``"sampler"``, ``"loss"``, ...
    base : type
        The class that all of them derive from.
    members : iterable of type
        The classes; their order is that of tables and figures.
    """

    def __init__(self, kind: str, base: type[T], members: Iterable[type[T]]) -> None:
        self.kind = kind
        self.base = base
        self.members: dict[str, type[T]] = {member.name: member for member in members}

    def __call__(self, value: T | str) -> T:
        """Return the member that a value is, or is the name of.

        Raises
        ------
        UnknownNameError
            If there is no member of that name; the nearest names are suggested.
        InputError
            If it is neither a name nor a member.
        """
        if isinstance(value, self.base):
            return value
        if not isinstance(value, str):
            raise InputError(f"{self.kind} must be a {self.kind} or a name, not {value!r}")
        if value not in self.members:
            raise unknown_name(self.kind, value, self.members)
        return self.members[value]()

    def parse(self, text: str) -> T | str:
        """Return the member that a text such as ``"adaptive:n_candidates=4,lam=0.1"`` names; a bare name as it is.

        Examples
        --------
        >>> from vsenumba.samplers import as_sampler
        >>> as_sampler.parse("warp:max_trials=10").max_trials
        10
        """
        name, colon, settings = text.partition(":")
        member = self(name)
        if not colon:
            return name
        values: dict[str, Any] = {}
        for setting in settings.split(","):
            parameter, equals, value = (part.strip() for part in setting.partition("="))
            if not (parameter and equals and value):
                raise InputError(
                    f"{setting!r} in {text!r} is not of the form PARAM=VALUE, as in NAME:PARAM=VALUE,PARAM=VALUE"
                )
            values[parameter] = member.parse(parameter, value)
        return member.with_params(values)

    def to_json(self, value: Any) -> Any:
        """Return a member as ``{"name": ..., <its parameters>}``; anything else, such as a name, as it is.

        That of a class which is not registered also says its ``class``, so that it is not taken for another.
        """
        if not isinstance(value, Member):
            return value
        parameters = value.get_params(deep=False)
        plain = {name: value.nested[name].to_json(parameters.pop(name)) for name in value.nested}
        parameters = {name: one.item() if isinstance(one, np.generic) else one for name, one in parameters.items()}
        cls = type(value)
        own = {} if self.members.get(value.name) is cls else {"class": cls.__qualname__}
        return {"name": value.name, **own, **parameters, **plain}

    def from_json(self, value: Any, own: Iterable[type] = ()) -> Any:
        """Return what `to_json` was given; `own` are classes of one's own.

        Raises
        ------
        FileFormatError
            If the member or one of its parameters is not known.
        """
        if not isinstance(value, Mapping):
            return value
        parameters = dict(value)
        name, its_class = str(parameters.pop("name", "")), parameters.pop("class", None)
        mine = [one for one in own if getattr(one, "name", None) == name and issubclass(one, self.base)]
        if its_class is None and name in self.members:
            cls: type[T] | None = self.members[name]
        else:
            cls = next(iter(mine), None)
        if cls is None and its_class:
            raise FileFormatError(
                f"the {self.kind} {name!r} is of a class of one's own, {its_class}, which a file does not hold: hand "
                f"it in with load_model(path, members=[{its_class}])"
            )
        if cls is None:
            raise FileFormatError(
                f"the {self.kind} {name!r} is none of this version's; if its class is your own, hand it in with "
                "load_model(path, members=[...]), otherwise update with pip install -U vsenumba"
            )
        for parameter in cls.nested.keys() & parameters.keys():
            parameters[parameter] = cls.nested[parameter].from_json(parameters[parameter], own)
        try:
            return cls(**parameters)
        except (TypeError, ValueError) as error:
            raise FileFormatError(
                f"the {self.kind} {name!r} has parameters that this version does not know or refuses ({error}); if a "
                "newer one wrote it, update with pip install -U vsenumba"
            ) from error


def split_params(parameters: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Return the parameters themselves, and by name those of members: ``{"a__b": 1}`` is b of a."""
    own: dict[str, Any] = {}
    nested: dict[str, dict[str, Any]] = {}
    for key, value in parameters.items():
        name, separator, rest = key.partition("__")
        if separator:
            nested.setdefault(name, {})[rest] = value
        else:
            own[name] = value
    return own, nested


def parse_value(parameter: str, text: str, types: tuple[type, ...]) -> Any:
    """Return the value of one of some types that a text stands for; ``"none"`` is None where that is one of them.

    Raises
    ------
    InputError
        If it stands for none.
    """
    if type(None) in types and text.lower() == "none":
        return None
    if bool in types and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if str in types:
        return text
    expected, kind = ("a number", float) if float in types else ("a whole number", int)
    if bool in types:
        expected = "true or false"
    else:
        try:
            return kind(text)
        except ValueError:
            pass
    raise InputError(f"{parameter} must be {expected}{' or none' if type(None) in types else ''}, not {text!r}")
