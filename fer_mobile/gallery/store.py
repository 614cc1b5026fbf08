"""Results that outlive a run: one SQLite file, keyed by content and by the pipeline's identity.

Two tables: `photo` says which content lay under a path when it was last seen (its size and
times tell whether it still does), `result` holds the row that one pipeline gave
for one content.  A renamed or copied photo is therefore known, and a changed model is not
taken for the old one.  Every row is committed on its own: a killed run loses only the photos
that were in flight.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sqlite3
import time
from contextlib import AbstractContextManager, closing, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from threading import RLock
from types import TracebackType
from typing import Final, NamedTuple, NoReturn, Self

from fer_mobile.errors import InputError
from fer_mobile.files import cache_dir, open_regular
from fer_mobile.types import STAGES, PhotoResult

logger = logging.getLogger(__name__)

SCHEMA_VERSION: Final = 1

_SCHEMA: Final = f"""
BEGIN IMMEDIATE;
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
PRAGMA user_version = {SCHEMA_VERSION};
COMMIT;
"""


_COLUMNS: Final = {
    "photo": {"path", "size", "mtime_ns", "content"},
    "result": {"content", "pipeline", "row"},
}

_LARGEST_INTEGER: Final = 2**63 - 1
"""Of SQLite; a file system may hold the year 2300."""
_LONGEST_ROW: Final = 10_000_000
"""Characters of a row: some ten thousand faces."""
_LONGEST_SIDE: Final = 10_000_000
_LONGEST_MS: Final = 1e9


def default_path() -> Path:
    """The user's own store: it never lies among the photos, which are not ours to write to."""
    return cache_dir() / "results.sqlite"


class Fingerprint(NamedTuple):
    """What a photo's file was when it was read."""

    size: int
    changed_ns: int
    """The times of its last modification and its last change, added."""
    content: str
    """SHA-256 of the file's bytes, in hexadecimal."""


def fingerprint(path: str | Path) -> Fingerprint:
    """Read a file's fingerprint.  Raises OSError when it is no regular file or cannot be read.

    Size and time are read first: of a file that changes meanwhile they are the old ones, so
    that its new content is looked at again.
    """
    with open_regular(path) as file:
        stat = os.fstat(file.fileno())
        content = hashlib.file_digest(file, "sha256").hexdigest()
    return Fingerprint(stat.st_size, _changed(stat), content)


class ResultStore:
    """The results of one pipeline, in the file that all pipelines share.

    `pipeline` is the identity of the pipeline: any text that changes whenever a row may.
    Several processes may use the file at once, and several threads a store.  A file that is
    damaged is kept beside the new one that takes its place.  Whatever happens to the file later
    is one warning: the store then knows nothing and keeps nothing, and the run goes on.

    Raises InputError when the file cannot be used: no rights, a newer version, or another
    program's; it is left as it is.
    """

    def __init__(self, path: str | Path, pipeline: str, *, timeout_s: float = 10) -> None:
        self.path = Path(path)
        self.pipeline = pipeline
        self._timeout_s = timeout_s
        self._lock = RLock()
        self._db: sqlite3.Connection | None = None
        try:
            self._open()
        except (OSError, sqlite3.Error) as error:
            if not self._is_damage(error):
                raise self._refusal(str(error)) from error
            self._recover(error)

    def _open(self) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        db = sqlite3.connect(
            self.path, timeout=self._timeout_s, isolation_level=None, check_same_thread=False
        )
        try:
            # A damaged row is no text; it is found to be no row, and computed anew.
            db.text_factory = lambda data: data.decode("utf-8", "replace")
            is_new = self._check(db)
            # WAL lets others read while one writes; NORMAL survives a killed process, and after
            # a power cut it may lack the last rows but is never damaged.
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            if is_new:
                db.executescript(_SCHEMA)
        except BaseException:
            db.close()
            raise
        self._db = db

    def _check(self, db: sqlite3.Connection) -> bool:
        """Whether the file is new.  Refuse another program's before anything is written to it."""
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version > SCHEMA_VERSION:
            raise self._refusal(f"version {version}")
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
        for table, columns in _COLUMNS.items():
            there = {row[1] for row in db.execute(f"PRAGMA table_info({table})")}
            if tables and not columns <= there:
                raise self._refusal("a database of another program")
        return not tables

    def _refusal(self, found: str) -> InputError:
        return InputError(
            self.path,
            expected=f"a results file of version {SCHEMA_VERSION} or older, or none",
            found=found,
            hint="Move it away, or name another folder in FER_MOBILE_CACHE.",
        )

    def _is_damage(self, error: Exception) -> bool:
        """Whether the file was a store and is damaged, so that it may be replaced."""
        code = getattr(error, "sqlite_errorcode", None)
        if code is None:
            return False
        # Of a file without an SQLite header nothing says that it was ours, but for its place.
        ours = code == sqlite3.SQLITE_NOTADB and self.path == default_path()
        return ours or code & 0xFF == sqlite3.SQLITE_CORRUPT

    def _recover(self, error: Exception) -> None:
        """Keep a damaged file under another name and begin a new one; or do without."""
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.execute("PRAGMA busy_timeout = 0")  # closing would wait once more
        self.close()
        try:
            if not self._is_damage(error):
                raise error
            aside = self.path.with_name(f"{self.path.name}.damaged-{time.time_ns()}")
            self.path.rename(aside)
            for suffix in ("-wal", "-shm"):
                with suppress(FileNotFoundError):
                    Path(f"{self.path}{suffix}").rename(f"{aside}{suffix}")
            self._open()
        except (OSError, sqlite3.Error, InputError) as fault:
            self.close()
            logger.warning("%s: %s. This run goes on without kept results.", self.path, fault)
        else:
            logger.warning("%s: %s. It is kept as %s.", self.path, error, aside.name)

    def get(self, path: str | Path) -> PhotoResult | None:
        """The row of the photo at `path` if this pipeline has seen its content, else None.

        The photo is read only when it is new under this path and another of its size is known.
        """
        with self._lock:
            return self._get(path)

    def _get(self, path: str | Path) -> PhotoResult | None:
        if self._db is None:
            return None
        try:
            photo = self._fingerprint(self._db, path)
            if photo is None:
                return None
            row = self._db.execute(
                "SELECT row FROM result WHERE content = ? AND pipeline = ?",
                (photo.content, self.pipeline),
            ).fetchone()
            if row is None:
                return None
            self._remember(self._db, path, photo)
        except sqlite3.Error as error:
            self._recover(error)
            return None
        except (OSError, ValueError):
            return None  # The photo is gone, or has no name that a file can have.
        return read_row(row[0], path)

    def put(self, photo: Fingerprint, result: PhotoResult) -> None:
        """Keep one row, at once and for good; that of a photo that failed is not kept."""
        if result.error is not None:
            return  # The reason of a failure may be gone the next time: a right, a package.
        with self._lock:
            self._put(photo, result)

    def _put(self, photo: Fingerprint, result: PhotoResult) -> None:
        if self._db is None:
            return
        row = json.dumps(result.as_dict() | {"path": ""}, separators=(",", ":"))
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute(
                "INSERT OR REPLACE INTO result VALUES (?, ?, ?)",
                (photo.content, self.pipeline, row),
            )
            self._remember(self._db, result.path, photo)
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            self._recover(error)

    @staticmethod
    def _fingerprint(db: sqlite3.Connection, path: str | Path) -> Fingerprint | None:
        """The fingerprint of a photo that may be known; None where that is out of question."""
        stat = Path(path).stat()
        key = (stat.st_size, _changed(stat))
        known = db.execute(
            "SELECT content FROM photo WHERE path = ? AND size = ? AND mtime_ns = ?",
            (_key(path), *key),
        ).fetchone()
        if known:
            return Fingerprint(*key, str(known[0]))
        same_size = db.execute("SELECT 1 FROM photo WHERE size = ? LIMIT 1", key[:1])
        return fingerprint(path) if same_size.fetchone() else None

    @staticmethod
    def _remember(db: sqlite3.Connection, path: str | Path, photo: Fingerprint) -> None:
        db.execute(
            "INSERT INTO photo VALUES (?, ?, ?, ?) ON CONFLICT (path) DO UPDATE SET"
            " size = excluded.size, mtime_ns = excluded.mtime_ns, content = excluded.content"
            " WHERE (size, mtime_ns, content)"
            " IS NOT (excluded.size, excluded.mtime_ns, excluded.content)",
            (_key(path), *photo),
        )

    def __len__(self) -> int:
        """Rows that this pipeline has kept."""
        query = "SELECT count(*) FROM result WHERE pipeline = ?"
        with self._lock:
            if self._db is None:
                return 0
            with closing(self._db.execute(query, (self.pipeline,))) as rows:
                return int(rows.fetchone()[0])

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            if self._db is not None:
                self._db.close()
            self._db = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_store(
    path: str | Path | None, pipeline: str
) -> AbstractContextManager[ResultStore | None]:
    """The store at `path`, or the user's own for None.

    If the user's own cannot be used, that is a warning, and there is none.  Raises InputError for
    one that is named.
    """
    if path is not None:
        return ResultStore(path, pipeline)
    try:
        store = ResultStore(default_path(), pipeline)
        logger.info("results are kept in %s", store.path)
        return store
    except InputError as error:
        logger.warning("Nothing is kept of this run: %s", error)
        return nullcontext()


def read_row(text: str, path: str | Path) -> PhotoResult | None:
    """The row that `put` wrote, for the photo at `path`; None if it is none, or not a sane one."""
    if not isinstance(text, str) or len(text) > _LONGEST_ROW:
        return None
    try:
        row = json.loads(text, parse_constant=_refuse_constant)
        result = replace(PhotoResult.from_dict(row), path=str(path))
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return None
    return result if _is_sane(result) else None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity, which no row holds


def _is_sane(result: PhotoResult) -> bool:
    """Whether all figures are in the range that a pipeline gives."""
    shares = [
        share
        for face in result.faces
        for share in (face.confidence, face.quality, *face.probabilities.values())
        if share is not None
    ]
    if result.confidence is not None:
        shares.append(result.confidence)
    return (
        result.error is None
        and (result.label is None or bool(result.faces))
        and result.size is not None
        and all(0 < side < _LONGEST_SIDE for side in result.size)
        and all(0 <= share <= 1 for share in shares)
        and all(face.probabilities for face in result.faces)
        and all(face.label in (None, *face.probabilities) for face in result.faces)
        and all(abs(value) < _LONGEST_SIDE for face in result.faces for value in face.box)
        and all(face.box.width > 0 and face.box.height > 0 for face in result.faces)
        and all(stage in STAGES and 0 <= ms < _LONGEST_MS for stage, ms in result.stages.items())
    )


def _changed(stat: os.stat_result) -> int:
    """When a file was last changed, in one number as a store of version 1 keeps it.

    The time of the last modification can be set, as tools that edit photos do; that of the last
    change cannot.  Either makes the sum another one.
    """
    return (stat.st_mtime_ns + stat.st_ctime_ns) & _LARGEST_INTEGER


def _key(path: str | Path) -> bytes:
    # As bytes: a file name need not be valid UTF-8, which SQLite's text must be.
    return os.fsencode(Path(path).absolute())
