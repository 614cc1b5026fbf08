"""`fer-mobile doctor` and `cache`: what is installed and kept, and what is wrong with it."""

import shutil
import sqlite3
import tomllib

import pytest

from fer_mobile import doctor
from fer_mobile.doctor import caches, diagnose, pasteable
from fer_mobile.errors import ModelError
from fer_mobile.files import claim_folder
from fer_mobile.resources import photos_dir
from tests.test_readme import ROOT

PHOTO = photos_dir() / "astronaut-smile.jpg"
NO_EXTRAS_OF_USERS = {"test", "docs", "quant"}


def test_a_sound_installation(fer_mobile):
    found = fer_mobile.json("doctor")
    assert found["problems"] == []
    assert found["runtime"].startswith("ai-edge-litert ")
    assert len(found["opencv"]) == 1
    names = [row["name"] for row in found["models"]]
    assert "xcao_two_stream_int8.tflite" in names
    assert all(len(row["sha256"]) == 64 for row in found["models"])


def test_two_wheels_that_own_cv2(fer_mobile, tmp_path):
    other = tmp_path / "opencv_python-4.9.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Name: opencv-python\nVersion: 4.9\n")
    found = fer_mobile("doctor", PYTHONPATH=f"{tmp_path}:{ROOT}")
    assert found.returncode == 1
    (problem,) = [line for line in found.stdout.splitlines() if line.startswith("problem: ")]
    assert "opencv-python-headless, opencv-python." in problem
    assert "pip install opencv-python-headless" in problem


@pytest.mark.parametrize("module", ["cv2", "mediapipe"])
def test_a_package_without_its_system_library_is_said(fer_mobile, tmp_path, module):
    message = "libxcb.so.1: cannot open shared object file: No such file or directory"
    (tmp_path / f"{module}.py").write_text(f"raise ImportError({message!r})\n")
    path = f"{tmp_path}:{ROOT}"
    line = fer_mobile.refused("predict", PHOTO, "--detector", "mediapipe", PYTHONPATH=path)
    assert "expected the system library libxcb.so.1" in line
    assert "doctor" in line


def test_system_libraries_that_mediapipe_lacks(monkeypatch):
    monkeypatch.setattr(doctor, "_version", lambda name: "1.0" if name == "mediapipe" else None)
    monkeypatch.setattr("ctypes.util.find_library", {"EGL": None, "GLESv2": "there"}.__getitem__)
    monkeypatch.setattr("sys.platform", "linux")
    (problem,) = doctor._mediapipe_problems()
    assert problem == "MediaPipe needs libEGL. Run, on Debian or Ubuntu: apt install libegl1"
    monkeypatch.setattr("ctypes.util.find_library", lambda name: "there")
    assert not list(doctor._mediapipe_problems())


def test_a_damaged_model_and_a_missing_package(monkeypatch):
    def split(content, name):
        raise ModelError(name, expected="a checksum", found="another")

    monkeypatch.setattr(doctor, "split", split)
    monkeypatch.setattr(doctor, "PACKAGES", ("numpy", "nowhere"))
    found = diagnose()
    assert "nowhere is not installed. Run: pip install nowhere" in found["problems"]
    assert "compact_int8.tflite: expected a checksum, found another." in found["problems"]
    assert any("DAMAGED" in line for line in pasteable(found))


def test_nothing_of_the_user_is_pasted(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("FER_MOBILE_DATA", str(tmp_path / "faces"))
    monkeypatch.delenv("FER_MOBILE_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    lines = pasteable(diagnose())
    assert "FER_MOBILE_DATA=~/faces" in lines
    assert not any(str(tmp_path) in line for line in lines)


def test_a_user_without_a_home_is_diagnosed(monkeypatch):
    for name in ("HOME", "FER_MOBILE_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)  # nor an entry in passwd
    assert pasteable(diagnose())[0].startswith("fer-mobile: ")


def test_the_extras_are_those_of_the_package():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert set(doctor.EXTRAS) == set(settings["project"]["optional-dependencies"]) - (
        NO_EXTRAS_OF_USERS
    )


@pytest.fixture
def cache(fer_mobile, tmp_path, monkeypatch):
    """A cache with the results of two photos, one of them a copy of the other."""
    monkeypatch.setenv("FER_MOBILE_CACHE", str(tmp_path / "cache"))
    library = fer_mobile.folder / "library"
    (library / "below").mkdir(parents=True)
    shutil.copy(PHOTO, library / "one.jpg")
    shutil.copy(PHOTO, library / "below" / "two.jpg")
    assert fer_mobile("filter", "library", "-q").returncode == 0
    return tmp_path / "cache"


def test_what_is_kept_is_shown_forgotten_and_cleared(fer_mobile, cache):
    (results,) = fer_mobile.json("cache", "info")["parts"]
    assert (results["path"], results["photos"]) == (str(cache / "results.sqlite"), 2)

    (cache / "mine.txt").write_text("not of fer-mobile")
    assert fer_mobile("cache", "forget", "library/below").stdout == (
        "library/below: 1 photo forgotten\n"
    )
    assert rows(cache) == (1, 1)  # the content is also that of the other photo
    assert caches.forget(fer_mobile.folder / "library" / "one.jpg") == 1
    assert rows(cache) == (0, 0)

    assert "deleted: results of photos" in fer_mobile("cache", "clear").stdout
    assert [path.name for path in cache.iterdir()] == ["mine.txt"]
    assert "nothing is kept" in fer_mobile("cache", "info").stdout


def test_what_is_like_ours_in_name_alone_is_not_cleared(tmp_path, monkeypatch):
    monkeypatch.setenv("FER_MOBILE_CACHE", str(tmp_path))
    others = {tmp_path / "holiday-12mp" / "photo.jpg", tmp_path / "results.sqlite.old" / "a.jpg"}
    others |= {tmp_path / "results.sqlite.bak", tmp_path / "results.sqlite" / "photo.jpg"}
    ours = tmp_path / "0123456789abcdef-12mp"
    for file in others:
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"a user's")
    (tmp_path / "results.sqlite-wal").touch()
    (tmp_path / "results.sqlite.damaged-1-shm").touch()
    assert claim_folder(ours, "For a test.")
    assert len(caches.clear_cache()["parts"]) == 3
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == others


def test_a_damaged_store_cannot_forget_but_can_be_cleared(fer_mobile, cache):
    (cache / "results.sqlite").write_bytes(b"no database" * 100)
    line = fer_mobile.refused("cache", "forget", "library")
    assert "`fer-mobile cache clear` takes it away" in line
    assert fer_mobile.json("cache", "info")["parts"][0]["photos"] is None
    assert fer_mobile("cache", "clear").returncode == 0


def rows(cache):
    db = sqlite3.connect(cache / "results.sqlite")
    tables = ("photo", "result")
    counts = tuple(db.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables)
    db.close()
    return counts
