"""`fer-mobile filter` as it is typed."""

from __future__ import annotations

import csv
from pathlib import Path

from fer_mobile.resources import photos_dir


def test_every_output_of_one_run(fer_mobile, small_library):
    before = {path: path.read_bytes() for path in small_library.rglob("*.*")}
    options = (
        "--show", "group:positive,group:neutral", "--faces", "each", "--match", "all",
        "--min-confidence", "0.5", "--sort", "confidence", "--workers", "2", "--html", "r.html",
        "--jsonl", "r.jsonl", "--csv", "r.csv", "--copy-to", "copies", "--link-to", "links",
        "--link", "hard", "--write-xmp",
    )  # fmt: skip
    run = fer_mobile.json("filter", small_library, *options)
    here = fer_mobile.folder
    good = [row for row in run["rows"] if not row["error"]]
    assert len(good) == run["matched"] >= 3
    assert [row["confidence"] for row in good] == sorted(
        (row["confidence"] for row in good), reverse=True
    )
    for row in good:
        for face in row["faces"]:
            assert face["label"] in ("neutral", "happiness", "surprise")
            assert face["confidence"] >= 0.5
        inside = Path(row["path"]).relative_to(small_library)
        assert (here / "copies" / inside).read_bytes() == before[small_library / inside]
        assert (here / "links" / inside).samefile(small_library / inside)
        assert Path(f"{row['path']}.xmp").is_file()
    with (here / "r.csv").open(newline="") as file:
        assert [row["path"] for row in csv.DictReader(file)] == [r["path"] for r in run["rows"]]
    assert (here / "r.html").is_file()
    assert len((here / "r.jsonl").read_text().splitlines()) == len(run["rows"])
    assert {path: path.read_bytes() for path in before} == before


def test_what_is_wrong_is_said(fer_mobile):
    for message, options in {
        "Did you mean 'group:positive'?": ("--show", "positive"),
        "Did you mean 'confidence'?": ("--sort", "confidense"),
        "engine: expected processes or ray": ("--engine", "x"),
    }.items():
        assert message in fer_mobile.refused("filter", photos_dir(), *options)
