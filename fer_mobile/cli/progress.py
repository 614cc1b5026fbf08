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
    TimeRemainingColumn,
)
from rich.text import Text

LOG_EVERY_S: Final = 30


@contextmanager
def photo_progress(console: Console) -> Iterator[Callable[[int, int], None]]:
    """Shows the rate and the time left; what it yields is told (done, total) after every photo."""
    if not console.is_terminal:
        yield _log(console)
        return
    with Progress(
        "reading photos",
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    ) as bar:
        task = bar.add_task("scan", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f} photos/s" if task.speed else "")


def _log(console: Console) -> Callable[[int, int], None]:
    started = last = time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < LOG_EVERY_S:
            return
        last = now
        rate = done / (now - started)
        left = timedelta(seconds=round((total - done) / rate))
        console.print(f"{done} of {total} photos, {rate:.1f} photos/s, {left} left")

    return tell
