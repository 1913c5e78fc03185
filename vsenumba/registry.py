"""Families of samplers, losses, poolings and other members, which are looked up by name and have parameters.

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
    #: The families of the parameters that are members themselves, or names of members.
    nested: ClassVar[Mapping[str, Family[Any]]] = {}

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name, as in scikit-learn; `deep` adds those of nested members as ``"a__b"``."""
        own = {field.name: getattr(self, field.name) for field in fields(self)}
        inner = {name: value for name, value in own.items() if deep and isinstance(value, Member)}
        return own | {f"{name}__{key}": one for name, value in inner.items() for key, one in value.get_params().items()}

    def set_params(self, **parameters: Any) -> Self:
        """Change parameters in place and return the member, as scikit-learn's searches require.

        Raises
        ------
        InputError
            If a value cannot be used; the member stays unchanged.
        UnknownNameError
            If there is no such parameter.
        """
        for name, value in self.with_params(parameters).get_params(deep=False).items():
            object.__setattr__(self, name, value)
        return self

    def with_params(self, parameters: Mapping[str, Any]) -> Self:
        """Return a copy with changed parameters; ``"a__b"`` is parameter b of the nested member a."""
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
        """Return the nested member of a parameter, which may be the member or its name."""
        value = getattr(self, parameter)
        family = self.nested.get(parameter)
        if family is None or not isinstance(value, (str, Member)):
            raise InputError(f"{parameter} of {self.name} is {value!r}, which has no parameters of its own")
        result: Member = family(value)
        return result

    def parse(self, parameter: str, text: str) -> Any:
        """Parse a text as one of the types of a parameter; see `parse_value`."""
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
        """Return the name, followed by the parameters that differ from the defaults in brackets."""
        defaults = {
            field.name: field.default_factory() if field.default_factory is not MISSING else field.default
            for field in fields(self)
        }
        changed = [f"{name}={value}" for name, value in self.get_params(deep=False).items() if value != defaults[name]]
        return f"{self.name} ({', '.join(changed)})" if changed else self.name


class Family(Generic[T]):
    """The members of one kind, by name.

    Calling a family with a member returns it; calling it with a name returns that member with default parameters.

    Parameters
    ----------
    kind : str
        The kind of the members, for error messages: ``"sampler"``, ``"loss"``, ...
    base : type
        The base class of all members.
    members : iterable of type
        The classes, in the order of tables and figures.
    """

    def __init__(self, kind: str, base: type[T], members: Iterable[type[T]]) -> None:
        self.kind = kind
        self.base = base
        self.members: dict[str, type[T]] = {member.name: member for member in members}

    def __call__(self, value: T | str) -> T:
        """Return the member for a value, which may be a member or a name.

        Raises
        ------
        UnknownNameError
            If there is no member of that name; the message suggests the nearest names.
        InputError
            If it is neither a name nor a member.
        """
        if isinstance(value, self.base):
            return value
        if not isinstance(value, str):
            raise InputError(f"{self.kind} must be a name or an instance of {self.base.__name__}, not {value!r}")
        if value not in self.members:
            raise unknown_name(self.kind, value, self.members)
        return self.members[value]()

    def parse(self, text: str) -> T | str:
        """Return the member for a text such as ``"adaptive:n_candidates=4,lam=0.1"``; return a bare name unchanged.

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
        """Return a member as ``{"name": ..., <its parameters>}``; other values, such as names, are unchanged.

        For an unregistered class, the result also has its ``class``, so that it is not mistaken for another.
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
        """Return the member that `to_json` converted; `own` are user-defined classes.

        Raises
        ------
        FileFormatError
            If the member or one of its parameters is unknown.
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
                f"the {self.kind} {name!r} is of the user-defined class {its_class}, which is not stored in the file; "
                f"pass it with load_model(path, members=[{its_class}])"
            )
        if cls is None:
            raise FileFormatError(
                f"this version does not know the {self.kind} {name!r}; if it is your own class, pass it with "
                "load_model(path, members=[...]), otherwise update with pip install -U vsenumba"
            )
        for parameter in cls.nested.keys() & parameters.keys():
            parameters[parameter] = cls.nested[parameter].from_json(parameters[parameter], own)
        try:
            return cls(**parameters)
        except (TypeError, ValueError) as error:
            raise FileFormatError(
                f"this version cannot use the parameters of the {self.kind} {name!r} ({error}); if a "
                "newer version wrote "
                "the file, update with pip install -U vsenumba"
            ) from error


def split_params(parameters: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Split parameters into direct ones and, by member name, nested ones: ``{"a__b": 1}`` is b of a."""
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
    """Parse a text as a value of one of some types; ``"none"`` is None if NoneType is one of them.

    Raises
    ------
    InputError
        If the text is not a value of any of the types.
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
