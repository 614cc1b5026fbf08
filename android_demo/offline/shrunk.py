"""What R8 leaves on the JVM: of the app by the release's rules, of the snippet without ours.

It writes class files where an APK has dex."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from app import App
from hosttflite import host_library
from libraries import Libraries
from package import android_jar, jar_of, java_home, shrinking_rules
from robolectric import configuration, run_junit
from steps import JVM_TARGET, OUT, QUICK_START, ROOT, join_path, made, run, step

_TESTS = ROOT / "offline/tests/shrunk"
_SNIPPET = """-keep class javaapp.ExpressionClassifier { *; }
-keepclasseswithmembernames,includedescriptorclasses class * { native <methods>; }
-keepattributes *Annotation*
-dontwarn **
"""


def run_shrunk(libraries: Libraries, app: App, consumers: Path) -> None:
    """Shrink the app, and the snippet of the Java `consumers`, and run what is left of each."""
    tests = _compile_tests(libraries, consumers)
    host = OUT / "shrunk-tflite"
    host_library(libraries.tensorflow_lite, host)
    for name, test, shrink in (
        ("app", "ShrunkTest", lambda: _shrink_app(libraries, app)),
        ("snippet", "SnippetTest", lambda: _shrink_snippet(libraries, consumers)),
    ):
        shrunk = step(f"shrink {name}", shrink)
        ours = [configuration(app), tests, shrunk]
        path = [*ours, *libraries.test_jars, libraries.test_frameworks[-1]]
        names = [f"org.fermobile.offline.{test}"]
        step(
            f"shrunk {name}",
            lambda path=path, names=names: run_junit(libraries, app, path, names, host),
        )


def _shrink_app(libraries: Libraries, app: App) -> Path:
    return _shrink(
        libraries, "app", app.class_path, libraries.jars, shrinking_rules(libraries, app)
    )


def _shrink_snippet(libraries: Libraries, consumers: Path) -> Path:
    """By Android's default rule for native methods and TensorFlow Lite's own rules alone."""
    rules = OUT / "snippet.pro"
    own = sorted(libraries.folder.glob("tensorflow*/proguard.txt"))
    rules.write_text(_SNIPPET + "".join(file.read_text() for file in own))
    jars = [jar for jar in libraries.jars if "tensorflow" in str(jar)]
    return _shrink(libraries, "snippet", [consumers], jars, rules)


def _shrink(
    libraries: Libraries, name: str, classes: Sequence[Path], jars: Sequence[Path], rules: Path
) -> Path:
    def make(out: Path) -> None:
        own = jar_of(out.with_name("own.jar"), classes)
        run(
            "java", "-Xmx3g", *QUICK_START, "-cp", join_path([libraries.r8]),
            "com.android.tools.r8.R8", "--release", "--classfile", "--lib", android_jar(libraries),
            "--lib", java_home(), "--pg-conf", rules, "--output", out / "shrunk.jar", own, *jars,
        )  # fmt: skip

    inputs = [*classes, *jars, rules, libraries.r8]
    return made(f"shrunk-{name}", inputs, [], make) / "shrunk.jar"


def _compile_tests(libraries: Libraries, consumers: Path) -> Path:
    sources = sorted(_TESTS.glob("*.java"))
    # javac stumbles over annotations in the framework of Android 15; what is called is older.
    path = [consumers, *libraries.test_jars, libraries.test_frameworks[1]]
    options = ("-nowarn", "--release", JVM_TARGET, "-encoding", "UTF-8")
    return made(
        "shrunk-tests", [*sources, *path], options,
        lambda out: run("javac", *options, "-cp", join_path(path), "-d", out, *sources),
    )  # fmt: skip
