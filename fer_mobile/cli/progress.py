"""How far a long work on photos is: a bar in a terminal, a line now and then in a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TimeRemainingColumn,
)
from rich.text import Text

LOG_EVERY_S: Final = 30


@contextmanager
def photo_progress(console: Console) -> Iterator[Callable[[str, int, int], None]]:
    """Shows the rate and the time left.

    What it yields is told after every photo: what is done, to how many photos, and of how many.
    """
    if not console.is_terminal:
        yield _log(console)
        return
    with Progress(
        "{task.description}",
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    ) as bar:
        tasks: dict[str, TaskID] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done)

        yield tell


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f} photos/s" if task.speed else "")


def _log(console: Console) -> Callable[[str, int, int], None]:
    started: dict[str, float] = {}
    last = time.monotonic()

    def tell(what: str, done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        since = started.setdefault(what, now)
        if now - last < LOG_EVERY_S or now == since:
            return
        last = now
        rate = done / (now - since)
        left = timedelta(seconds=round((total - done) / rate))
        console.print(f"{what}: {done} of {total}, {rate:.1f} photos/s, {left} left")

    return tell
