"""A group of commands that imports each command only when it is used."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click


class LazyGroup(click.Group):
    """A group whose commands are the ``command`` attributes of separate modules.

    Parameters
    ----------
    modules : mapping from str to str
        The commands' modules by command name, in the order of the help. The group's help imports all of them, so they
        must not import anything large before the command runs.
    **settings
        As for `click.Group`.
    """

    def __init__(self, *, modules: Mapping[str, str], **settings: Any) -> None:
        super().__init__(**settings)
        self._modules = dict(modules)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands' names."""
        return list(self._modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in self._modules:
            return None
        command: click.Command = importlib.import_module(self._modules[cmd_name]).command
        command.name = cmd_name  # otherwise the documentation would use the name of its function
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; for an unknown name, suggest the nearest ones."""
        if args and args[0] not in self._modules and not args[0].startswith("-"):
            from vsenumba.errors import unknown_name

            ctx.fail(str(unknown_name("command", args[0], self._modules)))
        return super().resolve_command(ctx, args)
