"""The shrunk app on the JVM: R8 by the release's rules, to class files where the APK has dex."""

from __future__ import annotations

from pathlib import Path

from app import App
from hosttflite import host_library
from libraries import Libraries
from package import android_jar, jar_of, java_home, shrinking_rules
from robolectric import configuration, run_junit
from steps import JVM_TARGET, OUT, QUICK_START, ROOT, join_path, made, run, step

_TESTS = ROOT / "offline/tests/shrunk"


def run_shrunk(libraries: Libraries, app: App) -> None:
    """Shrink the app and run the smoke tests against what is left of it."""
    shrunk = step("shrink", lambda: _shrink(libraries, app))
    tests = _compile_tests(libraries)
    host = OUT / "shrunk-tflite"
    host_library(libraries.tensorflow_lite, host)
    path = [configuration(app), tests, shrunk, *libraries.test_jars, libraries.test_frameworks[-1]]
    names = ["org.fermobile.offline.ShrunkTest"]
    step("shrunk", lambda: run_junit(libraries, app, path, names, host))


def _shrink(libraries: Libraries, app: App) -> Path:
    rules = shrinking_rules(libraries, app)

    def make(out: Path) -> None:
        own = jar_of(out.with_name("app.jar"), app.class_path)
        run(
            "java", "-Xmx3g", *QUICK_START, "-cp", join_path([libraries.r8]),
            "com.android.tools.r8.R8", "--release", "--classfile", "--lib", android_jar(libraries),
            "--lib", java_home(), "--pg-conf", rules, "--output", out / "shrunk.jar", own,
            *libraries.jars,
        )  # fmt: skip

    inputs = [*app.class_path, *libraries.jars, rules, libraries.r8]
    return made("shrunk", inputs, [], make) / "shrunk.jar"


def _compile_tests(libraries: Libraries) -> Path:
    sources = sorted(_TESTS.glob("*.java"))
    # javac stumbles over annotations in the framework of Android 15; what is called is older.
    path = [*libraries.test_jars, libraries.test_frameworks[1]]
    options = ("-nowarn", "--release", JVM_TARGET, "-encoding", "UTF-8")
    return made(
        "shrunk-tests", [*sources, *path], options,
        lambda out: run("javac", *options, "-cp", join_path(path), "-d", out, *sources),
    )  # fmt: skip
