"""What all commands share: how one fails, how its help is laid out, the options of all of them.

The library names parameters (`quantize`); the command line names flags (`--quantize`).  The
parameters of a command's function have the names that the library gives them, so that the
options declared there are the one mapping between the two.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from fer_mobile.cli.verbosity import PANEL as GENERAL
from fer_mobile.errors import FerMobileError, InputError

READER_LEFT: Final = 141
"""The exit code when whoever read our output has seen enough: 128 + SIGPIPE, as shells say."""

_EXAMPLES: Final = "\nExamples:\n"
_SUBJECT = re.compile(r"^(?P<name>[a-z]\w*)(?=: )")
_QUOTED = re.compile(r"`(?P<name>[a-z]\w*)(?:=(?P<value>[^`]*))?`")
_CALL = re.compile(r"`(?P<call>[a-z]\w*\([^`()]*\))`")

_COMMANDS: Final = {
    "clear_cache()": "cache clear",
    "crop_faces()": "data crop",
    "export()": "export",
    "train(resume=True)": "train --resume",
    "verify()": "verify",
}
"""The commands that do what calls do which messages name, as in "`export()`"."""


class _PlainHelp:
    """Help in groups and with examples.  Typer prints groups only with Rich, which is slow."""

    examples: list[str]
    """Command lines, most with what they do as a comment."""

    def __init__(self, *, help: str | None = None, **settings: Any) -> None:
        """Take the examples off the end of the docstring, below a line that says "Examples:"."""
        text, _, examples = (help or "").partition(_EXAMPLES)
        super().__init__(help=text.rstrip(), **settings)  # type: ignore[call-arg]
        self.examples = [line.strip() for line in examples.splitlines() if line.strip()]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the parameters under their headings."""
        parameters = self.get_params(ctx)  # type: ignore[attr-defined]
        _write_sections(
            formatter, [(panel_of(each), help_record(each, ctx)) for each in parameters]
        )

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """What the usage line says after the command's name."""
        pieces: list[str] = super().collect_usage_pieces(ctx)  # type: ignore[misc]
        arguments = [each for each in self.get_params(ctx) if _is_argument(each)]  # type: ignore[attr-defined]
        shown = [each.metavar if each.required else f"[{each.metavar}]" for each in arguments]
        return [*pieces[: len(pieces) - len(arguments)], *shown]

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the examples, unbroken, so that they can be copied."""
        if self.examples:
            with formatter.section("Examples"):
                for line in self.examples:
                    formatter.write(f"  {line}\n")


class Command(_PlainHelp, TyperCommand):
    """A command whose errors name its flags."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The command's own parameters and those of every command, such as `-q`."""
        *own, help_option = super().get_params(ctx)
        root = ctx.find_root().command
        shared = [each for each in root.params if panel_of(each) == GENERAL]
        return [*own, *(each for each in shared if root is not self), help_option]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments; InputError for an empty one, most often a script's unset variable.

        A path would become the current folder, and a list would choose everything.
        """
        given, _, _ = self.make_parser(ctx).parse_args([*args])
        for parameter in self.get_params(ctx):
            values = given.get(parameter.name)
            if values == "" or (isinstance(values, list | tuple) and "" in values):
                name = parameter.metavar if _is_argument(parameter) else parameter.opts[0]
                raise InputError(name, expected="a value", found="an empty text")
        rest: list[str] = super().parse_args(ctx, args)
        return rest

    def invoke(self, ctx: Any) -> Any:  # the context's class depends on Typer's version
        """Run the command."""
        try:
            return super().invoke(ctx)
        except FerMobileError as error:
            error.args = (name_flags(str(error), self),)
            raise
        except BrokenPipeError as error:  # Typer would make a 1 of it, a failed verdict
            raise typer.Exit(READER_LEFT) from error


def refuse_others(ctx: typer.Context, parameter: str, *allowed: str) -> None:
    """InputError for a value on the command line that has no effect with `parameter`."""
    shared = {each.name for each in ctx.find_root().command.params}
    for each in ctx.command.params:
        name = each.name or ""
        source = ctx.get_parameter_source(name)
        if source is None or source.name != "COMMANDLINE" or name in shared:
            continue
        if name not in (parameter, *allowed):
            raise InputError(name, expected=f"none with `{parameter}`", found="one")


class Group(_PlainHelp, TyperGroup):
    """A group of commands that prints its help, and succeeds, when no command is given."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The group's parameters; Typer's own switches are off, not None.

        Pydantic would read a None, and its import takes a third of the time of a help.
        """
        parameters: list[Any] = super().get_params(ctx)
        for parameter in parameters:
            if getattr(parameter, "is_flag", False) and parameter.default is None:
                parameter.default = False
        return parameters

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse what stands before the command's name."""
        return super().parse_args(ctx, args or ["--help"])

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the options, then the commands with their first sentences."""
        super().format_options(ctx, formatter)
        _write_sections(
            formatter,
            [
                (
                    getattr(each, "rich_help_panel", None) or "Commands",
                    (name, (each.help or "").partition("\n\n")[0].replace("\n", " ")),
                )
                for name, each in self.commands.items()
            ],
        )


def _write_sections(formatter: Any, records: Iterable[tuple[str, tuple[str, str] | None]]) -> None:
    """Write the records, term and text, under their headings; None is hidden."""
    sections: dict[str, list[tuple[str, str]]] = {}
    for heading, record in records:
        if record is not None:
            sections.setdefault(heading, []).append(record)
    for heading, found in sections.items():
        with formatter.section(heading):
            formatter.write_dl(found)


def help_record(parameter: Any, ctx: Any) -> tuple[str, str] | None:
    """What a parameter is called in the help, and its meaning; None where it is hidden.

    An argument is called by its metavar alone: Typer adds a type or brackets, by its version.
    """
    record: tuple[str, str] | None = parameter.get_help_record(ctx)
    return (parameter.metavar, record[1]) if record and _is_argument(parameter) else record


def _is_argument(parameter: Any) -> bool:
    return bool(parameter.param_type_name == "argument")


def panel_of(parameter: Any) -> str:
    """The heading that a parameter stands under in the help."""
    if _is_argument(parameter):
        return "Arguments"
    if "--help" in parameter.opts:
        return GENERAL
    return getattr(parameter, "rich_help_panel", None) or "Options"


def new_group(help: str, *, name: str | None = None, examples: Iterable[str] = ()) -> typer.Typer:
    """An empty group of commands."""
    help = _EXAMPLES.join((help, "\n".join(examples))) if examples else help
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
    option's flag takes its place.  A function, as in "`export()`", becomes its command.
    Everything else stays as it is.
    """
    flags = _flags(command)

    def flag(match: re.Match[str]) -> str:
        parts = match.groupdict()
        value = (parts.get("value") or "").strip("'\"")
        known = flags.get(f"{parts['name']}={value}") or flags.get(parts["name"])
        if known is None:
            return match[0]
        return known if value in ("", "True", "False") else f"{known} {value}"

    return name_commands(_QUOTED.sub(flag, _SUBJECT.sub(flag, message, count=1)))


def name_commands(message: str) -> str:
    """A message in which commands take the places of functions."""

    def command(match: re.Match[str]) -> str:
        known = _COMMANDS.get(match["call"])
        return f"`fer-mobile {known}`" if known else match[0]

    return _CALL.sub(command, message)


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
