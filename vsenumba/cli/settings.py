"""Parameters by name on the command line, such as ``--set sampler.lam=0.1``, checked against a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import click

from vsenumba.cli import options
from vsenumba.errors import InputError, UnknownNameError, unknown_name

if TYPE_CHECKING:
    from vsenumba.models import Fitted

Settings = Iterable[tuple[str, str]]


class Assignment(click.ParamType):  # type: ignore[type-arg]  # it has none before click 8.4
    """A parameter and its value, such as ``sampler.lam=0.1``."""

    name = "name=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Split the name from the value."""
        name, equals, text = (part.strip() for part in str(value).partition("="))
        if not (name and equals and text):
            self.fail(f"{value!r} is not of the form NAME=VALUE, as in sampler.lam=0.1", param, ctx)
        return name, text


set_option = click.option(
    "--set",
    "settings",
    type=Assignment(),
    multiple=True,
    metavar="NAME=VALUE",
    help="Set any parameter by its name, as in sampler.lam=0.1. Repeatable. 'none' means no value.",
)


def parameters_of(models: Sequence[Fitted], settings: Settings) -> dict[str, Any]:
    """Return settings given as text as arguments for `Fitted.set_params`; the last of repeated settings wins.

    A short name such as ``lam`` works if only one of a model's members has such a parameter.

    Parameters
    ----------
    models : sequence of Fitted
        Models that differ in their members; a setting must fit one of them.
    settings : iterable of (str, str)
        Names and texts.

    Raises
    ------
    InputError, UnknownNameError
        If no model has a parameter of that name, or a text is not a valid value.

    Examples
    --------
    >>> from vsenumba import ImageAnnotator
    >>> parameters_of([ImageAnnotator(loss="hinge")], [("sampler.lam", "0.5"), ("margin", "2"), ("l2", "0")])
    {'sampler__lam': 0.5, 'loss__margin': 2.0, 'l2': 0.0}
    """
    from sklearn.base import clone

    values: dict[str, Any] = {}
    # Apply each setting at once, so that later settings see it.
    tried = [clone(model) for model in models]
    for name, text in settings:
        errors: list[InputError | UnknownNameError] = []
        fits = False
        for model in tried:
            try:
                path, value = _resolved(model, name, text)
                model.set_params(**{"__".join(path): value})
            except (InputError, UnknownNameError) as error:
                errors.append(error)
            else:
                values["__".join(path)] = value
                fits = True
        if not fits:
            where = "no compared model accepts this setting: " if len(models) > 1 else ""
            raise type(errors[0])(f"{where}{errors[0]}")
    return values


def refuse_given_twice(settings: Settings, *, always: Mapping[str, str] = MappingProxyType({})) -> None:
    """Refuse settings of parameters that are also given by an option, or that only an option may give.

    Parameters
    ----------
    settings : iterable of (str, str)
        Names and texts.
    always : mapping from str to str
        Parameters that only an option may give, with the name of that option.
    """
    given = {
        option.name: option.opts[0]
        for option in click.get_current_context().command.params
        if options.is_given(str(option.name))
    }
    others = {"random_state": given.get("seed"), "n_threads": given.get("threads")}
    for name, _ in settings:
        option = always.get(name)
        if option is not None:
            raise click.UsageError(f"--set cannot set {name}; use {option}")
        option = given.get(name) or others.get(name)
        if option is not None:
            raise click.UsageError(f"{name} is given twice, with {option} and with --set; leave out one")


def _resolved(model: Fitted, name: str, text: str) -> tuple[list[str], Any]:
    """Return the path of a setting's parameter, and its value."""
    path = name.split(".")
    if len(path) == 1:
        if name in model.PARAMETERS:
            return path, model.PARAMETERS[name].parse(name, text)
        members = {
            parameter: model.member(parameter).get_params(deep=False)
            for parameter, kind in model.PARAMETERS.items()
            if hasattr(kind, "family")
        }
        owners = [parameter for parameter, own in members.items() if name in own]
        if len(owners) > 1:
            raise InputError(f"{name} is ambiguous; use {' or '.join(f'{owner}.{name}' for owner in owners)}")
        if not owners:
            raise unknown_name("parameter", name, [*model.PARAMETERS, *dict.fromkeys(chain(*members.values()))])
        path = [owners[0], name]
    if path[0] not in model.PARAMETERS:
        raise unknown_name("parameter", path[0], model.PARAMETERS)
    member = model.member(path[0])
    for parameter in path[1:-1]:
        member = member.member(parameter)
    return path, member.parse(path[-1], text)
