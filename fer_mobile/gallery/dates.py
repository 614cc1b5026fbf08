"""Photos by the day on which they were taken."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from fer_mobile.errors import InputError
from fer_mobile.images import date_taken

_FORMATS: Final = {4: "%Y", 7: "%Y-%m", 10: "%Y-%m-%d"}


def parse_period(name: str, text: str | None) -> str | None:
    """A year, a month or a day as ISO 8601 writes it: 2024, 2024-05 or 2024-05-31; or None.

    Raises InputError, with `name` as its subject, for anything else.
    """
    if not text:
        return None
    with suppress(KeyError, ValueError):
        datetime.strptime(text, _FORMATS[len(text)])
        return text
    raise InputError(name, expected="a date like 2024, 2024-05 or 2024-05-31", found=repr(text))


def taken_within(
    paths: Iterable[Path], since: str | None, until: str | None
) -> tuple[list[Path], int]:
    """The photos taken from the period `since` to the period `until`, both included.

    Also tells how many others were left out because they do not say when they were taken.
    """
    within, undated = [], 0
    for path in paths:
        taken = date_taken(path)
        if taken is None:
            undated += 1
            continue
        day = taken.date().isoformat()
        # "2024-05-31" lies in "2024-05": as much of the day is compared as the period tells.
        if (since is None or day[: len(since)] >= since) and (
            until is None or day[: len(until)] <= until
        ):
            within.append(path)
    return within, undated
