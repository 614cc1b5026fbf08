"""Standard streams that are closed, full, broken, or of an encoding that lacks a character."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from fer_mobile.resources import photos_dir

PHOTO = photos_dir() / "astronaut-smile.jpg"


@pytest.fixture
def shell(fer_mobile):
    """Run the command line with redirections of a shell: `shell("2>&-", "predict", …)`."""

    def run(redirections: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "-c", f'exec "$@" {redirections}', "sh", *fer_mobile.command]
            + [str(argument) for argument in arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=fer_mobile.folder,
        )

    return run


@pytest.mark.parametrize("redirections", ["2>&-", "<&-", "<&- 2>&-"])
def test_an_answer_is_printed_although_other_streams_are_closed(redirections, shell):
    done = shell(redirections, "predict", PHOTO, "--json")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)
    assert row["label"] == "happiness"


@pytest.mark.parametrize("redirections", [">&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_files_are_written_although_output_is_closed(redirections, shell, fer_mobile):
    library = fer_mobile.folder / "library"
    library.mkdir()
    shutil.copy(PHOTO, library)
    done = shell(redirections, "filter", "library", "--csv", "rows.csv", "--no-resume")
    assert done.returncode == 0, done.stderr
    assert "happiness" in (fer_mobile.folder / "rows.csv").read_text("utf-8")


def test_a_refusal_keeps_its_exit_code_although_nobody_hears_it(shell):
    assert shell("2>&-", "predict", "nowhere.jpg", "--model", "nonsense").returncode == 2


def test_a_full_disk_behind_the_output_is_one_line(shell):
    done = shell(">/dev/full", "models", "--json")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("fer-mobile: output: expected space on the disk")


@pytest.mark.parametrize("arguments", [["models"], ["models", "--json"], ["contract", "schema"]])
def test_a_reader_that_leaves_is_no_verdict(fer_mobile, arguments):
    command = (*fer_mobile.command, *arguments)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_a_page_on_stdout_stands_there_alone(fer_mobile, small_npz):
    inspect = ("data", "inspect", small_npz, "--html")
    errors = ("report", "errors", "compact", "--data", small_npz, "--out")
    for words in (inspect, errors):
        done = fer_mobile(*words, "-")
        assert done.returncode == 0, done.stderr
        assert done.stdout.lower().startswith("<!doctype html>")
        assert done.stdout.rstrip().endswith("</html>")
        assert "written: -" in done.stderr
        assert "--json: expected standard output" in fer_mobile.refused(*words, "-", "--json")


def test_an_encoding_that_lacks_a_character_prints_an_escape(fer_mobile):
    (fer_mobile.folder / "快乐.jpg").write_bytes(PHOTO.read_bytes())
    done = fer_mobile("predict", "快乐.jpg", PYTHONIOENCODING="cp1252")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("\\u5feb\\u4e50.jpg: happiness")


def test_a_name_that_is_not_unicode_is_printed_as_it_is(fer_mobile):
    name = Path("\udcff.jpg")
    (fer_mobile.folder / name).write_bytes(PHOTO.read_bytes())
    done = fer_mobile("predict", name, PYTHONIOENCODING="utf-8:strict")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{name}: happiness")
