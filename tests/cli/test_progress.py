from __future__ import annotations

import io
import time

from rich.console import Console

from fer_mobile.cli import progress


def shown(*, terminal: bool) -> str:
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=100)
    with progress.photo_progress(console) as tell:
        for what in ("reading photos", "making thumbnails"):
            for done in range(1, 5):
                tell(what, done, 8)
                time.sleep(0.15)
    return file.getvalue()


def test_a_log_gets_lines_with_rate_and_time_left(monkeypatch):
    monkeypatch.setattr(progress, "LOG_EVERY_S", 0)
    lines = shown(terminal=False).splitlines()
    assert len(lines) == 6  # the first photo of each tells no rate yet
    assert lines[2].startswith("reading photos: 4 of 8, ")
    assert lines[5].startswith("making thumbnails: 4 of 8, ")
    rate = float(lines[2].split(", ")[1].split()[0])
    assert 0 < rate <= 4 / 0.45
    assert lines[2].endswith("photos/s, 0:00:00 left")


def test_a_short_run_says_nothing_in_a_log():
    assert shown(terminal=False) == ""


def test_a_terminal_gets_a_bar():
    text = shown(terminal=True)
    assert "reading photos" in text
    assert "making thumbnails" in text
    assert "4/8" in text
    assert "photos/s" in text
