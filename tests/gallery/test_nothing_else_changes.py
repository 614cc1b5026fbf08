"""The promise that everything rests on: what was there before is there after.

Libraries with odd names, links, pipes and files of the user's in every place that an output may
want, and any set of outputs: every file keeps its bytes, its time, its rights and its kind, but
for the files that the run says it writes.
"""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from PIL import Image

from fer_mobile.errors import InputError
from fer_mobile.gallery.sinks import RunInfo, Sink, write_rows
from fer_mobile.gallery.sinks.copies import CopySink, LinkSink
from fer_mobile.gallery.sinks.csv import CsvSink
from fer_mobile.gallery.sinks.html import HtmlSink
from fer_mobile.gallery.sinks.jsonl import JsonlSink
from fer_mobile.gallery.sinks.xmp import XmpSink, sidecar_path
from fer_mobile.labels import LABELS
from fer_mobile.walk import walk_photos
from tests.gallery.samples import face, failed, photo

NAMES = [
    "a.jpg", "b.PNG", "=1+1.jpg", "-rf.jpg", "caf\udce9.jpg", "写真" * 40 + ".jpg",
    "x" * 251 + ".jpg", "a\nb.jpg", "r.html.jpg", " .jpg",
]  # fmt: skip
FOLDERS = ["", "sub", "sub/r_files", "r_files", "copies", "@eaDir", ".hidden"]
USERS_OWN = [
    "r_files/0123456789abcdef.jpg", "r_files/.nomedia", "copies/a.jpg", "a.jpg.xmp", "a.xmp",
    "rows.csv.part", ".rows.csv.1.part", "notes.txt", "copies/sub/a-1.jpg", "sub/a.jpg.xmp",
]  # fmt: skip
OUTPUTS = ["rows.csv", "sub/rows.csv", "a.jpg", "r.html", "new/r.html", "link.csv", "r_files/x.csv"]


@pytest.fixture(scope="module")
def picture(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("picture") / "p.jpg"
    Image.new("RGB", (8, 8)).save(path)
    return path


def state(folder: Path) -> dict[Path, tuple[object, ...]]:
    """Everything below a folder: its kind and rights; a link's target; bytes and time of a file."""
    found: dict[Path, tuple[object, ...]] = {}
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(parent, name)
            info = path.lstat()
            entry: tuple[object, ...] = (info.st_mode,)
            if stat.S_ISLNK(info.st_mode):
                entry += (path.readlink(),)
            elif stat.S_ISREG(info.st_mode):
                entry += (path.read_bytes(), info.st_mtime_ns)
            found[path] = entry
    return found


def make_tree(root: Path, photos: set[tuple[str, str]], own: set[str], picture: Path) -> None:
    for folder, name in photos:
        path = root / "library" / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(picture, path)
    for name in own:
        path = root / "library" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_text(f"mine: {name}")
    (root / "target.csv").write_text("mine, behind a link")
    (root / "library" / "link.csv").symlink_to("../target.csv")
    os.mkfifo(root / "library" / "pipe.jpg")
    (root / "library" / "nowhere.jpg").symlink_to("nowhere")


def allowed(root: Path, sinks: list[Sink], photos: list[Path]) -> set[Path]:
    """The files that a run says it writes over, if they were there."""
    files: set[Path] = set()
    for sink in sinks:
        if isinstance(sink, CsvSink | JsonlSink | HtmlSink):
            files.add(Path(os.path.realpath(sink.path)))
        elif isinstance(sink, XmpSink):
            files |= {sidecar_path(path) for path in photos}
    return files


outputs = st.sampled_from(OUTPUTS)
kinds = st.one_of(
    st.tuples(st.sampled_from([CsvSink, JsonlSink, HtmlSink]), outputs),
    st.tuples(st.sampled_from([CopySink, LinkSink]), st.sampled_from(["copies", "sub", "r_files"])),
    st.just((XmpSink, ".")),
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    photos=st.sets(
        st.tuples(st.sampled_from(FOLDERS), st.sampled_from(NAMES)), min_size=1, max_size=6
    ),
    own=st.sets(st.sampled_from(USERS_OWN)),
    kinds=st.lists(kinds, min_size=1, max_size=4),
    labels=st.lists(st.sampled_from([*LABELS, "none", "failed"]), min_size=1),
    single=st.integers(0, 3),
    runs=st.integers(1, 2),
)
def test_what_was_there_before_is_there_after(picture, photos, own, kinds, labels, single, runs):
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr("fer_mobile.gallery.sinks.html.SINGLE_FILE_LIMIT", single)
        root = Path(folder)
        make_tree(root, photos, own, picture)
        before = state(root)
        written: set[Path] = set()
        for _ in range(runs):
            written |= run(root / "library", kinds, labels)
        after = state(root)
    for path, entry in before.items():
        if path in written:
            assert after[path][0] == entry[0], path  # its kind and its rights
        else:
            assert after.get(path) == entry, path
    assert not [path for path in after if ".part" in path.name and path not in before]


def run(library: Path, kinds: list[tuple[type[Sink], str]], labels: list[str]) -> set[Path]:
    """Scan, check and write as `filter_library` does; rows are made up.  What may be changed."""
    sinks = [kind(library / name) for kind, name in kinds]
    found = walk_photos(library, outputs=[each for sink in sinks for each in sink.folders]).photos
    results = []
    for number, path in enumerate(found):
        label = labels[number % len(labels)]
        faces = [] if label == "none" else [face(label)] if label != "failed" else []
        results.append(failed(path) if label == "failed" else photo(path, *faces, size=(8, 8)))
    usable = []
    for sink in sinks:
        try:
            sink.check(library, found)
        except InputError:
            event("refused")
        else:
            usable.append(sink)
    files = allowed(library.parent, usable, found)
    for sink in usable:
        try:
            write_rows(sink, RunInfo(results, library))
        except InputError:
            event("failed")
    return files
