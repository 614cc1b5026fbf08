"""What a walk takes for photos, and what it names as skipped."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from fer_mobile.files import claim_folder
from fer_mobile.resources import photos_dir
from fer_mobile.walk import find_files, find_photos, walk_photos


def make(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_what_is_skipped_has_its_reason(tmp_path):
    library, other = tmp_path / "library", tmp_path / "other"
    make(other, "c.jpg")
    make(
        library, "a.jpg", "b/c.JPEG", "notes.txt", ".hidden.jpg", ".hidden.txt", ".git/d.jpg",
        "@eaDir/a.jpg/SYNOPHOTO_THUMB_XL.jpg", "#recycle/d.jpg", "$RECYCLE.BIN/$R1.jpg",
        "phone/.nomedia", "phone/e.jpg", "x.CR2", "x.MOV", "x.psd", "out/f.jpg",
    )  # fmt: skip
    (library / "linked").symlink_to(other)
    (library / "loop").symlink_to(library)
    assert claim_folder(library / "r_files", "Thumbnails.")
    make(library, "r_files/g.jpg")
    for name in ("IMG_1", "e.jpg_large", "f.tmp"):
        shutil.copy(photos_dir() / "rocket.jpg", library / name)
    photos, skipped = walk_photos(library, outputs=[library / "out"])
    assert photos == [library / "a.jpg", library / "b" / "c.JPEG"]
    assert {str(path.relative_to(library)): reason for path, reason in skipped} == {
        ".git": "hidden",
        ".hidden.jpg": "hidden",
        "@eaDir": "folder of a NAS or a recycle bin",
        "#recycle": "folder of a NAS or a recycle bin",
        "$RECYCLE.BIN": "folder of a NAS or a recycle bin",
        "phone": "folder with .nomedia",
        "linked": "link to a folder",
        "loop": "link to a folder",
        "r_files": "folder made by fer-mobile",
        "out": "output folder of this run",
        "x.CR2": "RAW photo",
        "x.MOV": "video",
        "x.psd": "picture of another format",
        "IMG_1": "photo without a photo's suffix",
        "e.jpg_large": "photo without a photo's suffix",
        "f.tmp": "photo without a photo's suffix",
    }
    assert find_photos(library) == [*photos, library / "out" / "f.jpg"]
    # Whoever names such a folder means it.
    assert find_photos(library / "@eaDir") != []
    assert find_photos(library / "phone") == [library / "phone" / "e.jpg"]


def test_a_closed_folder_is_named(tmp_path):
    make(tmp_path, "open/a.jpg", "closed/b.jpg")
    (tmp_path / "closed").chmod(0)
    code = (
        "import os, sys; from fer_mobile.walk import walk_photos\n"
        "os.chdir(sys.argv[1])\n"  # that of pytest is closed to other users
        "if os.geteuid() == 0: os.setgid(65534), os.setuid(65534)\n"
        "print([path.name for path in walk_photos('.').photos], walk_photos('.').skipped)"
    )
    tmp_path.chmod(0o755)
    try:
        done = subprocess.run(
            [sys.executable, "-c", code, tmp_path], capture_output=True, text=True
        )
    finally:
        (tmp_path / "closed").chmod(0o755)
    assert "['a.jpg']" in done.stdout, done.stderr
    assert "PosixPath('closed'), reason='folder that cannot be opened'" in done.stdout


def test_find_files_enters_what_a_walk_enters(tmp_path):
    make(tmp_path, "a.jpg.xmp", "b/B.XMP", ".git/c.xmp", "@eaDir/d.xmp", "e.jpg")
    found = [os.fspath(path.relative_to(tmp_path)) for path in find_files(tmp_path, ".xmp")]
    assert found == ["a.jpg.xmp", "b/B.XMP"]
