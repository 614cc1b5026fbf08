"""The gallery report: an HTML page for any number of photos, which works offline from a file.

A small one is one file that holds its pictures itself; beyond `SINGLE_FILE_LIMIT` photos the
thumbnails lie in a folder next to it, and the detail view shows the photos where they are.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from importlib import resources
from itertools import cycle
from pathlib import Path
from typing import Any, BinaryIO, Final

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from fer_mobile.bench.stats import Reference, stage_stats, verdict
from fer_mobile.errors import InputError
from fer_mobile.files import STDOUT, replacing
from fer_mobile.gallery.dates import date_taken
from fer_mobile.gallery.filter import count, filed_under
from fer_mobile.gallery.sinks import FileSink, RunInfo, TakeRow
from fer_mobile.gallery.sinks.thumbnails import Pictures, ThumbnailFolder, embedded
from fer_mobile.labels import COLOURS, EMOJI, FAILED, MULTIPLE, NO_FACE, UNSURE, letter
from fer_mobile.types import STAGES, Face, PhotoResult
from fer_mobile.wording import counted

SINGLE_FILE_LIMIT: Final = 100
"""Photos that a page holds itself: some 20 MB of them."""
_AHEAD: Final = 16
"""Photos whose pictures are made ahead: enough for two threads, few in memory."""

_EMOJI: Final = {**EMOJI, UNSURE: "❓", NO_FACE: "🏞️", FAILED: "⚠️"}
"""The keys that report.css has colours for."""
_PHOTOS: Final = "@photos@"
"""Where the page's template has the photos."""


class HtmlSink(FileSink):
    """The report of all rows, opened with the run's filter on.

    The photos are read again for their thumbnails.  The page loads nothing but what lies next to
    it.  `budget_s` is how many seconds a photo may take, `reference` are stage times to show
    next to those of the run; without a title the library's name stands there.
    """

    what = "report"

    def __init__(
        self,
        path: str | Path,
        *,
        title: str = "",
        budget_s: float = 0.5,
        reference: Reference | None = None,
    ) -> None:
        super().__init__(path)
        self._title = title
        self._budget_s = budget_s
        self._reference = reference

    @contextmanager
    def open(self, run: RunInfo) -> Iterator[TakeRow]:
        """See `Sink.open`."""
        folder = None
        if len(run.results) > SINGLE_FILE_LIMIT:
            if self.path == STDOUT:
                raise InputError(
                    "html",
                    expected=f"a file, for more than {SINGLE_FILE_LIMIT} photos",
                    found="standard output",
                )
            folder = ThumbnailFolder(self.path)
        pictures = folder.pictures if folder else embedded
        head, tail = self._page(run, "data:" if folder is None else "data: file: 'self'")
        # Decoding and encoding leave the interpreter's lock: two threads keep two cores busy.
        with (
            replacing(self.path) as part,
            part.open("wb") as file,
            ThreadPoolExecutor(2) as threads,
        ):
            file.write(head)
            writer = _PhotoWriter(file, threads, pictures, run)
            yield writer.take
            writer.finish()
            file.write(tail)
        if folder is not None:
            folder.close()

    def _page(self, run: RunInfo, pictures: str) -> tuple[bytes, bytes]:
        """The page before and after its photos."""
        counts = count(run.results, labels=run.labels, every_face=run.query.every_face)
        stats = stage_stats(result.stages for result in run.results if result.error is None)
        css, js = _part("report.css"), _part("filing.js") + _part("report.js")
        keys = list(dict.fromkeys((*run.labels, *counts)))
        icons = _icons(keys, run.emoji)
        head = {
            "labels": _labels(run.results) or run.labels,
            **icons,
            "show": run.query.show,
            "least": run.query.min_confidence,
            "match": run.query.match,
            "faces": run.faces,
            "folder": _unicode(str(run.folder)) if run.folder else "",
        }
        environment = Environment(
            loader=PackageLoader("fer_mobile.gallery.sinks", "page"), autoescape=True
        )
        environment.filters["ms"] = _ms
        page = environment.get_template("report.html").render(
            title=self._title or (run.folder.resolve().name if run.folder else "") or "photos",
            model=run.model,
            note=run.timing,
            summary=_summary(run),
            n=len(run.results),
            pills=[
                {
                    "key": key,
                    "n": n,
                    "emoji": icons["emoji"].get(key),
                    "letter": letter(key),
                    "hidden": not n and key == UNSURE,  # until faces are filed otherwise
                }
                for key, n in counts.items()
                if n or key != FAILED
                if n or key != UNSURE or _has_unsure_face(run.results)
            ],
            stages=stats,
            total=stats.get("total"),
            verdict=verdict(stats, self._budget_s) if stats else None,
            budget_ms=self._budget_s * 1000,
            reference=self._reference,
            css=Markup(css),
            css_hash=_csp_hash(css),
            js=Markup(js),
            js_hash=_csp_hash(js),
            pictures=pictures,
            head=_json_in_script(head),
            photos=Markup(_PHOTOS),
        )
        # A folder's name need not be valid Unicode; the page must be.
        head_text, _, tail_text = page.rpartition(_PHOTOS)
        return head_text.encode("utf-8", "replace"), tail_text.encode("utf-8", "replace")


_Made = tuple[Pictures, datetime | None]
"""What is read of a photo: its pictures and its date."""


class _PhotoWriter:
    """Writes each photo as JSON, with pictures that threads make ahead."""

    def __init__(
        self,
        file: BinaryIO,
        threads: ThreadPoolExecutor,
        pictures: Callable[[Path], Pictures],
        run: RunInfo,
    ) -> None:
        self._file = file
        self._threads = threads
        self._pictures = pictures
        self._run = run
        self._waiting: deque[tuple[PhotoResult, Future[_Made]]] = deque()
        self._separator = ""

    def take(self, result: PhotoResult, matches: bool) -> None:
        """Begin to make the pictures of a photo, and write one whose pictures are made."""
        made: Future[_Made] = self._threads.submit(self._make, result)
        self._waiting.append((result, made))
        if len(self._waiting) > _AHEAD:
            self._write()

    def finish(self) -> None:
        """Write the photos that are not written yet."""
        while self._waiting:
            self._write()

    def _make(self, result: PhotoResult) -> _Made:
        if result.error is not None:
            return Pictures(), None
        return self._pictures(Path(result.path)), date_taken(result.path)

    def _write(self) -> None:
        result, made = self._waiting.popleft()
        entry = _photo(result, *made.result(), self._run.folder)
        self._file.write(f"{self._separator}\n{_json_in_script(entry)}".encode())
        self._separator = ","


def _icons(keys: Sequence[str], emoji: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """How the page shows each key: an emoji or a letter, and a colour if report.css has none."""
    known = {**emoji, **_EMOJI}
    own = [key for key in keys if key not in _EMOJI]
    return {
        "emoji": {key: known[key] for key in keys if key in known},
        "letters": {key: letter(key) for key in keys if key not in known},
        "colours": dict(zip(own, cycle(COLOURS), strict=False)),
    }


def _part(name: str) -> str:
    return (resources.files("fer_mobile.gallery.sinks") / "page" / name).read_text(encoding="utf-8")


def _csp_hash(text: str) -> str:
    """What the page's security policy names its only style and its only script by."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def _json_in_script(data: Any) -> Markup:
    # "<" as an escape: no file name can end the script element or open a comment in it.
    return Markup(json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"))


def _ms(value: float) -> str:
    return f"{value:,.{0 if value >= 100 else 1 if value >= 1 else 2}f}"


def _summary(run: RunInfo) -> str:
    """How many photos have an expression, and what the others are filed under: once each."""
    without = (MULTIPLE, UNSURE, NO_FACE, FAILED)
    counts = Counter(
        filed[0] if set(filed) <= set(without) else None
        for result in run.results
        for filed in [filed_under(result, every_face=run.query.every_face)]
    )
    parts = [counted(len(run.results), "photo"), f"{counts[None]:,} with an expression"]
    parts += [f"{counts[key]:,} {key}" for key in without if counts[key]]
    return " · ".join(parts)


def _has_unsure_face(results: Sequence[PhotoResult]) -> bool:
    return any(face.label is None for result in results for face in result.faces)


def _labels(results: Sequence[PhotoResult]) -> list[str]:
    """The model's labels in its order, as the first face tells them."""
    for result in results:
        for face in result.faces:
            return list(face.probabilities)
    return []


def _photo(
    result: PhotoResult, shown: Pictures, taken: datetime | None, root: str | Path | None
) -> dict[str, Any]:
    row = result.as_dict()
    name = Path(result.path).relative_to(root) if root is not None else Path(result.path)
    return {
        "name": _unicode(name.as_posix()),
        "error": row["error"],
        "size": row["size"],
        "turn": row["turn"],
        "date": None if taken is None else taken.isoformat(),
        "faces": [_face(face, result.size) for face in result.faces],
        "stages": {name: row["stages"][name] for name in STAGES if name in row["stages"]},
        "thumb": shown.thumb,
        "photo": shown.photo,
    }


def _unicode(name: str) -> str:
    """A name as valid Unicode, whatever its bytes: the page's address holds the open photo's."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _face(face: Face, size: tuple[int, int] | None) -> dict[str, Any]:
    """A face with its box in percent of the photo."""
    width, height = size or (1, 1)
    row = face.as_dict()
    return {
        "box": [
            round(100 * value / side, 3)
            for value, side in zip(face.box, (width, height, width, height), strict=True)
        ],
        "label": row["label"],
        "confidence": row["confidence"],
        "flaw": row["flaw"],
        "probabilities": [round(value, 4) for value in face.probabilities.values()],
    }
