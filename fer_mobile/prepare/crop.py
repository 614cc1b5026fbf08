"""Photos to a dataset of faces: the detector and the crop rule that the models are used with."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal, get_args

from PIL import Image

from fer_mobile.detect import DETECTION_SIDE, FaceDetector, load_detector
from fer_mobile.errors import InputError, PhotoError, check_choice
from fer_mobile.files import replace_file, write_text
from fer_mobile.images import load_photo
from fer_mobile.preprocess import CropRule, check_boxes, crop, resize, to_gray
from fer_mobile.types import Detection, DetectorName
from fer_mobile.walk import walk_photos
from fer_mobile.wording import counted

Several = Literal["largest", "all", "skip"]
"""What becomes of a photo with several faces: its largest face, every face, or nothing."""

LARGEST: Final = 224
"""Pixels of a stored face's side at most: the largest input of the architectures."""

SMALLEST: Final = 32
"""A face of fewer pixels is tiny: enlarged, it would teach blur."""

REPORT: Final = "crop_report.json"


@dataclass(frozen=True, slots=True)
class CropReport:
    """What became of the photos of a folder; the lists hold names below it."""

    photos: int
    faces: int
    """Images written."""
    none: tuple[str, ...]
    """Photos without a face."""
    several: tuple[str, ...]
    """Photos with more than one face."""
    tiny: tuple[str, ...]
    """Photos whose face is too small, which gave nothing."""
    unreadable: tuple[str, ...]
    skipped: dict[str, tuple[str, ...]]
    """Files and folders that were not looked at, by why (see `walk.walk_photos`)."""
    tiny_faces: int
    """Faces that are too small, of photos that gave others."""

    def as_dict(self) -> dict[str, Any]:
        """The report as `fer-mobile data crop --json` prints it."""
        return asdict(self)

    def lines(self) -> list[str]:
        """The report in words, one line for each thing to know."""
        lines = [f"{counted(self.photos, 'photo')}: {counted(self.faces, 'face')} written"]
        for what, names in (
            ("without a face", self.none),
            ("with several faces", self.several),
            ("with a face that is too small", self.tiny),
            ("that cannot be read", self.unreadable),
            *((f"skipped ({reason})", names) for reason, names in self.skipped.items()),
        ):
            if names:
                more = " …" if len(names) > 3 else ""
                lines.append(f"{len(names):,} {what}: {', '.join(names[:3])}{more}")
        if self.tiny_faces:
            faces = counted(self.tiny_faces, "face")
            lines.append(f"{faces} left out as too small, beside others")
        return lines


def crop_faces(
    photos: str | Path,
    out: str | Path,
    *,
    several: Several = "largest",
    detector: DetectorName | FaceDetector = "yunet",
    detection_size: int = DETECTION_SIDE,
    rule: CropRule = CropRule(),  # noqa: B008 (frozen)
    progress: Callable[[int, int], None] | None = None,
) -> CropReport:
    """Cut the faces out of the photos below `photos` into gray PNG squares below `out`.

    The folders stay: `photos/happy/a.jpg` becomes `out/happy/a.png`, and with several faces
    `a-1.png`, `a-2.png`, the largest first.  Faces have at most `LARGEST` px.  The report is
    written to `out` as `crop_report.json`, too; it names what is no photo that is read, as
    linked folders and RAW photos are.

    Raises InputError where `photos` is no folder with photos, or `out` is not empty or lies
    in `photos`.
    """
    photos, out = Path(photos), Path(out)
    check_choice("several", several, get_args(Several))
    paths, skipped = _check(photos, out)
    if isinstance(detector, str):
        detector = load_detector(detector, side=detection_size)
    faces = tiny_faces = 0
    names: dict[str, list[str]] = {"none": [], "several": [], "tiny": [], "unreadable": []}
    for done, path in enumerate(paths):
        name = path.relative_to(photos).as_posix()
        if progress:
            progress(done, len(paths))
        try:
            squares, what, tiny = _faces(path, detector, rule, several)
        except PhotoError:
            names["unreadable"].append(name)
            continue
        if what:
            names[what].append(name)
        tiny_faces += tiny
        for number, square in enumerate(squares, 1):
            suffix = f"-{number}" if len(squares) > 1 else ""
            target = out / path.relative_to(photos).with_name(f"{path.stem}{suffix}.png")
            if target.exists():  # photos/a.jpg beside photos/a.png
                target = target.with_name(f"{path.name}{suffix}.png")
            replace_file(target, partial(_save, square))
            faces += 1
    report = CropReport(
        photos=len(paths),
        faces=faces,
        skipped=skipped,
        tiny_faces=tiny_faces,
        **{key: tuple(own) for key, own in names.items()},
    )
    write_text(out / REPORT, json.dumps(report.as_dict(), indent=1, ensure_ascii=False) + "\n")
    return report


def _check(photos: Path, out: Path) -> tuple[list[Path], dict[str, tuple[str, ...]]]:
    """The photos, and the names of what is skipped by why.

    InputError where there are none, or the target could hurt what is there.
    """
    if not photos.is_dir():
        raise InputError(photos, expected="a folder of photos", found="no folder")
    if out.resolve() == photos.resolve() or photos.resolve() in out.resolve().parents:
        raise InputError(out, expected="a folder outside the photos", found="one inside")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        found = "something in it" if out.is_dir() else "a file"
        raise InputError(out, expected="an empty folder", found=found, hint="Name a new one.")
    paths, left_out = walk_photos(photos)
    skipped: dict[str, list[str]] = {}
    for path, reason in left_out:
        skipped.setdefault(reason, []).append(path.relative_to(photos).as_posix())
    if not paths:
        reasons = ", ".join(f"{reason} ({len(names):,})" for reason, names in skipped.items())
        hint = f"Skipped: {reasons}." if reasons else ""
        raise InputError(photos, expected="photos in it", found="none", hint=hint)
    return paths, {reason: tuple(names) for reason, names in skipped.items()}


def _faces(
    path: Path, detector: FaceDetector, rule: CropRule, several: Several
) -> tuple[list[Image.Image], str, int]:
    """The faces of a photo, the largest first, and what the report says of it.

    That is the name of a list that it goes on, and how many faces beside them are too small.
    """
    photo = load_photo(path)
    detections = sorted(detector.detect(photo), key=_height, reverse=True)
    check_boxes((face.box for face in detections), photo, f"the detector {detector.name}")
    if not detections:
        return [], "none", 0
    what = "several" if len(detections) > 1 else ""
    if what and several == "skip":
        return [], what, 0
    wanted = detections if several == "all" else detections[:1]
    large = [face for face in wanted if rule.square(face.box)[2] >= SMALLEST]
    if not large:
        return [], "tiny", 0
    squares = []
    for face in large:
        gray = to_gray(crop(photo.rgb, *rule.square(face.box)))
        squares.append(Image.fromarray(resize(gray, min(LARGEST, len(gray)))))
    return squares, what, len(wanted) - len(large)


def _save(square: Image.Image, target: Path) -> None:
    """PNG by zlib's Z_RLE: a tenth larger than by default, in a quarter of its time."""
    square.save(target, compress_level=1, compress_type=3)


def _height(face: Detection) -> float:
    return face.box.height
