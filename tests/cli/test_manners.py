"""How the command line behaves: what it says, how much of it, and in which colours."""

import re
import shutil

import pytest

from fer_mobile.cli.explain import _unused
from fer_mobile.resources import photos_dir
from tests.test_readme import BENCH

PHOTO = photos_dir() / "astronaut-smile.jpg"
COLOURED = re.compile(r"\x1b\[[0-9;]*3[0-7]m")


@pytest.fixture
def library(fer_mobile):
    """A folder with a photo and a broken one."""
    folder = fer_mobile.folder / "library"
    folder.mkdir()
    shutil.copy(PHOTO, folder)
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 nothing")
    return folder


def test_quiet_prints_the_answer_alone(fer_mobile, library):
    done = fer_mobile("filter", library, "--show", "happiness", "--no-resume", "-q")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{library / PHOTO.name}\n"


@pytest.mark.parametrize("where", ["before", "after"])
def test_verbose_and_debug_stand_before_the_command_or_after_it(fer_mobile, where):
    def run(option, *words):
        return fer_mobile(option, *words) if where == "before" else fer_mobile(*words, option)

    assert "fer_mobile.pipeline: xcao_two_stream int8" in run("-v", "predict", PHOTO).stderr
    assert "Traceback" in run("--debug", "verify", "absent").stderr


def test_no_color(fer_mobile, library, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    words = ("filter", library, "--show", "happiness", "--no-resume")
    assert COLOURED.search(fer_mobile(*words, FORCE_COLOR="1").stderr)
    plain = fer_mobile(*words, FORCE_COLOR="1", NO_COLOR="1").stderr
    assert "broken.jpg" in plain
    assert not COLOURED.search(plain)


def test_predict_of_a_folder_names_filter_and_says_each_fact_once(fer_mobile, library):
    done = fer_mobile("predict", library)
    assert done.returncode == 2
    assert done.stdout.startswith(f"{library}: failed: expected a photo")
    assert done.stdout.endswith("found a folder.\n")
    assert done.stdout.count(str(library)) == 1
    assert done.stderr.endswith(f"A folder's photos: fer-mobile filter {library}\n")
    assert "expected a photo" not in done.stderr


@pytest.mark.parametrize(
    ("word", "label"), [("smile", "happiness"), ("Furious", "anger"), ("scard", "fear")]
)
def test_an_unknown_label_suggests_what_may_be_meant(fer_mobile, library, word, label):
    line = fer_mobile.refused("filter", library, "--show", word)
    assert line.endswith(f"Did you mean '{label}'?")


def test_models_are_a_table_that_fits_a_terminal(fer_mobile):
    lines = fer_mobile("models", COLUMNS="80").stdout.splitlines()
    assert lines[0].split()[:4] == ["shipped", "file", "MB", "parameters"]
    assert re.match(r"xcao_two_stream +float16 +15\.05 +7,509,672 +87\.6% +70\.4%", lines[1])
    assert max(map(len, lines)) <= 80
    assert not any("…" in line for line in lines)


def test_pictures_of_photos_of_one_name_are_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a_occlusion.png", "a_occlusion_2.png", "a_occlusion_3.png"):
        assert str(_unused("a_occlusion")) == name
        (tmp_path / name).touch()


def test_a_chart_is_named_when_it_is_drawn(fer_mobile):
    done = fer_mobile("bench", "--rows", BENCH, "--chart", "stages.svg")
    assert done.stderr == "drawn: stages.svg\n"
    assert (fer_mobile.folder / "stages.svg").is_file()


def test_a_shell_completes_the_names_of_models(fer_mobile):
    words = "fer-mobile predict --model comp"
    done = fer_mobile(COMP_WORDS=words, COMP_CWORD="3", _FER_MOBILE_COMPLETE="complete_bash")
    assert done.stdout.split() == ["compact", "compact_fer2013"]
