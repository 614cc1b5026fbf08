from __future__ import annotations

import io
from types import SimpleNamespace

import pytest
from rich.console import Console

from fer_mobile.cli import progress

PHOTO_S = 0.15


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """A clock that every photo moves on by as much; the machine's own says nothing here."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def shown(clock, *, terminal: bool) -> str:
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=100)
    with progress.photo_progress(console) as tell:
        for what in ("reading photos", "making thumbnails"):
            for done in range(1, 5):
                tell(what, done, 8)
                clock.now += PHOTO_S
    return file.getvalue()


def test_a_log_gets_lines_with_rate_and_time_left(monkeypatch, clock):
    monkeypatch.setattr(progress, "LOG_EVERY_S", 0)
    lines = shown(clock, terminal=False).splitlines()
    assert len(lines) == 6  # the first photo of each tells no rate yet
    assert lines[2] == "reading photos: 4 of 8, 8.9 photos/s, 0:00:00 left"
    assert lines[5] == "making thumbnails: 4 of 8, 8.9 photos/s, 0:00:00 left"


def test_a_short_run_says_nothing_in_a_log(clock):
    assert shown(clock, terminal=False) == ""


def test_a_terminal_gets_a_bar(clock, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    text = shown(clock, terminal=True)
    assert "reading photos" in text
    assert "making thumbnails" in text
    assert "4/8" in text
    assert "photos/s" in text
