"""Code of others: consumers of the library, and the snippets that an app copies.

Each is compiled as an app would, against the AAR and its dependencies alone.  Snippets of both
languages define the same class, so that each gets a package here.
"""

from __future__ import annotations

from pathlib import Path

from aar import Library
from kotlin import Kotlin
from libraries import Libraries
from steps import JVM_TARGET, OUT, ROOT, join_path, made, run, step

from fer_mobile.android import snippet

_CONSUMERS = ROOT / "offline/consumers"


def compile_consumers(libraries: Libraries, kotlin: Kotlin, library: Library) -> list[Path]:
    """The folders with their classes."""
    folder = OUT / "consumers"
    code = {
        "kotlin": {
            "KotlinConsumer.kt": _read("KotlinConsumer.kt"),
            "Snippet.kt": snippet("kotlin"),
        },
        "java": {
            "JavaConsumer.java": _read("JavaConsumer.java"),
            "ExpressionClassifier.java": snippet("java"),
        },
    }
    for language, files in code.items():
        package = folder / f"{language}app"
        package.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (package / name).write_text(f"package {package.name};\n{text}", encoding="utf-8")
    path = [library.jar, *libraries.jars]
    # javac 17 cannot read the framework of Android 16, whose classes are for Java 21.
    java_path = [*path, *libraries.test_jars, libraries.test_frameworks[-1]]
    java = sorted((folder / "javaapp").glob("*.java"))
    options = ("-nowarn", "--release", JVM_TARGET)
    return [
        kotlin.compile("consumers", [folder / "kotlinapp"], [*path, libraries.framework]),
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
