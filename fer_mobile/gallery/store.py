"""Results that outlive a run: one SQLite file, keyed by content and by the pipeline's identity.

Two tables: `photo` says which content lay under a path when it was last seen (its size and
modification time tell whether it still does), `result` holds the row that one pipeline gave
for one content.  A renamed or copied photo is therefore known, and a changed model is not
taken for the old one.  Every row is committed on its own: a killed run loses only the photos
that were in flight.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from errno import EINVAL
from pathlib import Path
from stat import S_ISREG
from types import TracebackType
from typing import Final, NamedTuple, Self

from fer_mobile.errors import InputError
from fer_mobile.files import cache_dir
from fer_mobile.types import PhotoResult

SCHEMA_VERSION: Final = 1

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS photo (
    path     BLOB PRIMARY KEY,
    size     INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    content  TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS photo_size ON photo (size);
CREATE TABLE IF NOT EXISTS result (
    content  TEXT NOT NULL,
    pipeline TEXT NOT NULL,
    row      TEXT NOT NULL,
    PRIMARY KEY (content, pipeline)
) WITHOUT ROWID;
"""


def default_path() -> Path:
    """The user's own store: it never lies among the photos, which are not ours to write to."""
    return cache_dir() / "results.sqlite"


class Fingerprint(NamedTuple):
    """What a photo's file was when it was read."""

    size: int
    mtime_ns: int
    content: str
    """SHA-256 of the file's bytes, in hexadecimal."""


def fingerprint(path: str | Path) -> Fingerprint:
    """Read a file's fingerprint.  Raises OSError when it is no regular file or cannot be read.

    Size and time are read first: of a file that changes meanwhile they are the old ones, so
    that its new content is looked at again.
    """
    stat = Path(path).stat()
    if not S_ISREG(stat.st_mode):  # opening a pipe would wait forever
        raise OSError(EINVAL, "no regular file", str(path))
    with Path(path).open("rb") as file:
        content = hashlib.file_digest(file, "sha256").hexdigest()
    return Fingerprint(stat.st_size, stat.st_mtime_ns, content)


class ResultStore:
    """The results of one pipeline, in the file that all pipelines share.

    `pipeline` is the identity of the pipeline: any text that changes whenever a row may.
    Several processes may use the file at once.  A file that is no such store (damaged, or of
    a newer version) raises InputError; nothing is deleted.
    """

    def __init__(self, path: str | Path, pipeline: str) -> None:
        self.path = Path(path)
        self.pipeline = pipeline
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._db = sqlite3.connect(self.path, timeout=30, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise self._refusal(str(error)) from error
        try:
            self._prepare()
        except sqlite3.Error as error:
            self._db.close()
            raise self._refusal(str(error)) from error
        except InputError:
            self._db.close()
            raise

    def _prepare(self) -> None:
        # WAL lets others read while one writes; NORMAL survives a killed process, and after a
        # power cut it may lack the last rows but is never damaged.
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version > SCHEMA_VERSION:
            raise self._refusal(f"version {version}")
        self._db.executescript(_SCHEMA)
        if version < SCHEMA_VERSION:
            self._db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _refusal(self, found: str) -> InputError:
        return InputError(
            self.path,
            expected=f"a results file of version {SCHEMA_VERSION} or older, or none",
            found=found,
            hint="Move it away, or name another folder in FER_MOBILE_CACHE.",
        )

    def get(self, path: str | Path) -> PhotoResult | None:
        """The row of the photo at `path` if this pipeline has seen its content, else None.

        The photo is read only when it is new under this path and another of its size is known.
        """
        try:
            photo = self._fingerprint(path)
        except OSError:
            return None
        if photo is None:
            return None
        found = self._db.execute(
            "SELECT row FROM result WHERE content = ? AND pipeline = ?",
            (photo.content, self.pipeline),
        ).fetchone()
        if found is None:
            return None
        self._remember(path, photo)
        try:
            return replace(PhotoResult.from_dict(json.loads(found[0])), path=str(path))
        except (ValueError, TypeError, KeyError, AttributeError):
            return None  # A row that someone has tampered with is computed anew.

    def put(self, photo: Fingerprint, result: PhotoResult) -> None:
        """Keep one row, at once and for good; that of a photo that failed is not kept."""
        if result.error is not None:
            return  # Its reason may be gone the next time: a right, a missing package.
        row = json.dumps(result.as_dict() | {"path": ""}, separators=(",", ":"))
        self._db.execute("BEGIN IMMEDIATE")
        self._db.execute(
            "INSERT OR REPLACE INTO result VALUES (?, ?, ?)", (photo.content, self.pipeline, row)
        )
        self._remember(result.path, photo)
        self._db.execute("COMMIT")

    def _fingerprint(self, path: str | Path) -> Fingerprint | None:
        """The fingerprint of a photo that may be known; None where that is out of question."""
        stat = Path(path).stat()
        key = (stat.st_size, stat.st_mtime_ns)
        known = self._db.execute(
            "SELECT content FROM photo WHERE path = ? AND size = ? AND mtime_ns = ?",
            (_key(path), *key),
        ).fetchone()
        if known:
            return Fingerprint(*key, str(known[0]))
        same_size = self._db.execute("SELECT 1 FROM photo WHERE size = ? LIMIT 1", key[:1])
        return fingerprint(path) if same_size.fetchone() else None

    def _remember(self, path: str | Path, photo: Fingerprint) -> None:
        self._db.execute(
            "INSERT INTO photo VALUES (?, ?, ?, ?) ON CONFLICT (path) DO UPDATE SET"
            " size = excluded.size, mtime_ns = excluded.mtime_ns, content = excluded.content"
            " WHERE (size, mtime_ns, content)"
            " IS NOT (excluded.size, excluded.mtime_ns, excluded.content)",
            (_key(path), *photo),
        )

    def __len__(self) -> int:
        """Rows that this pipeline has kept."""
        query = "SELECT count(*) FROM result WHERE pipeline = ?"
        with closing(self._db.execute(query, (self.pipeline,))) as rows:
            return int(rows.fetchone()[0])

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _key(path: str | Path) -> bytes:
    # As bytes: a file name need not be valid UTF-8, which SQLite's text must be.
    return os.fsencode(Path(path).absolute())
