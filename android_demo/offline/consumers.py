"""Code of others: consumers of the library, and the snippets that an app copies.

Each is compiled as an app would, against the AAR and its dependencies alone.  The snippets define
the same class, so that each gets a package of its own.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from aar import Library
from kotlin import Kotlin
from libraries import Libraries
from steps import JVM_TARGET, OUT, ROOT, join_path, made, run, step

from fer_mobile.snippet import snippet

_CONSUMERS = ROOT / "offline/consumers"
_SEVEN = "compact_fer2013"
"""A model with other labels than the snippets have as they are."""


def compile_consumers(libraries: Libraries, kotlin: Kotlin, library: Library) -> list[Path]:
    """The folders with their classes."""
    folder = OUT / "consumers"
    code = {
        "kotlinapp": {
            "ExpressionViewModel.kt": _read("ExpressionViewModel.kt"),
            "Snippet.kt": snippet("kotlin"),
        },
        "kotlinseven": {"Snippet.kt": snippet("kotlin", _SEVEN)},
        "javaapp": {
            "Expressions.java": _read("Expressions.java"),
            "ExpressionClassifier.java": snippet("java"),
        },
        "javaseven": {"ExpressionClassifier.java": snippet("java", _SEVEN)},
    }
    shutil.rmtree(folder, ignore_errors=True)
    for name, files in code.items():
        package = folder / name
        package.mkdir(parents=True)
        for file, text in files.items():
            (package / file).write_text(f"package {name};\n{text}", encoding="utf-8")
    path = [library.jar, *libraries.jars]
    # javac 17 cannot read the framework of Android 16, whose classes are for Java 21.
    java_path = [*path, *libraries.test_jars, libraries.test_frameworks[-1]]
    java = sorted(folder.rglob("*.java"))
    options = ("-nowarn", "--release", JVM_TARGET)
    return [
        kotlin.compile("consumers", [folder], [*path, libraries.framework]),
        step(
            "compile Java consumers",
            lambda: made(
                "java-consumers", [*java, *java_path], options,
                lambda out: run("javac", *options, "-cp", join_path(java_path), "-d", out, *java),
            ),
        ),
    ]  # fmt: skip


def _read(name: str) -> str:
    return (_CONSUMERS / name).read_text(encoding="utf-8")
