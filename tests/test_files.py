"""Files are written whole or not at all, and what is not ours stays as it is."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from fer_mobile.errors import InputError
from fer_mobile.files import (
    MARKER,
    cache_dir,
    check_output,
    claim_folder,
    display_name,
    is_ours,
    numbered,
    open_regular,
    part_path,
    remove_abandoned,
    replace_file,
    write_bytes,
    write_text,
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_failure_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "new" / "rows.csv"

    def fail_midway(part: Path) -> None:
        part.write_text("half")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        replace_file(path, fail_midway)
    assert names(tmp_path) == []
    write_text(path, "old")
    with pytest.raises(InputError, match="expected a place that can be written to"):
        replace_file(path, lambda part: (part.write_text("half"), os.open("/dev/full/x", 0)))
    assert path.read_text() == "old"
    assert names(path.parent) == ["rows.csv"]


def test_rights_and_owner_stay(tmp_path):
    path = tmp_path / "a.xmp"
    path.write_bytes(b"old")
    path.chmod(0o664)
    if os.geteuid() == 0:
        os.chown(path, 1234, 2345)
    before = path.stat()
    write_bytes(path, b"new")
    after = path.stat()
    assert path.read_bytes() == b"new"
    assert (after.st_mode, after.st_uid, after.st_gid) == (
        before.st_mode,
        before.st_uid,
        before.st_gid,
    )
    assert after.st_mtime_ns > before.st_mtime_ns


def test_links_stay_links_and_other_names_get_the_content(tmp_path):
    (tmp_path / "store").mkdir()
    target = tmp_path / "store" / "target"
    target.write_bytes(b"a longer old content")
    (tmp_path / "soft").symlink_to("store/target")
    write_bytes(tmp_path / "soft", b"one")
    assert (tmp_path / "soft").is_symlink()
    assert target.read_bytes() == b"one"
    (tmp_path / "hard").hardlink_to(target)
    write_bytes(tmp_path / "hard", b"2")
    assert target.read_bytes() == b"2"
    assert target.samefile(tmp_path / "hard")
    (tmp_path / "dangling").symlink_to("store/new")
    write_bytes(tmp_path / "dangling", b"three")
    assert (tmp_path / "store" / "new").read_bytes() == b"three"
    assert names(tmp_path / "store") == ["new", "target"]


def test_a_pipe_gets_the_content(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    write_bytes(tmp_path / "pipe", b"rows")
    reader.join(60)
    assert read == [b"rows"]
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_a_pipe_that_nobody_reads_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr("fer_mobile.files._READER_S", 0.2)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="pipe: expected a place that can be written to"):
        write_bytes(tmp_path / "pipe", b"rows")


@pytest.mark.parametrize("target", ["-", "/dev/stdout", "/dev/fd/1"])
@pytest.mark.parametrize("redirected", [True, False])
def test_standard_output(tmp_path, target, redirected):
    code = "import sys; from fer_mobile.files import write_text; write_text(sys.argv[1], 'rows\\n')"
    command = [sys.executable, "-c", code, target]
    if redirected:
        (tmp_path / "out").write_text("what was there\n")
        with (tmp_path / "out").open("ab") as out:
            subprocess.run(command, stdout=out, check=True)
        start, _, read = (tmp_path / "out").read_bytes().partition(b"\n")
        assert start == b"what was there"
    else:
        read = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    assert read == b"rows\n"


def test_a_device_is_no_file_to_replace(tmp_path):
    null = tmp_path / "null"
    try:
        os.mknod(null, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        null.write_bytes(b"")
    except OSError:
        null = Path("/dev/null")
        if os.geteuid() == 0:
            pytest.skip("this root may make no device of its own to try")
    write_bytes(null, b"rows")
    assert stat.S_ISCHR(null.stat().st_mode)


def test_names_of_any_length(tmp_path):
    for name in ("x" * 255, "é" * 127, "y" * 251 + ".csv", "z." + "s" * 253):
        write_bytes(tmp_path / name, b"1")
        assert len(os.fsencode(part_path(tmp_path / name).name)) <= 100
        for number in (1, 10_000):
            other = numbered(tmp_path / name, number)
            assert len(os.fsencode(other.name)) <= 255
            assert f"-{number}" in other.name


def test_a_read_only_file_is_not_replaced():
    code = (
        "import os, sys; from fer_mobile.files import write_bytes\n"
        "if os.geteuid() == 0: os.setgid(65534), os.setuid(65534)\n"
        "write_bytes(sys.argv[1], b'new')"
    )
    with tempfile.TemporaryDirectory() as folder:  # that of pytest is closed to other users
        Path(folder).chmod(0o777)
        path = Path(folder, "mine.csv")
        path.write_bytes(b"mine")
        path.chmod(0o444)
        done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True)
        assert "protected against writing" in done.stderr
        assert path.read_bytes() == b"mine"
        assert names(Path(folder)) == ["mine.csv"]


def test_what_a_killed_run_left_is_removed_by_the_next(tmp_path):
    code = (
        "import os, signal, sys; from pathlib import Path; from fer_mobile.files import replacing\n"
        "with replacing(Path(sys.argv[1])) as part:\n"
        "    part.write_text('half'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path / "rows.csv"], check=False)
    (left,) = names(tmp_path)
    assert left.startswith(".fer-mobile-")
    mine = part_path(tmp_path / "other.csv")  # this process is alive
    mine.write_text("in work")
    (tmp_path / ".fer-mobile-notes.part").write_text("not one of ours")
    remove_abandoned(tmp_path)
    assert names(tmp_path) == sorted([mine.name, ".fer-mobile-notes.part"])


def test_an_input_is_no_output(tmp_path):
    photo = tmp_path / "a.jpg"
    photo.write_bytes(b"photo")
    (tmp_path / "soft.csv").symlink_to(photo)
    (tmp_path / "hard.csv").hardlink_to(photo)
    for output in (photo, tmp_path / "soft.csv", tmp_path / "hard.csv"):
        with pytest.raises(InputError, match="which is read"):
            check_output(output, [tmp_path / "gone.jpg", photo])
    with pytest.raises(InputError, match="found a folder"):
        check_output(tmp_path)
    check_output(tmp_path / "new.csv", [photo])
    check_output("-", [photo])


def test_a_folder_is_ours_by_its_marker_alone(tmp_path):
    assert claim_folder(tmp_path / "a" / "b", "For a test.")
    assert claim_folder(tmp_path / "a" / "b", "For a test.")
    assert "For a test." in (tmp_path / "a" / "b" / MARKER).read_text()
    assert not claim_folder(tmp_path / "a", "For a test.")
    (tmp_path / "a" / MARKER).write_text("someone else's file of this name")
    assert not is_ours(tmp_path / "a")
    assert not claim_folder(tmp_path / "a", "For a test.")


def test_the_cache_of_a_user_without_a_home(monkeypatch, tmp_path):
    monkeypatch.delenv("FER_MOBILE_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_dir() == tmp_path / ".cache" / "fer-mobile"
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    with pytest.raises(InputError, match="this user has no home folder"):
        cache_dir()


def test_names_for_a_terminal():
    assert display_name(Path("Björn 写真.jpg")) == "Björn 写真.jpg"
    assert display_name("a\x1b[31mred\n.jpg") == "a\\x1b[31mred\\n.jpg"
    assert display_name(os.fsdecode(b"caf\xe9.jpg")) == "caf\\udce9.jpg"


def test_what_is_no_regular_file_is_not_waited_for(tmp_path):
    (tmp_path / "file").write_bytes(b"content")
    with open_regular(tmp_path / "file") as file:
        assert file.read() == b"content"
    os.mkfifo(tmp_path / "pipe")
    for path, reason in ((tmp_path, "a folder"), (tmp_path / "pipe", "pipe"), ("/dev/zero", "dev")):
        with pytest.raises(OSError, match=reason):
            open_regular(path)
