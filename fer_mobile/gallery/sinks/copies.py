"""Photos that match, in a folder of their own: as copies or as links, never over another file."""

from __future__ import annotations

import errno
import filecmp
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fer_mobile.errors import InputError, check_choice
from fer_mobile.files import claim_folder, display_name, numbered, part_path, remove_abandoned
from fer_mobile.gallery.choices import LINK_KINDS, LinkKind
from fer_mobile.gallery.sinks import FATAL, RunInfo, Sink, TakeRow
from fer_mobile.types import PhotoResult

Putter = Callable[[Path, Path], bool]
"""Puts a photo at a path; False: another file has that name, and is left alone."""


class CopySink(Sink):
    """Copies of the photos that match, in their subfolders.

    Nothing is ever overwritten: where another file has the name, the photo gets a number; where
    it lies already, it is left.  A folder that is made inside the library, or is empty, gets our
    marker, so that later scans of the library skip it.
    """

    what = "copies"

    _put: Putter

    def __init__(self, path: str | Path) -> None:
        super().__init__(path)
        self._put = copy

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folder that is filled."""
        return (self.path,)

    def check(self, folder: Path, inputs: Iterable[Path]) -> None:
        """Raise InputError where the folder is the library itself, or no folder."""
        if self.path.resolve() == folder.resolve():
            raise InputError(
                self.path,
                expected="another folder to put photos into",
                found="the photos' own folder",
            )
        if self.path.exists() and not self.path.is_dir():
            raise self._refusal("a file")

    @contextmanager
    def open(self, run: RunInfo) -> Iterator[TakeRow]:
        """See `Sink.open`."""
        try:
            inside = run.folder and self.path.resolve().is_relative_to(run.folder.resolve())
            if inside and not claim_folder(
                self.path, f"It holds {self.what} of photos; scans skip it."
            ):
                self.notes.append(
                    f"{self.path} held files before: a run without it as output searches it, too."
                )
            self.path.mkdir(parents=True, exist_ok=True)
            if not os.access(self.path, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        except OSError as error:
            raise self._refusal(error.strerror or str(error)) from error

        def take(result: PhotoResult, matches: bool) -> None:
            source = Path(result.path)
            if not matches:
                return
            root = run.folder or source.parent
            try:
                if not source.is_file():
                    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
                self.written.append(self._place(source, self.path / source.relative_to(root)))
            except OSError as error:
                if error.errno in FATAL:
                    raise self._refusal(error.strerror or str(error)) from error
                reason = error.strerror or str(error)
                self.unwritten.append(f"{display_name(source)} is not in {self.path}: {reason}")

        yield take

    def _place(self, source: Path, target: Path) -> Path:
        """Where the photo lies in the end: at `target`, or at that name with a number."""
        target.parent.mkdir(parents=True, exist_ok=True)
        remove_abandoned(target.parent)
        number, name = 0, target
        while not self._put(source, name):
            number += 1
            name = numbered(target, number)
        return name

    def _refusal(self, found: str) -> InputError:
        hint = f"Photos put there before: {len(self.written)}." if self.written else ""
        return InputError(
            self.path, expected="a folder that photos can be put into", found=found, hint=hint
        )


class LinkSink(CopySink):
    """Links to the photos that match, in their subfolders: symbolic or hard."""

    what = "links"

    def __init__(self, path: str | Path, kind: LinkKind = "symbolic") -> None:
        super().__init__(path)
        is_hard = check_choice("link", kind, LINK_KINDS) == "hard"
        self._put = hard_link if is_hard else symbolic_link


def copy(source: Path, target: Path) -> bool:
    """A copy with the photo's times; False if another file has the name `target`.

    The copy gets its name when it is complete, so that a killed run leaves no half photo.  Two
    runs at once cannot both take a name.
    """
    if os.path.lexists(target):
        return target.is_file() and filecmp.cmp(source, target, shallow=False)
    part = part_path(target)
    try:
        shutil.copy2(source, part)
        try:
            target.hardlink_to(part)  # which never takes the place of another file
        except FileExistsError:
            return False
        except OSError:  # no hard links here
            return _rename_to_free_name(part, target)
    finally:
        part.unlink(missing_ok=True)
    return True


def _rename_to_free_name(part: Path, target: Path) -> bool:
    try:
        target.open("xb").close()
    except FileExistsError:
        return False
    try:
        part.replace(target)
    except BaseException:
        target.unlink()
        raise
    return True


def symbolic_link(source: Path, target: Path) -> bool:
    """A symbolic link to the photo's absolute path; False if another file has the name."""
    try:
        target.symlink_to(source.resolve())
    except FileExistsError:
        return target.is_symlink() and target.resolve() == source.resolve()
    return True


def hard_link(source: Path, target: Path) -> bool:
    """A second name of the same file, on the same file system; False if another file has it."""
    try:
        target.hardlink_to(source.resolve())
    except FileExistsError:
        return target.exists() and target.samefile(source)
    return True
