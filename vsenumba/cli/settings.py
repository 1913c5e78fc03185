"""A sampler's parameters on the command line: ``--set lam=0.1``, checked against what the sampler has."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

import click

from vsenumba.errors import InputError, unknown_name

if TYPE_CHECKING:
    from vsenumba.samplers import Sampler


class Assignment(click.ParamType):  # type: ignore[type-arg]  # it has none before click 8.4
    """A parameter and its value, as ``lam=0.1``."""

    name = "param=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Take the two apart."""
        name, equals, text = (part.strip() for part in str(value).partition("="))
        if not (name and equals and text):
            self.fail(f"{value!r} is not of the form PARAM=VALUE, such as lam=0.1", param, ctx)
        return name, text


set_option = click.option(
    "--set",
    "assignments",
    type=Assignment(),
    multiple=True,
    metavar="PARAM=VALUE",
    help="A parameter of the sampler, may be repeated; 'none' for no value.",
)


def sampler_with(name: str, assignments: Iterable[tuple[str, str]]) -> Sampler:
    """Return the sampler of a name, with parameters given as text; of a parameter given twice the last counts.

    Examples
    --------
    >>> sampler_with("popularity", [("power", "1")])
    PopularitySampler(power=1.0)
    """
    from vsenumba.samplers import SAMPLERS

    member = SAMPLERS[name]
    kinds = get_type_hints(member)
    names = [field.name for field in dataclasses.fields(member)]
    values = {}
    for parameter, text in assignments:
        if not names:
            raise InputError(f"the sampler {name} has no parameters, so --set {parameter}={text} cannot be used")
        if parameter not in names:
            raise unknown_name(f"parameter of the sampler {name}", parameter, names)
        values[parameter] = _value(parameter, text, get_args(kinds[parameter]) or (kinds[parameter],))
    return member(**values)


def _value(parameter: str, text: str, kinds: tuple[type, ...]) -> Any:
    """Return the value that a text stands for, of one of the kinds that a parameter takes."""
    if type(None) in kinds and text.lower() == "none":
        return None
    if str in kinds:
        return text
    whole = float not in kinds
    try:
        return int(text) if whole else float(text)
    except ValueError:
        expected = ("a whole number" if whole else "a number") + (" or none" if type(None) in kinds else "")
        raise InputError(f"{parameter} must be {expected}, not {text!r}") from None
