"""Options and progress bar that the commands for pictures share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from vsenumba.cli import options
from vsenumba.progress import progress_line

F = TypeVar("F", bound=Callable[..., Any])

# The keys are the names of the settings of `vsenumba.pictures.OnnxBackbone`.
_SETTINGS: dict[str, tuple[str, dict[str, Any]]] = {
    "size": ("--size", {"type": options.POSITIVE, "help": "Image network: width and height of its input, in pixels."}),
    "mean": ("--mean", {"metavar": "X|X,X,X", "help": "Image network: mean to subtract from each channel."}),
    "std": ("--std", {"metavar": "X|X,X,X", "help": "Image network: standard deviation to divide each channel by."}),
    "scale": (
        "--scale",
        {
            "type": float,
            "metavar": "X",
            "help": "Image network: factor for the pixel values 0-255, before --mean and --std.",
        },
    ),
    "layout": (
        "--layout",
        {"metavar": "NCHW|NHWC", "help": "Image network: axis order of its input."},
    ),
    "channels": ("--channels", {"metavar": "RGB|BGR", "help": "Image network: order of the colour channels."}),
    "resize": ("--resize", {"metavar": "crop|pad|squash", "help": "Image network: how to fit pictures to its input."}),
    "output": (
        "--network-output",
        {"metavar": "NAME", "help": "Image network: output to use."},
    ),
    "pooling": (
        "--pooling",
        {"metavar": "mean|first", "help": "Image network: how to pool several vectors per picture."},
    ),
}


def network_options(command: F) -> F:
    """Add the options for the settings of an image network; `network_settings` returns their values."""
    for name, (option, settings) in reversed(_SETTINGS.items()):
        command = click.option(option, f"network_{name}", expose_value=False, callback=_remember, **settings)(command)
    return command


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    context.meta[f"{__name__}.{parameter.name}"] = value


def network_settings() -> dict[str, Any]:
    """Return the settings of an image network; None for those not given."""
    meta = click.get_current_context().meta
    return {name: meta[f"{__name__}.network_{name}"] for name in _SETTINGS}


@contextmanager
def picture_progress(n_pictures: int) -> Iterator[Callable[[int, int], None]]:
    """Show the progress of reading pictures."""
    with progress_line("pictures", n_pictures) as line:
        first: list[int] = []

        def show(n_done: int, n_broken: int) -> None:
            first[:] = first or [n_done + n_broken]  # cached pictures took no time
            rate = (n_done + n_broken - first[0]) / max(line.seconds, 1e-9)
            broken = f", {n_broken:,} broken" if n_broken else ""
            line.update(n_done + n_broken, f"{n_done:,} ({rate:.0f}/s){broken}")

        yield show
