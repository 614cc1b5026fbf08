"""The line after an export or a bundle: how an app runs the files."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from fer_mobile.snippet import is_default, languages

_SNIPPET: Final = "fer-mobile android snippet"


def next_step(files: Sequence[Path]) -> str:
    """How an app runs these exported files, in a line: what prints code, and the library."""
    commands = {_command(file) for file in files}
    command = commands.pop() if len(commands) == 1 else f"{_SNIPPET} kotlin --model FILE (or java)"
    create = f'Fer.create(context, "{files[0].name}")' if len(files) == 1 else "Fer.create"
    return f"{command}{', or ' if command else ''}{create} of the library (docs/android.md)"


def _command(file: Path) -> str:
    """What prints the code for a file; an empty text where there is none."""
    known = languages(file)
    if not known:
        return ""
    first, *others = known
    model = "" if is_default(first, file) else f" --model {shlex.quote(str(file))}"
    return f"{_SNIPPET} {first}{model}" + (f" (or {', '.join(others)})" if others else "")
