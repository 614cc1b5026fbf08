"""What all commands share: how one fails, and what a group says when it is asked for nothing.

The library names parameters (`quantize`); the command line names flags (`--quantize`).  The
parameters of a command's function have the names that the library gives them, so that the
options declared there are the one mapping between the two.
"""

from __future__ import annotations

import re
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from fer_mobile.errors import FerMobileError

READER_LEFT: Final = 141
"""The exit code when whoever read our output has seen enough: 128 + SIGPIPE, as shells say."""

_SUBJECT = re.compile(r"^(?P<name>[a-z]\w*)(?=: )")
_QUOTED = re.compile(r"`(?P<name>[a-z]\w*)(?:=(?P<value>[^`]*))?`")


class Command(TyperCommand):
    """A command whose errors name its flags."""

    def invoke(self, ctx: Any) -> Any:  # the context's class depends on Typer's version
        """Run the command."""
        try:
            return super().invoke(ctx)
        except FerMobileError as error:
            error.args = (name_flags(str(error), self),)
            raise
        except BrokenPipeError as error:  # Typer would make a 1 of it, a failed verdict
            raise typer.Exit(READER_LEFT) from error


class Group(TyperGroup):
    """A group of commands that prints its help, and succeeds, when no command is given."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse what stands before the command's name."""
        return super().parse_args(ctx, args or ["--help"])


def new_group(help: str, *, name: str | None = None) -> typer.Typer:
    """An empty group of commands."""
    return typer.Typer(
        name=name,
        help=help,
        cls=Group,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def name_flags(message: str, command: TyperCommand) -> str:
    """A message of the library in the words of the command line.

    A parameter is the message's subject, as in "quantize: expected …", or stands in backticks,
    as in "`io`", "`quantize='int8'`" and "`resume=True`".  If it is an option of the command, the
    option's flag takes its place.  Everything else stays as it is.
    """
    flags = _flags(command)

    def flag(match: re.Match[str]) -> str:
        parts = match.groupdict()
        value = (parts.get("value") or "").strip("'\"")
        known = flags.get(f"{parts['name']}={value}") or flags.get(parts["name"])
        if known is None:
            return match[0]
        return known if value in ("", "True", "False") else f"{known} {value}"

    return _QUOTED.sub(flag, _SUBJECT.sub(flag, message, count=1))


def _flags(command: TyperCommand) -> dict[str, str]:
    """The flag of each parameter; of a switch also that of ``name=False``."""
    flags: dict[str, str] = {}
    for option in command.params:
        name = (option.name or "").rstrip("_")
        if option.param_type_name != "option":
            continue
        flags[name] = option.opts[0]
        if option.secondary_opts:
            flags[f"{name}=False"] = option.secondary_opts[0]
        if name.startswith("no_"):
            flags[name.removeprefix("no_")] = option.opts[0]
    return flags
