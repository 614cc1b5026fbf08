"""The gallery report: an HTML page for any number of photos, which works offline from a file.

A small one is one file that holds its pictures itself; beyond `SINGLE_FILE_LIMIT` photos the
thumbnails lie in a folder beside it, and the detail view shows the photos where they are.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from fer_mobile.bench.stats import Reference, stage_stats, verdict
from fer_mobile.files import replace_file
from fer_mobile.gallery.filter import ALL, FAILED, NO_FACE, Filter, count, filed_under
from fer_mobile.gallery.thumbnails import Pictures, ThumbnailFolder, embedded
from fer_mobile.labels import EMOJI, MULTIPLE
from fer_mobile.types import STAGES, Face, PhotoResult

SINGLE_FILE_LIMIT: Final = 100
"""Photos that a page holds itself: some 20 MB of them."""
_CHUNK: Final = 64
"""Photos whose pictures are made at a time: enough for two threads, few in memory."""

_EMOJI: Final = {**EMOJI, NO_FACE: "🏞️", FAILED: "⚠️"}


def write_report(
    results: Sequence[PhotoResult],
    path: str | Path,
    *,
    title: str,
    model: str = "",
    note: str = "",
    root: str | Path | None = None,
    query: Filter = ALL,
    budget_s: float = 0.5,
    reference: Reference | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write the report of all `results` to `path`, whole or not at all.

    `model` is the line about the model, `note` one about how the times were taken; file names
    are shown relative to `root`.  The page opens with the filter `query` on.  `reference` are stage
    times to show next to those of the run.  The photos are
    read again for their thumbnails; `progress(done, total)` is called after every one.  The page
    loads nothing but what lies beside it.  Raises InputError when `path` cannot be written.
    """
    path = Path(path)
    counts = count(results, every_face=query.every_face)
    stats = stage_stats(result.stages for result in results if result.error is None)
    css, js = _part("report.css"), _part("report.js")
    head = {
        "labels": _labels(results),
        "emoji": _EMOJI,
        "show": query.show,
        "least": query.min_confidence,
        "match": query.match,
    }
    environment = Environment(loader=PackageLoader("fer_mobile.gallery", "page"), autoescape=True)
    environment.filters["ms"] = _ms
    template = environment.get_template("report.html")
    beside = None
    if len(results) > SINGLE_FILE_LIMIT:
        beside = ThumbnailFolder(path)

    def write(part: Path) -> None:
        page = template.stream(
            title=title,
            model=model,
            note=note,
            summary=_summary(len(results), counts),
            n=len(results),
            pills=[
                {"key": key, "n": n, "emoji": _EMOJI[key]}
                for key, n in counts.items()
                if n or key != FAILED
            ],
            stages=stats,
            total=stats.get("total"),
            verdict=verdict(stats, budget_s) if stats else None,
            budget_ms=budget_s * 1000,
            reference=reference,
            css=Markup(css),
            css_hash=_csp_hash(css),
            js=Markup(js),
            js_hash=_csp_hash(js),
            pictures="data:" if beside is None else "data: file: 'self'",
            head=_json_in_script(head),
            photos=_photos(
                results, root, query.every_face, beside.pictures if beside else embedded, progress
            ),
        )
        # A folder's name need not be valid Unicode; the page must be.
        with part.open("wb") as file:
            page.dump(file, encoding="utf-8", errors="replace")

    replace_file(path, write)
    if beside is not None:
        beside.prune()


def _part(name: str) -> str:
    return (resources.files("fer_mobile.gallery") / "page" / name).read_text(encoding="utf-8")


def _csp_hash(text: str) -> str:
    """What the page's security policy names its only style and its only script by."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def _json_in_script(data: Any) -> Markup:
    # "<" as an escape: no file name can end the script element or open a comment in it.
    return Markup(json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"))


def _ms(value: float) -> str:
    return f"{value:,.{0 if value >= 100 else 1 if value >= 1 else 2}f}"


def _summary(n: int, counts: dict[str, int]) -> str:
    parts = [f"{n:,} photo{'' if n == 1 else 's'}"]
    with_one = n - counts[MULTIPLE] - counts[NO_FACE] - counts[FAILED]
    parts.append(f"{with_one:,} with an expression")
    parts += [f"{counts[key]:,} {key}" for key in (MULTIPLE, NO_FACE, FAILED) if counts[key]]
    return " · ".join(parts)


def _labels(results: Sequence[PhotoResult]) -> list[str]:
    """The model's labels in its order, as the first face tells them."""
    for result in results:
        for face in result.faces:
            return list(face.probabilities)
    return []


def _photos(
    results: Sequence[PhotoResult],
    root: str | Path | None,
    every_face: bool,
    pictures: Callable[[Path], Pictures],
    progress: Callable[[int, int], None] | None,
) -> Iterator[Markup]:
    """Each photo as JSON, made when the page has come to it."""

    def make(result: PhotoResult) -> Pictures:
        return Pictures() if result.error is not None else pictures(Path(result.path))

    # Decoding and encoding leave the interpreter's lock: two threads keep two cores busy.
    with ThreadPoolExecutor(2) as pool:
        for start in range(0, len(results), _CHUNK):
            chunk = list(results[start : start + _CHUNK])
            made = zip(chunk, pool.map(make, chunk), strict=True)
            for done, (result, shown) in enumerate(made, start=start + 1):
                yield _json_in_script(_photo(result, shown, root, every_face))
                if progress is not None:
                    progress(done, len(results))


def _photo(
    result: PhotoResult, shown: Pictures, root: str | Path | None, every_face: bool
) -> dict[str, Any]:
    row = result.as_dict()
    name = Path(result.path).relative_to(root) if root is not None else Path(result.path)
    return {
        "name": name.as_posix(),
        "key": filed_under(result)[0],
        "keys": _keys(result, every_face),
        "confidence": row["confidence"],
        "error": row["error"],
        "size": row["size"],
        "faces": [_face(face, result.size) for face in result.faces],
        "stages": {name: row["stages"][name] for name in STAGES if name in row["stages"]},
        "thumb": shown.thumb,
        "photo": shown.photo,
    }


def _keys(result: PhotoResult, every_face: bool) -> list[tuple[str, float | None]]:
    """What the page's filter holds against a photo: pairs of label and confidence."""
    if every_face and result.faces:
        return [(face.label, round(face.confidence, 4)) for face in result.faces]
    confidence = None if result.confidence is None else round(result.confidence, 4)
    return [(filed_under(result)[0], confidence)]


def _face(face: Face, size: tuple[int, int] | None) -> dict[str, Any]:
    """A face with its box in percent of the photo."""
    width, height = size or (1, 1)
    return {
        "box": [
            round(100 * value / side, 3)
            for value, side in zip(face.box, (width, height, width, height), strict=True)
        ],
        "label": face.label,
        "confidence": round(face.confidence, 4),
        "probabilities": [round(value, 4) for value in face.probabilities.values()],
    }
