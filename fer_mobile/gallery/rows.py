"""Results as JSON Lines: one row of `PhotoResult.as_dict` a line."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from fer_mobile.files import replace_file
from fer_mobile.types import PhotoResult


def write_jsonl(results: Iterable[PhotoResult], path: str | Path) -> None:
    """Write one line a result, all of them or no file.

    The text is ASCII (other characters as JSON escapes), because a file name need not be
    valid Unicode.  Raises InputError when `path` cannot be written.
    """

    def write(part: Path) -> None:
        with part.open("w", encoding="ascii", newline="\n") as file:
            file.writelines(json.dumps(result.as_dict()) + "\n" for result in results)

    replace_file(path, write)
