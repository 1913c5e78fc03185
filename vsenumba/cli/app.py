"""The command ``vsenumba``: its subcommands and its error handling."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from vsenumba import __version__
from vsenumba.cli.lazy import LazyGroup
from vsenumba.cli.output import COMMAND_LINE, note, one_line, prepare_streams, silence_stdout
from vsenumba.errors import VsenumbaError
from vsenumba.printable import printable

INTERRUPTED = 130  # 128 + SIGINT, as in shells

COMMANDS = (
    "demo", "compare", "fit", "evaluate", "annotate", "find", "similar", "index", "sidecars", "plot", "report",
    "export", "words", "retrieval", "data", "sampler", "plan", "info",
)  # fmt: skip


class App(LazyGroup):
    """The group of all commands; it turns every error into one line and an exit status."""

    def main(self, *arguments: Any, **settings: Any) -> Any:
        """Run the command line."""
        prepare_streams()
        try:
            try:
                return super().main(*arguments, **settings)
            finally:
                sys.stdout.flush()
        except BrokenPipeError:
            silence_stdout()
            sys.exit(1)
        except OSError as error:  # for example, --help on a full disk, outside any command
            silence_stdout()
            note(_as_line(error))
            sys.exit(1)

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Store the command line, which is recorded in files; see `command_line`."""
        words = list(args)
        context = super().make_context(info_name, args, parent, **extra)
        context.meta[COMMAND_LINE] = ["vsenumba", *words]
        return context

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            with _warnings_on_one_line():
                value = super().invoke(ctx)
                sys.stdout.flush()
                return value
        except click.ClickException as error:
            vars(error)["message"] = printable(error.message)  # final by its type
            raise
        except (click.Abort, click.exceptions.Exit):
            raise
        except KeyboardInterrupt as stop:
            note(one_line(stop) or "interrupted")
            ctx.exit(INTERRUPTED)
        except BrokenPipeError:  # the reader closed the pipe, as in "vsenumba ... | head"
            silence_stdout()
            ctx.exit(1)
        except Exception as error:
            if ctx.params["debug"]:
                raise
            if isinstance(error, OSError):
                silence_stdout()
            note(_as_line(error))
            ctx.exit(1)


def _as_line(error: Exception) -> str:
    if isinstance(error, VsenumbaError):
        return f"error: {one_line(error)}"
    if isinstance(error, MemoryError):
        return f"error: out of memory{': ' if one_line(error) else ''}{one_line(error)}"
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"error: {where}{error.strerror or one_line(error)}"
    name = type(error).__name__
    return f"internal error: {name}: {one_line(error)}. Please report it, with the output of 'vsenumba --debug ...'"


@contextmanager
def _warnings_on_one_line() -> Iterator[None]:
    def show(message: Warning | str, *where: Any, **more: Any) -> None:
        note(f"warning: {one_line(message)}")

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


START = """\b
Start here:
  vsenumba demo                          try it on the built-in data set
  vsenumba fit tags.csv -o model.h5      train on a table of images and tags
  vsenumba annotate model.h5 cat-1.jpg   suggest more tags for an image
"""


@click.group(
    cls=App,
    modules={name: f"vsenumba.cli.{name}" for name in COMMANDS},
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=START,
)
@click.version_option(__version__, prog_name="vsenumba")
@click.option("--debug", is_flag=True, help="Show a traceback on errors.")
def cli(debug: bool) -> None:
    """Train visual-semantic embeddings, suggest labels for images, search images by label, and compare samplers.

    Results are printed to stdout; progress, warnings and errors to stderr. Most commands accept --json.
    """
