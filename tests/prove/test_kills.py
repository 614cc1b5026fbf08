"""Programs killed at random moments, and what the next run finds."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from random import Random
from xml.etree import ElementTree

import pytest
from PIL import Image

from fer_mobile.checkpoint import RunFolder
from fer_mobile.evaluation import evaluate
from fer_mobile.files import MARKER
from fer_mobile.gallery.sinks.xmp import remove_keywords
from tests.command_line import PATIENCE_S, CommandLine
from tests.gallery.conftest import bundled
from tests.gallery.samples import run_filter
from tests.gallery.test_kill import alive, children, stored, wait_for, without_times
from tests.gallery.test_xmp import DIGIKAM as SIDECAR

pytestmark = pytest.mark.prove


def test_killed_while_photos_are_read(
    fer_mobile, large_library, undisturbed, tmp_path, rounds, record_property
):
    """What was stored is not computed again, and nothing is missing."""
    random = Random(20)
    kills = 0
    for number in rounds(30):
        cache, workers = tmp_path / str(number), (0, 0, 0, 1, 2)[number % 5]
        command = ("filter", large_library, "--json", "--workers", workers)
        run = fer_mobile.start(*command, FER_MOBILE_CACHE=str(cache))
        after = random.randrange(1, 50)
        wait_for(lambda run=run, cache=cache, after=after: count(cache) >= after or run.exitcode)
        assert run.exitcode is None
        others = children(run.pid)
        run.kill()
        run.join()
        wait_for(lambda others=others: not any(map(alive, others)))
        kept = stored(cache)
        assert after <= len(kept) <= len(undisturbed)
        resumed = fer_mobile(*command, FER_MOBILE_CACHE=str(cache))
        rows = json.loads(resumed.stdout)["rows"]
        assert without_times(rows) == without_times(undisturbed)
        times = [row["stages"] for row in rows]
        assert all(row["stages"] in times for row in kept)
        kills += 1
    record_property("kills", kills)


def count(cache: Path) -> int:
    """The rows that lie in the store now."""
    time.sleep(0.02)
    try:
        with closing(sqlite3.connect(f"file:{cache}/results.sqlite?mode=ro", uri=True)) as db:
            return int(db.execute("SELECT count(*) FROM result").fetchone()[0])
    except sqlite3.OperationalError:  # not made yet
        return 0


OUTPUTS = {
    "all": ("--csv", "rows.csv", "--jsonl", "rows.jsonl", "--html", "report.html", "--copy-to",
            "copies", "--link-to", "links", "--write-xmp"),
    "report": ("--html", "report.html"),
    "copies": ("--copy-to", "copies"),
}  # fmt: skip


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
        if path.is_file() and path.name not in ("report.html", "stdout", "stderr", MARKER):
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
    for copy in (out / "copies").glob("[!.]*.jpg"):  # others are not finished, and say so
        assert copy.read_bytes() in contents
    if (out / "rows.csv").exists():
        assert len((out / "rows.csv").read_text().splitlines()) == 111
    if (out / "report.html").exists():
        assert (out / "report.html").read_text().rstrip().endswith("</html>")


def write_outputs(
    out: Path, arguments: tuple[object, ...], kill_after: float = PATIENCE_S
) -> tuple[bool, float]:
    """Run, and kill so many seconds after the first output; whether it was killed, and its time."""
    before = {*out.rglob("*")}
    run = CommandLine(out).start(*arguments)
    said = {out / "stdout", out / "stderr"}
    wait_for(lambda: {*out.rglob("*")} - said != before - said or run.exitcode is not None)
    started = time.monotonic()
    run.join(kill_after)
    run.kill()
    run.join()
    assert run.exitcode in (0, -signal.SIGKILL), (out / "stderr").read_text()
    return run.exitcode != 0, time.monotonic() - started


@pytest.mark.parametrize("outputs", OUTPUTS)
def test_killed_while_outputs_are_written(
    library_with_sidecars, tmp_path, rounds, record_property, outputs
):
    library, out, undisturbed = library_with_sidecars, tmp_path / "out", tmp_path / "undisturbed"
    photos = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in library.glob("*.jpg")}
    out.mkdir()
    undisturbed.mkdir()
    run_filter(library, store=tmp_path / "cache" / "results.sqlite")  # the rest is outputs
    arguments = ("filter", library, "--workers", 0, *OUTPUTS[outputs])
    killed, seconds = write_outputs(undisturbed, arguments)
    assert not killed
    remove_keywords(library)
    random = Random(28)
    kills = 0
    for number in rounds(65):
        killed, _ = write_outputs(out, arguments, random.uniform(0, 0.7) * seconds)
        kills += killed
        check_after_kill(out, library, photos)
        if number % 3:  # else the next run meets what this one left
            shutil.rmtree(out)
            out.mkdir()
    assert write_outputs(out, arguments)[0] is False
    check_after_kill(out, library, photos)
    assert outputs_of(out) == outputs_of(undisturbed)
    assert not [path for folder in (out, library) for path in folder.rglob(".fer-mobile-*")]
    record_property("kills", kills)


def run_until(command: CommandLine, arguments: tuple[object, ...], seconds: float) -> bool:
    """Run a command, and kill it after so many seconds; whether it was killed."""
    process = command.start(*arguments)
    process.join(seconds)
    process.kill()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL), (command.folder / "stderr").read_text()
    return process.exitcode != 0


def seconds_of(command: CommandLine, arguments: tuple[object, ...]) -> float:
    started = time.monotonic()
    assert not run_until(command, arguments, PATIENCE_S)
    return time.monotonic() - started


def test_killed_while_a_model_is_exported(fer_mobile, tmp_path, rounds, record_property):
    """The file of an earlier export, or the whole new one, never a part of one."""

    def arguments(out: Path) -> tuple[object, ...]:
        return ("export", "compact", "--quantize", "none", "--out", out)

    undisturbed, out = tmp_path / "undisturbed", tmp_path / "out"
    seconds = seconds_of(fer_mobile, arguments(undisturbed))
    new = {path.name: path.read_bytes() for path in undisturbed.iterdir()}
    random = Random(30)
    kills = 0
    for number in rounds(30):
        earlier = dict.fromkeys(new, b"of an earlier export") if number % 2 else {}
        out.mkdir()
        for name, content in earlier.items():
            (out / name).write_bytes(content)
        kills += run_until(fer_mobile, arguments(out), random.uniform(0, seconds))
        for path in out.glob("[!.]*"):
            assert path.read_bytes() in (new[path.name], earlier.get(path.name)), path
        if number % 10 == 9:
            assert not run_until(fer_mobile, arguments(out), PATIENCE_S)
            assert {path.name: path.read_bytes() for path in out.iterdir()} == new
        shutil.rmtree(out)
    record_property("kills", kills)


def test_killed_while_a_model_is_trained(
    fer_mobile, small_npz, tiny_recipe, tmp_path, rounds, record_property
):
    """A run that is killed again and again ends with the figures of an undisturbed one.

    Its recipe has no dropout, which draws other masks after a resumption.
    """

    def arguments(out: Path) -> tuple[object, ...]:
        options = ("--set", "epochs=4", "--data", small_npz, "--resume", "--out", out)
        return ("train", tiny_recipe, *options)

    undisturbed, out = tmp_path / "undisturbed", tmp_path / "out"
    seconds = seconds_of(fer_mobile, arguments(undisturbed))
    random = Random(31)
    kills = done = 0
    for _ in rounds(25):
        killed = run_until(fer_mobile, arguments(out), random.uniform(0.2, 1) * seconds)
        kills += killed
        folder = RunFolder(out)
        epochs = folder.read_state().epochs_done
        assert done <= epochs  # no epoch that was done is lost
        assert len(folder.read_history()) >= epochs
        done = epochs
        if not killed:
            check_trained(out, undisturbed, small_npz)
            shutil.rmtree(out)
            done = 0
    if out.exists():
        assert not run_until(fer_mobile, arguments(out), PATIENCE_S)
        check_trained(out, undisturbed, small_npz)
    record_property("kills", kills)


def check_trained(out: Path, undisturbed: Path, data: Path) -> None:
    """The same files, the best epoch's weights with their figures, and the same losses.

    Losses may differ by what rounds differently on several threads.
    """
    assert {path.name for path in out.iterdir()} == {path.name for path in undisturbed.iterdir()}
    rows, expected = (RunFolder(folder).read_history() for folder in (out, undisturbed))
    assert len(rows) == len(expected) == 4
    for row, other in zip(rows, expected, strict=True):
        assert row["loss"] == pytest.approx(other["loss"], rel=1e-3)
        assert row["valid_loss"] == pytest.approx(other["valid_loss"], rel=1e-3)
    best = max(rows, key=lambda row: row["accuracy"] + 0.1 * row["balanced_accuracy"])
    kept = RunFolder(out).read_figures()
    assert (kept.accuracy, kept.balanced_accuracy) == (best["accuracy"], best["balanced_accuracy"])
    assert evaluate(out, data).as_dict()["accuracy"] == kept.accuracy
