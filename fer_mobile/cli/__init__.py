"""The command line: one thin file per command, no logic of its own."""

from __future__ import annotations

import errno
import os
import re
import sys
import warnings
from collections.abc import Callable, Mapping
from typing import Annotated, Final

import typer

from fer_mobile import __version__
from fer_mobile.cli.android import android_app
from fer_mobile.cli.bench import bench_command
from fer_mobile.cli.cache import cache_app
from fer_mobile.cli.commands import READER_LEFT, Command, new_group
from fer_mobile.cli.compare import compare_command
from fer_mobile.cli.contract import contract_app
from fer_mobile.cli.data import data_app
from fer_mobile.cli.demo import demo_command
from fer_mobile.cli.doctor import doctor_command
from fer_mobile.cli.evaluate import evaluate_command
from fer_mobile.cli.explain import explain_command
from fer_mobile.cli.export import export_command
from fer_mobile.cli.filter import filter_command
from fer_mobile.cli.models import models_command
from fer_mobile.cli.predict import predict_command
from fer_mobile.cli.report import report_app
from fer_mobile.cli.streams import flush_streams, prepare_streams
from fer_mobile.cli.train import train_command
from fer_mobile.cli.verbosity import Debug, Quiet, Verbose, Verbosity, verbosity
from fer_mobile.cli.verify import verify_command
from fer_mobile.errors import FerMobileError
from fer_mobile.files import display_name

COMMANDS: Final[Mapping[str, Mapping[str, Callable[..., None] | typer.Typer]]] = {
    "Use a model": {
        "demo": demo_command,
        "models": models_command,
        "predict": predict_command,
        "filter": filter_command,
        "explain": explain_command,
        "android": android_app,
    },
    "Prove and time it": {
        "verify": verify_command,
        "evaluate": evaluate_command,
        "report": report_app,
        "bench": bench_command,
    },
    "Make one": {
        "data": data_app,
        "train": train_command,
        "compare": compare_command,
        "export": export_command,
        "contract": contract_app,
    },
    "This installation": {
        "doctor": doctor_command,
        "cache": cache_app,
    },
}
"""In the order and under the headings of the help."""

_python_format: Final = warnings.formatwarning

EXIT_CODES: Final = {
    0: "done",
    1: "a verdict failed: a budget missed, a check of `verify`, a problem that `doctor` found",
    2: "something you gave cannot be used; one line says what was expected, what was found and "
    "what to do",
    3: "a fault of ours: please report it with what `fer-mobile doctor` prints",
    130: "interrupted",
    READER_LEFT: "whoever read the output left",
}

app = new_group(
    "Train, export, verify and time small facial-expression models for Android.",
    name="fer-mobile",
    examples=(
        "fer-mobile demo                       # filter the bundled photos, write a report",
        "fer-mobile predict photo.jpg          # the expressions in a photo",
        "fer-mobile filter photos/ --show happiness --html report.html",
    ),
)
for _panel, _commands in COMMANDS.items():
    for _name, _command in _commands.items():
        if isinstance(_command, typer.Typer):
            app.add_typer(_command, name=_name, rich_help_panel=_panel)
        else:
            app.command(_name, cls=Command, rich_help_panel=_panel)(_command)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"fer-mobile {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            is_eager=True,
            callback=_print_version,
            help="Print the version.",
        ),
    ] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Options of every command."""


def main() -> None:
    """Run the command line and leave with its exit code."""
    prepare_streams()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # TensorFlow's notes are not for users
    warnings.formatwarning = _format_warning
    try:
        code = app(standalone_mode=False, prog_name="fer-mobile")
        sys.stdout.flush()
    except (typer.Abort, KeyboardInterrupt):
        code = 130
    except BrokenPipeError:
        code = READER_LEFT
    except Exception as error:
        if verbosity() is Verbosity.DEBUG:
            raise
        message, code = _explain(error)
        typer.echo(f"fer-mobile: {display_name(message)}", err=True)
    flush_streams()
    sys.exit(code or 0)


def _format_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    line: str | None = None,
) -> str:
    """One line for the user of a warning of ours; others as Python has them."""
    if category.__module__.partition(".")[0] == __name__.partition(".")[0]:
        return f"fer-mobile: warning: {display_name(str(message))}\n"
    return _python_format(message, category, filename, lineno, line)


def _explain(error: Exception) -> tuple[str, int]:
    """One line for the user, and the exit code."""
    if isinstance(error, FerMobileError):
        return str(error), error.exit_code
    # Typer's own errors (an unknown option, say); where their class lives depends on its version.
    format_message = getattr(error, "format_message", None)
    if format_message is not None:
        return " ".join(str(format_message()).split()), 2
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        where = error.filename or "output"
        return f"{where}: expected space on the disk, found none left. Free some, try again.", 2
    library = re.match(r"(\S+\.so[.\d]*): cannot open shared object", str(error))
    if library and isinstance(error, ImportError | OSError):
        return (
            f"expected the system library {library[1]}, which an installed package needs, found "
            "none. `fer-mobile doctor` says what to run.",
            2,
        )
    return (
        f"internal error: {type(error).__name__}: {error} "
        "(--debug shows the traceback; please report it with what `fer-mobile doctor` prints)",
        FerMobileError.exit_code,
    )
