"""Programs killed at random moments, and what the next run finds."""

from __future__ import annotations

import math
import random
import signal
import subprocess
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from fer_mobile.files import MARKER
from fer_mobile.gallery.sinks.xmp import remove_keywords
from tests.command_line import PATIENCE_S
from tests.gallery.conftest import bundled
from tests.gallery.samples import run_filter
from tests.gallery.test_kill import kill_and_resume, start, wait_for
from tests.gallery.test_xmp import DIGIKAM as SIDECAR

pytestmark = pytest.mark.prove


def test_killed_at_many_moments(large_library, undisturbed, tmp_path):
    moments = random.Random(20).sample(range(1, 50), 20)
    for number, after in enumerate(moments):
        kill_and_resume(
            large_library, tmp_path / str(number), undisturbed, after, workers=number % 3
        )


OUTPUTS = ("--csv", "rows.csv", "--jsonl", "rows.jsonl", "--html", "report.html", "--copy-to",
           "copies", "--link-to", "links", "--write-xmp")  # fmt: skip


@pytest.fixture
def library_with_sidecars(tmp_path) -> Path:
    """So many small photos that a report has a folder of thumbnails, some with a sidecar."""
    folder = tmp_path / "library"
    folder.mkdir()
    sources = bundled()
    for number in range(110):
        with Image.open(sources[number % len(sources)]) as image:
            image.thumbnail((160, 160))
            image.convert("RGB").save(folder / f"{number:03}.jpg", quality=95 - number // 25)
        if number % 3 == 0:
            (folder / f"{number:03}.jpg.xmp").write_bytes(SIDECAR)
    return folder


def outputs_of(folder: Path) -> dict[str, bytes]:
    """What lies in the folder of outputs, without what differs from run to run."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name not in ("report.html", MARKER):
            found[str(path.relative_to(folder))] = path.read_bytes()
    return found


def check_after_kill(out: Path, library: Path, photos: dict[Path, tuple[bytes, int]]) -> None:
    """Photos are as they were; an output is there whole or not at all."""
    for path, before in photos.items():
        assert (path.read_bytes(), path.stat().st_mtime_ns) == before
        sidecar = Path(f"{path}.xmp")
        if sidecar.exists():
            ElementTree.fromstring(sidecar.read_bytes())
    contents = {content for content, _ in photos.values()}
    for copy in (out / "copies").glob("*.jpg"):
        assert copy.read_bytes() in contents
    if (out / "rows.csv").exists():
        assert len((out / "rows.csv").read_text().splitlines()) == 111
    if (out / "report.html").exists():
        assert (out / "report.html").read_text().rstrip().endswith("</html>")


def write_outputs(library: Path, out: Path, kill_after: float = math.inf) -> tuple[bool, float]:
    """Run, and kill so many seconds after the first output; whether it was killed, and its time."""
    run = start(library, out.parent / "cache", *OUTPUTS, cwd=out)
    wait_for(lambda: (out / "rows.csv").exists() or run.poll() is not None)
    started = time.monotonic()
    try:
        run.wait(min(kill_after, PATIENCE_S))
    except subprocess.TimeoutExpired:
        run.kill()
    _, err = run.communicate()
    assert run.returncode in (0, -signal.SIGKILL), err
    return run.returncode != 0, time.monotonic() - started


def test_killed_while_outputs_are_written(library_with_sidecars, tmp_path):
    library, out, undisturbed = library_with_sidecars, tmp_path / "out", tmp_path / "undisturbed"
    photos = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in library.glob("*.jpg")}
    out.mkdir()
    undisturbed.mkdir()
    run_filter(library, store=tmp_path / "cache" / "results.sqlite")  # the rest is outputs
    killed, seconds = write_outputs(library, undisturbed)
    assert not killed
    remove_keywords(library)
    moments = random.Random(28)
    kills = 0
    while kills < 40:
        killed, _ = write_outputs(library, out, moments.uniform(0, seconds))
        kills += killed
        check_after_kill(out, library, photos)
        (out / "rows.csv").unlink(missing_ok=True)  # by which the next run is waited for
    assert write_outputs(library, out)[0] is False
    check_after_kill(out, library, photos)
    assert outputs_of(out) == outputs_of(undisturbed)
    assert not [path for folder in (out, library) for path in folder.rglob(".fer-mobile-*")]
