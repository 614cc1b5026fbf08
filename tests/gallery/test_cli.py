"""`fer-mobile filter` as it is typed."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
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
        "--link: expected --link-to with it, found none": ("--link", "hard"),
    }.items():
        assert message in fer_mobile.refused("filter", photos_dir(), *options)


def test_what_was_skipped_is_counted_and_named_on_demand(fer_mobile, small_library):
    (small_library / "film.mov").touch()
    (small_library / "@eaDir").mkdir()
    (small_library / "elsewhere").symlink_to(photos_dir())
    run = fer_mobile("filter", small_library)
    line = "Skipped: folder of a NAS or a recycle bin (1), link to a folder (1), video (1)."
    assert line in run.stderr.splitlines()
    assert run.stderr.splitlines()[-1].startswith("8 of 9 photos match; ")
    assert run.stderr.count("broken.jpg: expected") == 1
    lines = fer_mobile("filter", small_library, "-v").stderr.splitlines()
    assert f"video: {small_library / 'film.mov'}" in lines
    assert f"link to a folder: {small_library / 'elsewhere'}" in lines
    skipped = fer_mobile.json("filter", small_library)["skipped"]
    assert skipped == {
        "folder of a NAS or a recycle bin": 1, "link to a folder": 1, "video": 1,
    }  # fmt: skip


def test_a_copy_that_fails_is_said_even_quietly(fer_mobile, small_library):
    (small_library / "sub").mkdir(exist_ok=True)
    shutil.copy(photos_dir() / "baby-laughing.jpg", small_library / "sub" / "z.jpg")
    shutil.copy(photos_dir() / "baby-laughing.jpg", small_library / "z.jpg")
    (fer_mobile.folder / "out").mkdir()
    (fer_mobile.folder / "out" / "sub").touch()  # where a folder would be
    command = ("filter", small_library, "--show", "happiness", "--copy-to", "out")
    run = fer_mobile(*command, "-q")
    assert run.returncode == 1
    (line,) = run.stderr.splitlines()
    assert "sub/z.jpg is not in out: " in line
    said = fer_mobile(*command).stderr
    (count,) = [line for line in said.splitlines() if line.startswith("copies: out, ")]
    placed, tried = map(int, count.removeprefix("copies: out, ").split(" of "))
    assert placed == tried - 1 >= 1
    assert (fer_mobile.folder / "out" / "z.jpg").is_file()


def test_show_adds_up(fer_mobile, small_library):
    together = fer_mobile.json("filter", small_library, "--show", "happiness,surprise")
    apart = fer_mobile.json("filter", small_library, "--show", "happiness", "--show", "surprise")
    assert apart["show"] == together["show"] == ["happiness", "surprise"]
    assert apart["matched"] == together["matched"] > 0


def test_keywords_are_taken_out_again(fer_mobile, small_library):
    before = {path: path.read_bytes() for path in small_library.rglob("*.*")}
    assert fer_mobile("filter", small_library, "--write-xmp").returncode == 0
    sidecars = len(list(small_library.rglob("*.xmp")))
    assert sidecars >= 5
    done = fer_mobile("filter", small_library, "--write-xmp", "--remove")
    assert f"Keywords were taken out of {sidecars} sidecars." in done.stderr
    assert {path: path.read_bytes() for path in small_library.rglob("*.*")} == before
    for option in ("--show=happiness", "--html=page.html", "--workers=2", "--no-resume"):
        said = fer_mobile.refused("filter", small_library, "--write-xmp", "--remove", option)
        flag = option.partition("=")[0].replace("no-", "")
        assert said == f"fer-mobile: {flag}: expected none with --remove, found one."
    message = fer_mobile.refused("filter", small_library, "--remove")
    assert message == "fer-mobile: --remove: expected --write-xmp with it, found none."


def test_names_are_shown_to_a_terminal_as_text(fer_mobile, tmp_path):
    evil = "\x1b]0;evil\x07\x1b[31m\nred"
    library = tmp_path / evil
    library.mkdir()
    shutil.copy(photos_dir() / "astronaut-smile.jpg", library / f"{evil}.jpg")
    (library / "broken.jpg").write_bytes(b"x")
    done = fer_mobile("filter", library, "--csv", tmp_path / "rows.csv", "-v")
    assert done.returncode == 0
    assert "\x1b" not in done.stderr
    assert "\\x1b[31m" in done.stderr
    code = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)"
    shown = subprocess.run(
        [sys.executable, "-c", code, *fer_mobile.command, "filter", str(library)],
        capture_output=True, text=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert "\x1b[31m\nred" not in shown.stdout.replace("\r\n", "\n")
    assert "\\x1b[31m\\nred.jpg" in shown.stdout
    message = fer_mobile.refused("filter", tmp_path / "\x1b[31mgone")
    assert "\x1b" not in message
    assert "\\x1b[31mgone: expected a folder" in message


def test_rows_on_standard_output(fer_mobile, small_library):
    done = fer_mobile("filter", small_library, "--csv", "-")
    assert done.stdout.splitlines()[0].startswith("path,label,")
    assert len(done.stdout.splitlines()) == 10
    assert not (fer_mobile.folder / "-").exists()
    message = fer_mobile.refused("filter", small_library, "--csv", "-", "--json")
    assert message == (
        "fer-mobile: --json: expected standard output for itself, found another output."
    )
