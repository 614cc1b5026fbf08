import csv
from pathlib import Path

from fer_mobile.detect import load_detector
from fer_mobile.images import load_photo
from fer_mobile.types import Detection

Answers = dict[Path, tuple[list[Detection], list[Detection]]]
"""What the shipped detector and OpenCV's say, by photo."""


def answers(folder: Path, every: int = 1) -> Answers:
    """Of the photos in the folder's manifest, or every so-many-th of them."""
    shipped, opencv = load_detector(), load_detector("opencv")
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        paths = [folder / row["file"] for row in csv.DictReader(file)][::every]
    photos = ((path, load_photo(path, min_long_side=shipped.side)) for path in paths)
    return {path: (shipped.detect(photo), opencv.detect(photo)) for path, photo in photos}
