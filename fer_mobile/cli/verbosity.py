"""How much the commands say on stderr besides their errors: `-q`, `-v` and `--debug`.

The options stand before the command's name or after it, as everybody tries both.
"""

from __future__ import annotations

import logging
from enum import IntEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fer_mobile.cli.streams import open_console

if TYPE_CHECKING:
    from rich.console import Console

PANEL = "General"


class Verbosity(IntEnum):
    """What is said, from least to most."""

    QUIET = logging.ERROR
    NORMAL = logging.WARNING
    VERBOSE = logging.INFO
    DEBUG = logging.DEBUG


_level = Verbosity.NORMAL


def verbosity() -> Verbosity:
    """What the user has asked for."""
    return _level


def verbose() -> bool:
    """Whether the user has asked for more than usual."""
    return _level <= Verbosity.VERBOSE


def set_verbosity(level: Verbosity) -> None:
    """Choose what is said; also of what the library logs."""
    global _level
    _level = level
    logging.getLogger("fer_mobile").setLevel(level)
    if level < Verbosity.NORMAL:
        logging.basicConfig(format="%(name)s: %(message)s")  # to stderr


def _option(level: Verbosity, *flags: str, help: str) -> Any:
    """An option that chooses a level; commands need not take its value."""

    def choose(given: bool) -> None:
        if given:
            set_verbosity(level)

    return typer.Option(
        *flags, callback=choose, expose_value=False, help=help, rich_help_panel=PANEL
    )


Quiet = Annotated[
    bool,
    _option(
        Verbosity.QUIET, "-q", "--quiet", help="No progress and no notes on stderr: errors alone."
    ),
]
Verbose = Annotated[
    bool,
    _option(
        Verbosity.VERBOSE,
        "-v",
        "--verbose",
        help="Say more on stderr: files, runtimes, what was skipped.",
    ),
]
Debug = Annotated[
    bool,
    _option(
        Verbosity.DEBUG,
        "--debug",
        help="Say everything, and show the traceback of an error.",
    ),
]


def note(line: str) -> None:
    """Print a line on stderr, unless the user wants none."""
    if _level < Verbosity.QUIET:
        typer.echo(line, err=True)


def notes_console() -> Console:
    """A console on stderr for progress and notes; silent with `-q`."""
    return open_console(stderr=True, highlight=False, quiet=_level >= Verbosity.QUIET)
