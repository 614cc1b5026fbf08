"""The commands of the command line, and what parses a line that documentation shows."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import typer

from fer_mobile.cli import app
from fer_mobile.cli.commands import Command, Group

ROOT = typer.main.get_command(app)


def command(*names: str) -> Command:
    found = ROOT
    for name in names:
        found = found.commands[name]
    return found


def all_commands(group: Group | None = None) -> Iterator[tuple[str, Command]]:
    """Every command that does something, by its words."""
    for name, each in (group or ROOT).commands.items():
        if isinstance(each, Group):
            yield from ((f"{name} {rest}", found) for rest, found in all_commands(each))
        else:
            yield name, each


def parse(line: str) -> list[str]:
    """The words of the command in a line such as "fer-mobile predict x.jpg  # comment".

    Raises Typer's error where an option or argument is none of the command's.
    """
    line = line.partition(" | ")[0].partition(" > ")[0]
    program, *words = shlex.split(line, comments=True)
    assert program == "fer-mobile", line
    context = ROOT.make_context("fer-mobile", words, resilient_parsing=False)
    names, group = [], ROOT
    while isinstance(group, Group):
        name, group, rest = group.resolve_command(context, remaining(context))
        names.append(name)
        context = group.make_context(name, rest, parent=context)
    return names


def remaining(context) -> list[str]:
    return [*getattr(context, "_protected_args", []), *context.args]
