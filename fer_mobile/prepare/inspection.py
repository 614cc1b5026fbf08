"""What a dataset is, and what about it would spoil a training: `fer-mobile data inspect`."""

from __future__ import annotations

import base64
import hashlib
import io
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from jinja2 import Environment, PackageLoader
from numpy.typing import NDArray
from PIL import Image

from fer_mobile.data import OWN, SPLITS, layouts
from fer_mobile.data.copies import find_copies, near_copies
from fer_mobile.data.face_files import FaceFiles
from fer_mobile.data.layouts.raw import RawFaces
from fer_mobile.data.loading import assign_splits, data_path
from fer_mobile.data.protocols import find_protocol
from fer_mobile.data.vocabulary import check_labels_go_with, check_no_labels, name_labels
from fer_mobile.decoding import open_image
from fer_mobile.detect.framing import Framing, look_at_framing
from fer_mobile.errors import DataError
from fer_mobile.files import check_output, open_regular, write_text
from fer_mobile.labels import canonical
from fer_mobile.walk import files_read

SIDE: Final = 64
"""Faces in files are looked at as squares of so many px."""

MOST_COMPARED: Final = 60_000
"""Of more faces, nearly equal pairs are looked for among the first so many."""

_SAMPLES: Final = 12
"""Faces of each label on the sheet, at equal distances."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """A dataset in figures."""

    path: str
    kind: str
    """What it was taken for."""
    protocol: str
    faces: int
    counts: dict[str, dict[str, int]]
    """By label, then by split."""
    shorter_side: tuple[int, int, int] | None
    """Smallest, median and largest image in px of its shorter side; None where unknown."""
    copies: int
    """Faces that are exact copies of one before."""
    near_copies: int
    """Faces that are nearly the same as one before, exact copies among them."""
    leaks: int
    """Faces of train that are also, or nearly, in valid or test."""
    contradictions: int
    """Faces whose exact copy has another label."""
    framing: Framing
    skipped: tuple[tuple[str, int, tuple[str, ...]], ...]
    """What is left out: reason, count and some of the files."""
    compared: int
    """Faces among which copies were looked for."""

    @property
    def balance(self) -> float:
        """How often the commonest label is for each time of the rarest one."""
        totals = [sum(splits.values()) for splits in self.counts.values()]
        return max(totals) / max(min(totals), 1)

    def as_dict(self) -> dict[str, Any]:
        """The figures as `fer-mobile data inspect --json` prints them."""
        return asdict(self) | {"balance": round(self.balance, 2)}

    def advice(self) -> list[str]:
        """What to do before a training, in sentences; none where nothing is wrong."""
        sentences = []
        if not self.framing.is_framed:
            sentences.append(
                f"{self.framing.framed} of {self.framing.looked_at} images looked at are framed "
                "faces. Cut the faces out of their photos first."
            )
        if self.leaks:
            sentences.append(
                f"Faces of train that are also, or nearly, in valid or test: {self.leaks:,}. "
                "Figures would flatter the model. Take them out of one of the splits."
            )
        if self.contradictions:
            sentences.append(
                f"Faces that have a copy with another label: {self.contradictions:,}. Decide "
                "which of the labels is right."
            )
        absent = [label for label, splits in self.counts.items() if not any(splits.values())]
        if absent:
            sentences.append(f"No face shows {', '.join(absent)}.")
        if not any(splits.get("valid") for splits in self.counts.values()):
            sentences.append(
                "No face validates, and a training cannot begin. One in ten does where the "
                "dataset names no valid: add faces."
            )
        rare = [
            label
            for label, splits in self.counts.items()
            if splits.get("train", 0) < 20 and label not in absent
        ]
        if rare:
            sentences.append(f"Fewer than 20 faces train {', '.join(rare)}: expect low recall.")
        if all(label.isdecimal() for label in self.counts):
            sentences.append(
                "The classes are numbers, and so would be what a model says. Give their folders "
                "names: datasets number the expressions in different orders."
            )
        return sentences


@dataclass(frozen=True, slots=True)
class _Rows:
    """The labelled faces of a source, decoded."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    split: NDArray[np.int8]
    names: tuple[str, ...]
    protocol: str
    sides: tuple[int, ...]
    skipped: tuple[tuple[str, int, tuple[str, ...]], ...]


def inspect_dataset(
    path: str | Path | None = None,
    *,
    protocol: str | None = None,
    labels: Sequence[str] | None = None,
    html: str | Path | None = None,
) -> Inspection:
    """Look at a dataset of any layout, all splits of it.

    `protocol` and `labels` as for `load_dataset`; without a protocol, that of FER+'s majority
    for FER2013, the eight expressions where every class is one of them, else the classes as
    they are.  `html` names a page to write, with a sheet of samples of each label.

    Raises DataError as `load_dataset` does, InputError for a page that cannot be written.
    """
    check_labels_go_with(labels, protocol)
    source = data_path(path)
    if html is not None:
        check_output(html, files_read(source))
    raw = layouts.read(source, SIDE)
    if raw.votes:
        check_no_labels(labels, source)
        rows = _voted(raw, protocol)
    else:
        rows = _named(raw, protocol, labels, source)
    present = [rows.names[label] for label in np.unique(rows.labels)]
    if len(present) < 2:
        raise DataError(
            source,
            expected="faces of at least 2 labels",
            found=f"{present[0]} alone" if present else "none that can be read",
        )
    compared = min(len(rows.labels), MOST_COMPARED)
    keys = [hashlib.blake2b(image, digest_size=16).digest() for image in rows.images]
    groups = near_copies(rows.images[:compared])
    leaked, _ = find_copies(groups.tolist(), rows.split[:compared], [0] * compared)
    inspection = Inspection(
        path=str(source),
        kind=raw.kind,
        protocol=rows.protocol,
        faces=len(rows.labels),
        counts=_counts(rows),
        shorter_side=_spread(rows.sides),
        copies=len(keys) - len(set(keys)),
        near_copies=int((groups != np.arange(compared)).sum()),
        leaks=int((leaked != 0).sum()),
        contradictions=_contradictions(keys, rows.labels.tolist()),
        framing=look_at_framing(rows.images),
        skipped=rows.skipped,
        compared=compared,
    )
    if html is not None:
        _write_page(inspection, rows, Path(html))
    return inspection


def _voted(raw: RawFaces, protocol: str | None) -> _Rows:
    if raw.votes is None:
        raise ValueError("faces without votes")
    default = "ferplus-strict" if raw.votes.votes is not None else "fer2013"
    name = {None: default, OWN: "fer2013"}.get(protocol, str(protocol))
    labelled = find_protocol(name)(raw.votes)
    images = raw.images[labelled.keep]
    skipped = [(s.reason, s.count, s.examples) for s in raw.skipped]
    if not labelled.keep.all():
        skipped.append((f"without a label under {name}", int((~labelled.keep).sum()), ()))
    return _Rows(
        images,
        labelled.labels[labelled.keep].astype(np.int64),
        assign_splits(raw)[labelled.keep],
        labelled.names,
        name,
        (images.shape[1],) * len(images),
        tuple(skipped),
    )


def _named(
    raw: RawFaces, protocol: str | None, labels: Sequence[str] | None, source: Path
) -> _Rows:
    if protocol is None:
        known = all(canonical(name) for name in raw.classes) and labels is None
        protocol = "ferplus-strict" if known else OWN
    named = name_labels(raw, protocol, labels, source)
    if isinstance(raw.images, FaceFiles):
        images, failed = raw.images.decode()
        sides = _sides(raw.files)
    else:
        images, failed = raw.images, {}
        sides = [min(images.shape[1:])] * len(images)
    keep = named.labels >= 0
    keep[list(failed)] = False
    skipped = [(s.reason, s.count, s.examples) for s in (*raw.skipped, *named.skipped)]
    if failed:
        examples = tuple(raw.files[row] for row in failed)[:3]
        skipped.append(("that cannot be read, or too small", len(failed), examples))
    return _Rows(
        images if keep.all() else images[keep],
        named.labels[keep],
        assign_splits(raw)[keep],
        named.names,
        named.protocol,
        tuple(sides),
        tuple(skipped),
    )


def _sides(files: Sequence[str]) -> list[int]:
    """The shorter side in px of every file whose header can be read."""
    sides = []
    for file in files:
        try:
            with open_regular(file) as opened:
                sides.append(min(open_image(file, opened).size))
        except Exception:  # counted as unreadable already
            continue
    return sides


def _spread(sides: Sequence[int]) -> tuple[int, int, int] | None:
    return (min(sides), int(np.median(sides)), max(sides)) if sides else None


def _counts(rows: _Rows) -> dict[str, dict[str, int]]:
    numbers = Counter(zip(rows.labels.tolist(), rows.split.tolist(), strict=True))
    splits = sorted(set(rows.split.tolist()))
    return {
        name: {SPLITS[split]: numbers[number, split] for split in splits}
        for number, name in enumerate(rows.names)
    }


def _contradictions(keys: Sequence[bytes], labels: Sequence[int]) -> int:
    """Faces whose exact copy has another label."""
    labels_of: dict[bytes, set[int]] = {}
    for key, label in zip(keys, labels, strict=True):
        labels_of.setdefault(key, set()).add(label)
    return sum(len(labels_of[key]) > 1 for key in keys)


def _write_page(inspection: Inspection, rows: _Rows, path: Path) -> None:
    loader = PackageLoader("fer_mobile.prepare", "page")
    template = Environment(loader=loader, autoescape=True).get_template("inspection.html")
    sheets = {}
    for number, name in enumerate(rows.names):
        own = np.flatnonzero(rows.labels == number)
        count = min(len(own), _SAMPLES)
        chosen = own[np.arange(count) * len(own) // max(count, 1)]
        sheets[name] = _sheet(rows.images[chosen]) if len(chosen) else None
    write_text(path, template.render(it=inspection, sheets=sheets, splits=_split_names(inspection)))


def _split_names(inspection: Inspection) -> list[str]:
    return list(next(iter(inspection.counts.values())))


def _sheet(images: NDArray[np.uint8]) -> str:
    """Faces side by side as a PNG in a data URL."""
    columns = min(len(images), _SAMPLES)
    size = images.shape[1]
    canvas = Image.new("L", (columns * size, math.ceil(len(images) / columns) * size))
    for place, image in enumerate(images):
        canvas.paste(Image.fromarray(image), (place % columns * size, place // columns * size))
    buffer = io.BytesIO()
    canvas.save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
