"""The gallery report: one HTML page that holds its photos, its style and its script itself."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from fer_mobile.bench.stats import TABLE8, TABLE8_PHONE, stage_stats, verdict
from fer_mobile.files import write_text
from fer_mobile.gallery.filter import ALL, FAILED, NO_FACE, Filter, count, filed_under
from fer_mobile.gallery.thumbnails import data_uris
from fer_mobile.labels import EMOJI, MULTIPLE
from fer_mobile.types import STAGES, Face, PhotoResult

THUMB_SIDE: Final = 320
"""Longest side of a picture in the grid, in pixels."""
DETAIL_SIDE: Final = 1024
"""Longest side of the picture in the detail view."""
DETAIL_LIMIT: Final = 200
"""Above this many photos the detail view shows the thumbnail: the page would get too large."""

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
) -> None:
    """Write the report of all `results` to `path`, whole or not at all.

    `model` is the line about the model, `note` one about how the times were taken; file names
    are shown relative to `root`.  The page opens with the filter `query` on.  The photos are read
    again for their thumbnails; the page itself loads nothing from anywhere.
    Raises InputError when `path` cannot be written.
    """
    counts = count(results, every_face=query.every_face)
    stats = stage_stats([result.stages for result in results if result.error is None])
    css, js = _part("report.css"), _part("report.js")
    data = {
        "labels": _labels(results),
        "emoji": _EMOJI,
        "show": query.show,
        "least": query.min_confidence,
        "match": query.match,
        "photos": _photos(results, root, query.every_face),
    }
    environment = Environment(loader=PackageLoader("fer_mobile.gallery", "page"), autoescape=True)
    environment.filters["ms"] = _ms
    page = environment.get_template("report.html").render(
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
        thesis=TABLE8,
        phone=TABLE8_PHONE,
        css=Markup(css),
        css_hash=_csp_hash(css),
        js=Markup(js),
        js_hash=_csp_hash(js),
        data=_json_in_script(data),
    )
    # A folder's name need not be valid Unicode; the page must be.
    write_text(path, page.encode("utf-8", "replace").decode("utf-8"))


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
    results: Sequence[PhotoResult], root: str | Path | None, every_face: bool
) -> list[dict[str, Any]]:
    sides = (THUMB_SIDE, DETAIL_SIDE) if len(results) <= DETAIL_LIMIT else (THUMB_SIDE,)

    def pictures(result: PhotoResult) -> tuple[str, ...]:
        return () if result.error is not None else data_uris(result.path, sides)

    # Decoding and encoding leave the interpreter's lock: two threads keep two cores busy.
    with ThreadPoolExecutor(2) as pool:
        return [
            _photo(result, uris, root, every_face)
            for result, uris in zip(results, pool.map(pictures, results), strict=True)
        ]


def _photo(
    result: PhotoResult, uris: tuple[str, ...], root: str | Path | None, every_face: bool
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
        "thumb": uris[0] if uris else None,
        "photo": uris[1] if len(uris) > 1 else None,
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
