"""The standard streams: open, and able to take whatever a command prints."""

from __future__ import annotations

import codecs
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from fer_mobile.errors import InputError
from fer_mobile.files import STDOUT, display_name

if TYPE_CHECKING:
    from rich.console import Console

_HANDLER: Final = "fer_mobile.print_anyway"


def prepare_streams() -> None:
    """Make every standard stream usable, so that no command has to think of it.

    A stream that the caller closed becomes the null device: its number would go to the next
    file that is opened, and what native libraries print would land in that file.

    What the encoding of a stream lacks is printed as an escape ("\\u2264"), but the bytes of
    a file name that is not Unicode are printed as they are.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
            mode = "w" if number else "r"
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115
    codecs.register_error(_HANDLER, _print_anyway)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=_HANDLER)


def echo_names(line: str, *, as_bytes: bool = False) -> None:
    """Print a line with names of files in it, to a terminal as text that is safe to show.

    Elsewhere `as_bytes` prints the names as the file system has them, whatever the encoding.
    """
    if sys.stdout.isatty():
        line = display_name(line)
    typer.echo(os.fsencode(line) if as_bytes else line)


def open_console(**options: Any) -> Console:
    """A console of Rich's whose reader may leave, as that of `typer.echo` may.

    Rich's own would exit with 1, which is a failed verdict.
    """
    from rich.console import Console

    class PlainConsole(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    return PlainConsole(**options)


def is_stdout_taken(*outputs: Path | None, as_json: bool) -> bool:
    """Whether one of `outputs` goes to stdout, so that a summary belongs on stderr.

    Raises InputError if JSON is to go there, too.
    """
    if STDOUT not in outputs:
        return False
    if as_json:
        raise InputError("as_json", expected="standard output for itself", found="another output")
    return True


def flush_streams() -> None:
    """Write out what is left; what nobody can take is dropped.

    Python's own attempt at exit would fail again, print a traceback and change the exit code.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


def _print_anyway(error: UnicodeError) -> tuple[bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    character = error.object[error.start]
    how = "surrogateescape" if "\udc80" <= character <= "\udcff" else "backslashreplace"
    return character.encode(error.encoding, how), error.start + 1
