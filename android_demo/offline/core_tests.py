"""Tests of :core and :gallery on this machine, and of :core with the app's own interpreter.

Their answers are held against Python's, which tests/golden/ has for every shipped model and for
every step before it, and `exports` for files of kinds that are not shipped.
"""

from __future__ import annotations

from pathlib import Path

from aar import Library
from exports import make_exports
from hosttflite import host_library
from kotlin import Kotlin
from libraries import Libraries
from python_side import PHOTOS, find_tensorflow, write_photos
from steps import OUT, ROOT, BuildError, join_path, junit_classes, run, step

HOST = OUT / "hosttflite"
_TOLD = ("bundled photos:", "10,000 photos:", "OK (")
_CHATTER = ("VERBOSE:", "INFO:", "WARNING:")


def write_answers(*, every_model: bool = False) -> Path:
    """Have Python write what the tests expect; the folder of the exported files."""
    step("photos", write_photos)
    if find_tensorflow():
        return step("exports", lambda: make_exports(every_model=every_model))
    print("float32, dynamic and RGB files are left out: TensorFlow is not installed")
    return OUT / "no-exports"


def compile_core_tests(
    libraries: Libraries, kotlin: Kotlin, library: Library, gallery: Path
) -> list[Path]:
    """The class path of the tests of :core and :gallery; its first folder has the tests."""
    sources = [
        ROOT / "core/src/testFixtures/kotlin",
        ROOT / "core/src/test/kotlin",
        ROOT / "gallery/src/test/kotlin",
        ROOT / "offline/tests/InterpreterTest.kt",
    ]
    path = [library.core, library.classes, gallery, *libraries.jars, *libraries.test_jars]
    return [kotlin.compile("core tests", sources, path), *path]


def run_core_tests(
    libraries: Libraries, class_path: list[Path], exports: Path, *, every_face: bool = False
) -> None:
    """Run them; what they print is shown only if they fail."""
    host_library(libraries.tensorflow_lite, HOST)
    try:
        said = run(
            "java", f"-Djava.library.path={HOST}",
            f"-Dfermobile.exports={exports}", f"-Dfermobile.photos={PHOTOS}",
            f"-Dfermobile.out={OUT}",
            f"-Dfermobile.every_face={str(every_face).lower()}",
            "-cp", join_path(class_path),
            "org.junit.runner.JUnitCore", *junit_classes(class_path[0]),
            environment={"LD_LIBRARY_PATH": str(HOST)},
        )  # fmt: skip
    except BuildError as error:
        raise BuildError("\n".join(_lines(str(error)))) from error
    lines = _lines(said)
    print("\n".join(line for line in lines if line.startswith(_TOLD) or ".tflite: " in line))


def _lines(said: str) -> list[str]:
    lines = [line.lstrip(".") for line in said.splitlines()]
    return [line for line in lines if not line.startswith(_CHATTER)]
