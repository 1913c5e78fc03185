"""A group of commands that imports a command when it is used."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click


class LazyGroup(click.Group):
    """A group whose commands lie in modules of their own, each as its ``command``.

    Parameters
    ----------
    modules : mapping from str to str
        The commands' modules by name, in the order of the help. They must not import anything large before the command
        runs: the group's help imports them all.
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
        command.name = cmd_name  # not that of its function, by which the documentation would call it
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, and name the nearest ones where there is none of that name."""
        if args and args[0] not in self._modules and not args[0].startswith("-"):
            from vsenumba.errors import unknown_name

            ctx.fail(str(unknown_name("command", args[0], self._modules)))
        return super().resolve_command(ctx, args)
