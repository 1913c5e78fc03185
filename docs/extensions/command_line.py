"""Show the tables within a command's help, and the examples below it, as code."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import click
    from sphinx.application import Sphinx

# Click leaves the lines of a paragraph that begins with it as they are.
_AS_IT_IS = "\b"


def _description(app: Sphinx, context: click.Context, lines: list[str]) -> None:
    text = inspect.cleandoc(context.command.help or "")
    lines.clear()
    for paragraph in text.split("\n\n"):
        if paragraph.startswith(_AS_IT_IS):
            shown = paragraph.removeprefix(_AS_IT_IS).strip("\n").splitlines()
            lines += [".. code-block:: text", "", *(f"   {line}" for line in shown), ""]
        else:
            lines += [*paragraph.splitlines(), ""]


def _examples(app: Sphinx, context: click.Context, lines: list[str]) -> None:
    text = [line.strip() for line in (context.command.epilog or "").replace(_AS_IT_IS, "").splitlines()]
    title, *commands = [line for line in text if line] or [""]
    lines[:] = [title, "", ".. code-block:: console", "", *(f"   {command}" for command in commands), ""]
    if not commands:
        lines.clear()


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to sphinx-click."""
    app.connect("sphinx-click-process-description", _description)
    app.connect("sphinx-click-process-epilog", _examples)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
