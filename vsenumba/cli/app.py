"""The command ``vsenumba``: the commands there are, and what becomes of an error."""

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

INTERRUPTED = 130  # 128 + SIGINT, as shells count

COMMANDS = (
    "demo", "compare", "fit", "evaluate", "annotate", "find", "similar", "index", "sidecars", "plot", "report",
    "export", "words", "retrieval", "data", "sampler", "plan", "info",
)  # fmt: skip


class App(LazyGroup):
    """The group of all commands; every error ends in one line and an exit status."""

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
        except OSError as error:  # as of --help to a full disk, which no command writes
            silence_stdout()
            note(_as_line(error))
            sys.exit(1)

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Note the command line, for what is recorded in files; see `command_line`."""
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
        except BrokenPipeError:  # who read the output has read enough, as in "vsenumba ... | head"
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
        return f"error: out of memory: {one_line(error) or 'there is not enough for this'}"
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"error: {where}{error.strerror or one_line(error)}"
    name = type(error).__name__
    return f"internal error: {name}: {one_line(error)}; run again with 'vsenumba --debug ...' and report it"


@contextmanager
def _warnings_on_one_line() -> Iterator[None]:
    def show(message: Warning | str, *where: Any, **more: Any) -> None:
        note(f"warning: {one_line(message)}")

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


START = """\b
Start here:
  vsenumba demo                          see it work on a set that ships
  vsenumba fit tags.csv -o model.h5      train on a table of images and tags
  vsenumba annotate model.h5 cat-1.jpg   suggest tags that an image lacks
"""


@click.group(
    cls=App,
    modules={name: f"vsenumba.cli.{name}" for name in COMMANDS},
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=START,
)
@click.version_option(__version__, prog_name="vsenumba")
@click.option("--debug", is_flag=True, help="Show a traceback when something goes wrong.")
def cli(debug: bool) -> None:
    """Learn visual-semantic embeddings: suggest labels for images, find images by label, compare samplers.

    Results go to stdout, all else to stderr; --json prints results for machines.
    """
