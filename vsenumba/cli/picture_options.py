"""What commands that read pictures share: the options for what makes vectors of them, and how far they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from vsenumba.cli import options
from vsenumba.progress import progress_line

F = TypeVar("F", bound=Callable[..., Any])

# By the names of the settings of `vsenumba.pictures.OnnxBackbone`.
_SETTINGS: dict[str, tuple[str, dict[str, Any]]] = {
    "size": ("--size", {"type": options.POSITIVE, "help": "Of a network: the pixels along each side of its input."}),
    "mean": ("--mean", {"metavar": "X|X,X,X", "help": "Of a network: what is subtracted from each channel."}),
    "std": ("--std", {"metavar": "X|X,X,X", "help": "Of a network: what each channel is then divided by."}),
    "scale": (
        "--scale",
        {"type": float, "metavar": "X", "help": "Of a network: what bytes are multiplied by before that."},
    ),
    "layout": (
        "--layout",
        {"metavar": "NCHW|NHWC", "help": "Of a network: whether channels come before rows and columns."},
    ),
    "channels": ("--channels", {"metavar": "RGB|BGR", "help": "Of a network: the order of the channels."}),
    "resize": ("--resize", {"metavar": "crop|pad|squash", "help": "Of a network: how pictures get its size."}),
    "output": (
        "--network-output",
        {"metavar": "NAME", "help": "Of a network: which of its outputs to take."},
    ),
    "pooling": (
        "--pooling",
        {"metavar": "mean|first", "help": "Of a network: which of many vectors a picture to take."},
    ),
}


def network_options(command: F) -> F:
    """Add the options for the settings of an image network; `network_settings` has what was given."""
    for name, (option, settings) in reversed(_SETTINGS.items()):
        command = click.option(option, f"network_{name}", expose_value=False, callback=_remember, **settings)(command)
    return command


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    context.meta[f"{__name__}.{parameter.name}"] = value


def network_settings() -> dict[str, Any]:
    """Return the settings of an image network, None for those that were not given."""
    meta = click.get_current_context().meta
    return {name: meta[f"{__name__}.network_{name}"] for name in _SETTINGS}


@contextmanager
def picture_progress(n_pictures: int) -> Iterator[Callable[[int, int], None]]:
    """Show how far the pictures are."""
    with progress_line("pictures", n_pictures) as line:
        first: list[int] = []

        def show(n_done: int, n_broken: int) -> None:
            first[:] = first or [n_done + n_broken]  # those that were known took no time
            rate = (n_done + n_broken - first[0]) / max(line.seconds, 1e-9)
            broken = f", {n_broken:,} broken" if n_broken else ""
            line.update(n_done + n_broken, f"{n_done:,} ({rate:.0f}/s){broken}")

        yield show
