"""Every fault of a file system that we know of: a row, a warning or a clear line, nothing lost."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from fer_mobile.models import DEFAULT, tflite_file
from tests.command_line import PATIENCE_S
from tests.gallery.conftest import bundled
from tests.gallery.test_nothing_else_changes import state
from tests.gallery.test_xmp import DIGIKAM as SIDECAR

pytestmark = pytest.mark.prove


class Fault(NamedTuple):
    """What is done before a command, and how it is to end."""

    prepare: str
    command: str
    code: int = 0
    says: str = ""
    """A word of its output."""
    changes: tuple[str, ...] = ()
    """What was there before, and is to be written."""


STORE = "cache/results.sqlite"
FILLED = "$FER filter lib >/dev/null 2>&1; "
LONG = "写真" * 41 + "xxxxx.jpg"  # 255 bytes

OWN_FILES = {
    "a table where a photo is": Fault("", "filter lib --csv lib/a.jpg", 2, "which is read"),
    "a hard link to a photo": Fault("ln lib/a.jpg t.csv", "filter lib --csv t.csv", 2, "is read"),
    "a link to a photo": Fault("ln -s lib/a.jpg t.html", "filter lib --html t.html", 2, "is read"),
    "a table where the model is": Fault(
        "cp $MODEL m.tflite", "filter lib --model m.tflite --csv m.tflite", 2, "which is read"
    ),
    "a table where a folder is": Fault("mkdir t", "filter lib --csv t", 2, "a folder"),
    "a table below a file": Fault("touch t", "filter lib --csv t/t.csv", 2, "Not a directory"),
    "two outputs in one place": Fault("", "filter lib --csv t --jsonl t", 2, "a place of their"),
    "a protected table": Fault("touch t; chmod 444 t", "filter lib --csv t", 2, "protected"),
    "a protected folder": Fault("mkdir d; chmod 555 d", "filter lib --csv d/t", 2, "Permission"),
    "a full disk": Fault("", "filter lib --csv /dev/full", 2, "No space left"),
    "a full disk for copies": Fault("", "filter lib --copy-to small/c", 2, "No space left"),
    "a full disk for a report": Fault("", "filter lib --html small/r.html", 2, "No space left"),
    "a full disk for sidecars": Fault(
        "cp lib/a.jpg small/; cat /dev/zero > small/z 2>/dev/null || true",
        "filter small --write-xmp", 2, "No space left",
    ),
    "a link as a table": Fault(
        "touch t; ln -s t l.csv", "filter lib --csv l.csv", changes=("t",)
    ),
    "a dangling link as a table": Fault("ln -s new l.csv", "filter lib --csv l.csv"),
    "a pipe as a table": Fault("mkfifo p; cat p > got &", "filter lib --csv p", changes=("got",)),
    "a device as a table": Fault("", "filter lib --csv /dev/null --html /dev/null"),
    "standard output as a table": Fault("", "filter lib --csv -", 0, "path,label"),
    "a report beside its user's folder": Fault(
        "mkdir lib/r_files; for n in $(seq 101); do cp lib/a.jpg lib/$n.jpg; done;"
        " cp lib/a.jpg lib/r_files/0123456789abcdef.jpg; touch lib/r_files/.fer-mobile",
        "filter lib --html lib/r.html", 0, "104 of 104",
    ),
    "copies of names of 255 bytes": Fault(f"cp lib/a.jpg lib/{LONG}", "filter lib --copy-to c"),
    "names that are taken": Fault("mkdir c; echo mine > c/a.jpg", "filter lib --copy-to c"),
    "copies into the library": Fault("", "filter lib --copy-to lib/sub"),
    "what a killed run left": Fault(
        "touch .fer-mobile-00000000-1-1.part", "filter lib --csv t.csv"
    ),
    "a sidecar that is a link": Fault(
        "cp $XMP x; ln -s ../x lib/a.jpg.xmp", "filter lib --write-xmp", changes=("x",)
    ),
    "a sidecar with another name": Fault(
        "cp $XMP x; ln x lib/a.jpg.xmp", "filter lib --write-xmp", changes=("x", "lib/a.jpg.xmp")
    ),
    "a sidecar of any rights": Fault(
        "cp $XMP lib/a.jpg.xmp; chmod 640 lib/a.jpg.xmp", "filter lib --write-xmp",
        changes=("lib/a.jpg.xmp",),
    ),
    "a protected sidecar": Fault(
        "cp $XMP lib/a.jpg.xmp; chmod 444 lib/a.jpg.xmp", "filter lib --write-xmp", 0, "a.jpg.xmp"
    ),
    "a sidecar that is none": Fault(
        "echo mine > lib/a.jpg.xmp", "filter lib --write-xmp", 0, "left as it is"
    ),
    "a sidecar that is a folder": Fault(
        "mkdir lib/a.jpg.xmp", "filter lib --write-xmp", 0, "a.jpg.xmp"
    ),
    "a protected library": Fault("chmod 555 lib", "filter lib --write-xmp", 0, "ermission denied"),
}  # fmt: skip

WALKS = {
    "a closed folder": Fault("chmod 0 lib/sub", "filter lib", 0, "folder that cannot be opened"),
    "a folder without x": Fault("chmod 444 lib/sub", "filter lib", 0, "permission denied"),
    "a closed folder, by date": Fault("chmod 444 lib/sub", "filter lib --sort date"),
    "a closed library": Fault("chmod 0 lib", "filter lib", 2, "lib"),
    "a closed photo": Fault("chmod 0 lib/sub/b.jpg", "filter lib", 0, "permission denied"),
    "all photos closed": Fault("chmod 0 lib/a.jpg lib/sub/*", "filter lib", 2, "none among"),
    "a linked folder": Fault("ln -s ../other lib/l", "filter lib", 0, "link to a folder (1)"),
    "a folder linked to itself": Fault("ln -s . lib/l", "filter lib", 0, "link to a folder (1)"),
    "a dangling link": Fault("ln -s no lib/l.jpg", "filter lib", 0, "no such file"),
    "a link to itself": Fault("ln -s l.jpg lib/l.jpg", "filter lib", 0, "many levels"),
    "a pipe": Fault("mkfifo lib/p.jpg", "filter lib", 0, "a device"),
    "a pipe to time": Fault(
        "mkfifo lib/p.jpg",
        "bench --model compact --photos lib --repetitions 1 --budget 100", 0, "not be read: 1",
    ),
    "a device": Fault("ln -s /dev/zero lib/z.jpg", "filter lib", 0, "a device"),
    "a folder named as a photo": Fault("mkdir lib/d.jpg", "filter lib"),
    "RAW photos and videos": Fault(
        "touch lib/a.dng lib/a.MOV lib/a.psd", "filter lib", 0, "RAW photo (1)"
    ),
    "folders of a NAS": Fault(
        "mkdir lib/@eaDir 'lib/#recycle' 'lib/$RECYCLE.BIN'", "filter lib", 0, "bin (3)"
    ),
    "names of any bytes": Fault(
        r"cp lib/a.jpg lib/$(printf '\377').jpg; cp lib/a.jpg lib/$(printf '\033[2J').jpg",
        "filter lib --csv t.csv --html r.html --copy-to c --write-xmp", 0, "4 of 4",
    ),
    "a name of two lines": Fault("cp lib/a.jpg $'lib/a\\nb.jpg'", "filter lib --csv -"),
    "a name of 255 bytes": Fault(f"cp lib/a.jpg lib/{LONG}", "filter lib --write-xmp", 0, "3 of 3"),
    "a name of 300 bytes": Fault("", f"predict lib/a.jpg {'x' * 300}.jpg", 0, "too long"),
    "a path of 5,000 bytes": Fault("", f"filter {'x/' * 2500}", 2, "too long"),
    "no folder": Fault("", "filter no", 2, "no such folder"),
    "a file as a folder": Fault("", "filter lib/a.jpg", 2, "found a file"),
    "an empty folder": Fault("mkdir e", "filter e", 2, "found none"),
}  # fmt: skip

STORES = {
    "a store of random bytes": Fault(
        f"mkdir -p cache; head -c 50000 /dev/urandom > {STORE}", "filter lib", 0, "2 of 2",
        (STORE,),
    ),
    "a store with a damaged page": Fault(
        f"{FILLED} dd if=/dev/urandom of={STORE} bs=4096 seek=2 count=2 conv=notrunc 2>/dev/null",
        "filter lib", 0, "2 of 2", (STORE,),
    ),
    "a store cut off": Fault(
        f"{FILLED} truncate -s 5000 {STORE}", "filter lib", 0, "2 of 2", (STORE,)
    ),
    "an empty store": Fault(f"mkdir -p cache; touch {STORE}", "filter lib", 0, "2 of 2", (STORE,)),
    "a protected store": Fault(
        f"{FILLED} chmod 444 {STORE}; chmod 555 cache", "filter lib", 0, "2 of 2"
    ),
    "a closed store": Fault(f"{FILLED} chmod 0 {STORE}", "filter lib", 0, "2 of 2"),
    "a closed cache": Fault("mkdir cache; chmod 0 cache", "filter lib", 0, "Nothing is kept"),
    "a cache that is a file": Fault("touch cache", "filter lib", 0, "Nothing is kept"),
    "a store that is a folder": Fault(f"mkdir -p {STORE}", "filter lib", 0, "Nothing is kept"),
    "a store that is a pipe": Fault(f"mkdir cache; mkfifo {STORE}", "filter lib", 0, "2 of 2"),
    "a store without a column": Fault(
        f"{FILLED} $SQL 'alter table result rename column row to other'", "filter lib", 0, "2 of 2",
        (STORE,),
    ),
    "a store of a later version": Fault(
        f"{FILLED} $SQL 'pragma user_version = 99'", "filter lib", 0, "2 of 2", (STORE,)
    ),
    "a store of another program": Fault(
        "mkdir cache; $SQL 'create table result (a)'", "filter lib", 0, "2 of 2", (STORE,)
    ),
    "a store full of nonsense": Fault(
        f"{FILLED} $SQL \"update result set row = '[1]'\"", "filter lib", 0, "2 of 2", (STORE,)
    ),
    "a store on a full disk": Fault(
        "cat /dev/zero > small/z 2>/dev/null || true",
        "FER_MOBILE_CACHE=small filter lib", 0, "2 of 2",
    ),
}  # fmt: skip

ENVIRONMENTS = {
    "no home": Fault("", "HOME= XDG_CACHE_HOME= filter lib", 0, "2 of 2"),
    "standard output closed": Fault("", "filter lib --csv t.csv >&-"),
    "standard error closed": Fault("", "filter lib 2>&-", 0, "a.jpg"),
    "all three closed": Fault("", "filter lib --csv t.csv <&- >&- 2>&-"),
    "a full standard output": Fault("", "filter lib >/dev/full", 2, "space on the disk"),
    "a reader who leaves": Fault("", "filter lib | true"),
    "Windows' characters": Fault("", "PYTHONIOENCODING=cp1252 filter lib", 0, "2 of 2"),
    "ASCII alone": Fault(
        f"cp lib/a.jpg lib/{LONG}; cp lib/a.jpg lib/$(printf '\\377').jpg",
        "PYTHONIOENCODING=ascii:strict filter lib", 0, "4 of 4",
    ),
}  # fmt: skip

FAULTS = OWN_FILES | WALKS | STORES | ENVIRONMENTS


@pytest.fixture
def folder(tmp_path) -> Path:
    """A library of two photos, one of them in a subfolder, and a photo outside of it."""
    for name, photo in zip(("lib/a.jpg", "lib/sub/b.jpg", "other/c.jpg"), bundled(), strict=False):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(photo, tmp_path / name)
    return tmp_path


@pytest.fixture
def small_disk(folder) -> Iterator[Path]:
    """A folder on a file system of 64 kB."""
    path = folder / "small"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(path)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("needs the right to mount a file system")
    yield path
    subprocess.run(["umount", str(path)], check=True)


def shell(line: str, folder: Path, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """A line of bash in a folder; root obeys the rights of files there, too."""
    (folder / "home").mkdir(exist_ok=True)
    variables = {
        "FER": f"{sys.executable} -m fer_mobile",
        "MODEL": str(tflite_file(DEFAULT)),
        "SQL": f"sqlite3 {STORE}",
        "HOME": str(folder / "home"),
        "FER_MOBILE_CACHE": str(folder / "cache"),
    }
    command = ["bash", "-c", line]
    if os.geteuid() == 0:
        rights = "-dac_override,-dac_read_search"
        command = ["setpriv", f"--bounding-set={rights}", "--inh-caps=-all", *command]
    return subprocess.run(
        command, check=False, cwd=folder, env=os.environ | variables, timeout=PATIENCE_S, **options
    )


def end_in(folder: Path, fault: Fault, options: str) -> None:
    (folder / "sidecar").write_bytes(SIDECAR)
    nowhere = subprocess.DEVNULL
    shell(fault.prepare.replace("$XMP", "sidecar"), folder, stdout=nowhere, stderr=nowhere)
    before = state(folder)
    line = re.sub(r"\b(filter|predict|bench)\b", rf"$FER \1{options}", fault.command, count=1)
    done = shell(line, folder, capture_output=True)
    said = (done.stdout + done.stderr).decode("utf-8", "replace")
    assert done.returncode == fault.code, said
    assert fault.says in said
    assert "Traceback" not in said
    assert "internal error" not in said
    after = state(folder)
    for path, entry in before.items():
        if str(path.relative_to(folder)) not in (*fault.changes, "cache", "home"):
            assert after.get(path) == entry, path


@pytest.mark.parametrize("name", OWN_FILES | WALKS | STORES)
def test_a_fault_of_files(name, folder, request):
    fault = FAULTS[name]
    if "small" in fault.command:
        request.getfixturevalue("small_disk")
    end_in(folder, fault, " --workers 0" if "filter" in fault.command else "")


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_a_fault_of_what_a_program_is_given(name, folder):
    end_in(folder, FAULTS[name], "")
