"""The one place where files are written, each whole or not at all, and opened where all may be.

A new content takes a file's name in one step, and the file keeps its rights and its owner.  A
link stays a link, and a pipe or a device is written to.  A folder is ours only if it holds our
`MARKER`.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import itertools
import os
import platform
import re
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import Final

from fer_mobile.errors import InputError

STDOUT: Final = Path("-")
"""The name that stands for standard output wherever a file is written."""

MARKER: Final = ".fer-mobile"
"""A file of this name says that fer-mobile made its folder."""

_MARK: Final = "fer-mobile made this folder."
_LONGEST_NAME: Final = 255
"""Bytes of a file's name on the file systems in use."""
_LONGEST_SUFFIX: Final = 16
_PART: Final = re.compile(r"\.fer-mobile-(?P<host>[0-9a-f]{8})-(?P<process>\d+)-\d+\.part(\..*)?")
_ABANDONED_S: Final = 24 * 3600
"""Age at which an unfinished file of another machine is taken for abandoned."""
_READER_S: Final = 60.0
"""How long a pipe is held out to a reader who has not come yet."""
_READER_POLL_S: Final = 0.05

_numbers = itertools.count()
_cleaned: set[tuple[Path, int]] = set()


def cache_dir() -> Path:
    """Where what can be made again may be kept; it need not be there yet.

    It is ``$FER_MOBILE_CACHE``, else the cache folder of the XDG standard.  Raises InputError
    for a user without a home folder.
    """
    own = os.environ.get("FER_MOBILE_CACHE")
    if own:
        return Path(own)
    base = os.environ.get("XDG_CACHE_HOME")
    if base and Path(base).is_absolute():  # The standard ignores a relative one.
        return Path(base) / "fer-mobile"
    try:
        return Path.home() / ".cache" / "fer-mobile"
    except RuntimeError as error:
        raise InputError(
            "FER_MOBILE_CACHE",
            expected="a folder for what is kept between runs",
            found="it is not set, and this user has no home folder",
        ) from error


def open_regular(path: str | Path) -> BufferedReader:
    """A file for reading.

    Raises OSError, also for what is no regular file: opening a pipe would wait for ever, and a
    device may never end.
    """
    flags = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, os.O_RDONLY | flags)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "a folder", str(path))
    raise OSError(errno.ENODEV, "a device or a pipe", str(path))


def is_file(path: Path) -> bool:
    """Whether there is a file: none under a name too long, or in a folder that is closed."""
    try:
        return path.is_file()
    except OSError:
        return False


def is_dir(path: Path) -> bool:
    """Whether there is a folder, as `is_file` says whether there is a file."""
    try:
        return path.is_dir()
    except OSError:
        return False


def replace_file(path: str | Path, write: Callable[[Path], object]) -> None:
    """Let `write` make a file in the folder of `path`, then give its content to `path`.

    See `replacing`.
    """
    with replacing(path) as part:
        write(part)


@contextlib.contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A path to write to; when the context ends, its content takes the place of `path`.

    Whoever reads `path` meanwhile, or after a crash, finds the old content or none, never half
    of the new one.  Missing parent folders are made, and stay only if the file does.  The name
    to write to ends in the suffix of `path`, which many writers go by.  `STDOUT`, a pipe and a
    device get the content when it is complete.

    Raises InputError when `path` cannot be written.
    """
    path = Path(path)
    try:
        _refuse_folder(path)
        with _streaming(path) if _is_stream(path) else _renaming(path) as part:
            yield part
    except BrokenPipeError:  # whoever read has seen enough
        raise
    except OSError as error:
        raise _refusal(path, error) from error


def write_text(path: str | Path, text: str) -> None:
    """Write `text` as UTF-8 to `path`, all of it or nothing (see `replacing`)."""
    replace_file(path, lambda part: part.write_text(text, encoding="utf-8", newline="\n"))


def write_bytes(path: str | Path, data: bytes) -> None:
    """Write a whole binary file, or nothing (see `replacing`)."""
    replace_file(path, lambda part: part.write_bytes(data))


def check_output(path: str | Path, inputs: Iterable[str | Path] = ()) -> None:
    """Raise InputError where `path` cannot be written, or is a file that a command reads.

    A link to such a file, and a second name of it, are that file.  Called before a long work, so
    that it is not done in vain.
    """
    path = Path(path)
    try:
        _refuse_folder(path)
        if path == STDOUT:
            return
        if not path.exists():
            _check_parent(Path(os.path.realpath(path)))
            return
        if not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, "it is protected against writing")
        target = path.stat()
    except OSError as error:
        raise _refusal(path, error) from error
    for each in inputs:
        with contextlib.suppress(OSError, ValueError):
            if os.path.samestat(target, Path(each).stat()):
                raise InputError(path, expected="a file to write", found=f"{each}, which is read")


def is_ours(folder: Path) -> bool:
    """Whether fer-mobile made this folder: it holds our `MARKER`.  Raises OSError."""
    marker = folder / MARKER
    if not marker.is_file():
        return False
    with marker.open("rb") as file:
        return file.read(len(_MARK)) == _MARK.encode()


def claim_folder(folder: Path, purpose: str) -> bool:
    """Make a folder, or take an empty one, with our marker in it, or find that it is ours already.

    False where it held something before that is someone else's, in which case nothing is changed.
    `purpose` is a sentence for whoever opens the marker.  Raises OSError.
    """
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        return is_ours(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / MARKER, f"{_MARK} {purpose}\n")
    return True


def numbered(path: Path, number: int) -> Path:
    """`path` with a number before its suffix, shortened where the name would be too long."""
    suffix = _short_suffix(path)
    tail = f"-{number}{suffix}"
    stem = path.name.removesuffix(suffix)
    while len(os.fsencode(stem + tail)) > _LONGEST_NAME:
        stem = stem[:-1]
    return path.with_name(stem + tail)


def part_path(path: Path) -> Path:
    """A free, short name in the folder of `path` for what is not complete yet."""
    part = f"{_host()}-{os.getpid()}-{next(_numbers)}.part"
    return path.with_name(f".fer-mobile-{part}{_short_suffix(path)}")


def remove_abandoned(folder: Path) -> None:
    """Delete the unfinished files of killed runs in `folder`; a process looks once."""
    key = (folder.absolute(), os.getpid())
    if key in _cleaned:
        return
    _cleaned.add(key)
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            match = _PART.fullmatch(entry.name)
            if match and _is_abandoned(entry, match):
                with contextlib.suppress(OSError):
                    Path(entry.path).unlink()


def display_name(path: object) -> str:
    """A path as text that a terminal can show: control characters and bytes as escapes."""
    text = str(path).encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _short_suffix(path: Path) -> str:
    """The suffix, unless it is so long that it is none."""
    return path.suffix if len(os.fsencode(path.suffix)) <= _LONGEST_SUFFIX else ""


def _check_parent(path: Path) -> None:
    """Raise OSError where no file can be made at `path`."""
    parent = next(folder for folder in path.parents if folder.exists())
    if not parent.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    if not os.access(parent, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def _refusal(path: Path, error: OSError) -> InputError:
    return InputError(
        path,
        expected="a place that can be written to",
        found=error.strerror or str(error),
        hint="Check the folder, its rights and the space left.",
    )


def _refuse_folder(path: Path) -> None:
    if path != STDOUT and path.is_dir():
        raise InputError(path, expected="a file to write", found="a folder")


def _is_stream(path: Path) -> bool:
    """Whether `path` is written to as it is: standard output, a descriptor, a pipe, a device."""
    if path == STDOUT or _descriptor(path) is not None:
        return True
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode)


def _descriptor(path: Path) -> int | None:
    """The open file of this process that `path` names: /dev/stdout, /dev/fd/3."""
    names = [path, path.readlink()] if path.is_symlink() else [path]
    for name in names:
        if name.name.isdigit() and str(name.parent.resolve()) == f"/proc/{os.getpid()}/fd":
            return int(name.name)
    return None


@contextlib.contextmanager
def _streaming(path: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        part = Path(folder, f"part{path.suffix}")
        yield part
        with part.open("rb") as source:
            sys.stdout.flush()
            if path == STDOUT:
                shutil.copyfileobj(source, sys.stdout.buffer)
                sys.stdout.flush()
            else:
                with os.fdopen(_open_stream(path), "wb", buffering=0) as target:
                    shutil.copyfileobj(source, target)


def _open_stream(path: Path) -> int:
    """A descriptor of a device or a pipe.  For a reader of the pipe it waits, but not for ever."""
    descriptor = _descriptor(path)
    if descriptor is not None:
        return os.dup(descriptor)  # which goes on where the others' output ends
    if not path.is_fifo():
        return os.open(path, os.O_WRONLY)
    end = time.monotonic() + _READER_S
    while True:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO or time.monotonic() > end:
                raise
            time.sleep(_READER_POLL_S)
        else:
            os.set_blocking(descriptor, True)
            return descriptor


@contextlib.contextmanager
def _renaming(path: Path) -> Iterator[Path]:
    target = Path(os.path.realpath(path))
    made = [folder for folder in target.parents if not folder.exists()]
    part = part_path(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        remove_abandoned(target.parent)
        try:
            yield part
            _put(part, target)
        finally:
            part.unlink(missing_ok=True)
    except BaseException:
        with contextlib.suppress(OSError):
            for folder in made:
                folder.rmdir()
        raise


def _put(part: Path, target: Path) -> None:
    """Give the content of `part` to `target`."""
    try:
        old = target.stat()
    except FileNotFoundError:
        part.replace(target)
        return
    if not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, "it is protected against writing")
    if old.st_nlink == 1 and _like(part, target, old):
        part.replace(target)
        return
    # Its other names, or its owner, would be lost: the file itself gets the content.
    with part.open("rb") as source, target.open("r+b") as file:
        shutil.copyfileobj(source, file)
        file.truncate()


def _like(part: Path, target: Path, old: os.stat_result) -> bool:
    """Give `part` the rights and the owner of `target`; False where that is not allowed."""
    new = part.stat()
    try:
        if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
            os.chown(part, old.st_uid, old.st_gid)
        shutil.copystat(target, part)
        os.utime(part)
    except (OSError, AttributeError):  # no chown on Windows
        return False
    return True


def _host() -> str:
    """Names this machine, or this container: process numbers mean something in it only."""
    with contextlib.suppress(OSError):
        return _digest(f"{platform.node()} {Path('/proc/self/ns/pid').readlink()}")
    return _digest(platform.node())


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _is_abandoned(entry: os.DirEntry[str], name: re.Match[str]) -> bool:
    if name["host"] != _host() or os.name == "nt":
        return entry.stat(follow_symlinks=False).st_mtime < time.time() - _ABANDONED_S
    try:
        os.kill(int(name["process"]), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False
