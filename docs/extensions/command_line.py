"""Show the examples below a command's help as code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import click
    from sphinx.application import Sphinx


def _as_code(app: Sphinx, context: click.Context, lines: list[str]) -> None:
    text = [line.strip() for line in (context.command.epilog or "").replace("\b", "").splitlines() if line.strip("\b ")]
    if not text:
        return
    title, *commands = text
    lines[:] = [title, "", ".. code-block:: console", "", *(f"   {command}" for command in commands), ""]


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to sphinx-click."""
    app.connect("sphinx-click-process-epilog", _as_code)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
