"""Expressions as keywords in XMP sidecars, which photo managers read; photos stay as they are.

The sidecar of ``photo.jpg`` is ``photo.jpg.xmp``, as digiKam and darktable name theirs, or a
``photo.xmp`` that is there already and belongs to no other photo (Lightroom's).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from fer_mobile.errors import InputError
from fer_mobile.files import display_name, write_bytes
from fer_mobile.gallery.filter import filed_under
from fer_mobile.gallery.sinks import FATAL, RunInfo, Sink, TakeRow
from fer_mobile.gallery.sinks.xmp_packet import EMPTY, FIELDS, is_ours_and_empty, set_keywords
from fer_mobile.labels import FAILED, NO_FACE, UNSURE
from fer_mobile.types import PhotoResult
from fer_mobile.walk import PHOTO_SUFFIXES, RAW_SUFFIXES, find_files

CATEGORY: Final = "expression"
"""What our keywords start with: ``expression:happiness``.  All that start so are ours."""

_LARGEST: Final = 20_000_000
"""Bytes of a sidecar that is read."""


class XmpSink(Sink):
    """The keywords of every photo's sidecar: after the run, those of the photos that match.

    A photo that matches gets the labels that it is filed under, but none for an unsure face.  One
    that does not match loses those of an earlier run; one that could not be read keeps what it
    has.  A sidecar that is there already is changed in our keywords only, and not touched where
    they are right.
    """

    what = "sidecars"

    def check(self, folder: Path, inputs: Iterable[Path]) -> None:
        """A sidecar is never a photo: there is nothing to refuse."""

    @contextmanager
    def open(self, run: RunInfo) -> Iterator[TakeRow]:
        """See `Sink.open`."""

        def take(result: PhotoResult, matches: bool) -> None:
            filed = filed_under(result, every_face=run.query.every_face)
            if filed == (FAILED,):
                return
            labels = [key for key in filed if key not in (UNSURE, NO_FACE)] if matches else []
            path = sidecar_path(Path(result.path))
            if self._update(path, labels) and matches:
                self.written.append(path)

        yield take

    def _update(self, path: Path, labels: Sequence[str]) -> bool:
        """Whether a sidecar with these labels is there in the end."""
        try:
            return update_sidecar(path, labels)
        except (InputError, OSError) as error:
            cause = error.__cause__ if isinstance(error, InputError) else error
            if isinstance(cause, OSError) and cause.errno in FATAL:
                raise InputError(
                    path,
                    expected="a place that can be written to",
                    found=cause.strerror or str(cause),
                ) from error
            self.unwritten.append(f"{display_name(path)} was left as it is: {error}")
            return False


def sidecar_path(photo: Path) -> Path:
    """Where the sidecar of a photo lies, or would."""
    own, shared = Path(f"{photo}.xmp"), photo.with_suffix(".xmp")
    if _exists(own) or not _exists(shared):
        return own
    known = PHOTO_SUFFIXES | RAW_SUFFIXES
    others = (
        other
        for other in photo.parent.iterdir()
        if other.stem == photo.stem and other.suffix.lower() in known and other != photo
    )
    return own if any(others) else shared


def update_sidecar(path: Path, labels: Sequence[str]) -> bool:
    """Have our keywords in the sidecar at `path` name `labels`, and no others.

    Whether there is a sidecar in the end: where there is nothing to say none is made, and one
    that we made and that says nothing more is deleted.  Raises InputError and OSError.
    """
    if not _exists(path):
        if labels:
            write_bytes(path, _with_keywords(EMPTY, labels))
        return bool(labels)
    if not path.is_file() or path.stat().st_size > _LARGEST:
        raise InputError(path, expected="an XMP sidecar", found="no file, or one that is too large")
    old = path.read_bytes()
    new = _with_keywords(old, labels)
    if is_ours_and_empty(new):
        path.unlink()
        return False
    if new != old:
        write_bytes(path, new)
    return True


def remove_keywords(folder: str | Path) -> tuple[list[Path], list[str]]:
    """Take our keywords out of all sidecars below `folder`.

    Returns the sidecars that had any, and why others were left as they were.
    """
    changed, unwritten = [], []
    for path in find_files(folder, ".xmp"):
        try:
            before = path.stat().st_mtime_ns
            if not update_sidecar(path, ()) or path.stat().st_mtime_ns != before:
                changed.append(path)
        except (InputError, OSError) as error:
            unwritten.append(f"{display_name(path)} was left as it is: {error}")
    return changed, unwritten


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that is too long, or a folder that cannot be entered
        return False


def _with_keywords(xmp: bytes, labels: Sequence[str]) -> bytes:
    for field in FIELDS:
        prefix = CATEGORY + field.separator
        xmp = set_keywords(xmp, prefix, [prefix + label for label in labels], field)
    return xmp
