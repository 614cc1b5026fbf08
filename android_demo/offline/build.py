#!/usr/bin/env python3
"""Builds and proves the app without Gradle: what the Android Gradle plugin does, step by step.

    build.py library             the library :fer, an AAR in build/offline/repository
    build.py classes             library, resources and app compiled against the real framework
    build.py test [CLASS ...]    the same, then the app's tests under Robolectric
    build.py core [--every-face] tests of core and gallery, on this machine and as arm64 code
    build.py shrunk              smoke tests of the app and the snippet as R8 leaves them
    build.py apk                 debug.apk and release.apk, signed and checked
    build.py verify              most of it, two steps at a time: no debug.apk, fewer API levels

What it makes lies in android_demo/build/offline; what can be used again (downloads, classes)
lies in the cache of `maven`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from aar import compile_library
from app import compile_app, compile_gallery
from arm64 import run_arm64
from consumers import compile_consumers
from core_tests import compile_core_tests, run_core_tests, write_answers
from kotlin import Kotlin
from libraries import Libraries
from package import make_debug, make_release
from robolectric import compile_tests, run_tests
from shrunk import run_shrunk
from steps import BuildError, step

EVERY_FACE = "--every-face"
LEVELS = (26, 35)
"""API levels that `verify` runs tests on; each costs 30 s of processor time more."""


def main() -> int:
    """Run one of the commands."""
    commands = {
        "library": library,
        "classes": classes,
        "test": test,
        "core": core,
        "shrunk": shrunk,
        "apk": apk,
        "verify": verify,
    }
    if len(sys.argv) < 2 or sys.argv[1] not in commands:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        commands[sys.argv[1]](*sys.argv[2:])
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def library() -> None:
    """Compile and pack the library."""
    libraries = Libraries()
    compile_library(libraries, Kotlin(libraries))


def classes() -> None:
    """Compile everything but the tests."""
    libraries = Libraries()
    compile_app(libraries, Kotlin(libraries))


def test(*names: str) -> None:
    """Compile and run the app's tests (all, or the classes named)."""
    libraries = Libraries()
    kotlin = Kotlin(libraries)
    app = compile_app(libraries, kotlin)
    run_tests(libraries, app, compile_tests(libraries, kotlin, app), names)


def core(*options: str) -> None:
    """Compile and run core's tests."""
    libraries = Libraries()
    kotlin = Kotlin(libraries)
    compiled = compile_library(libraries, kotlin)
    gallery = compile_gallery(libraries, kotlin, compiled)
    tests = compile_core_tests(libraries, kotlin, compiled, gallery)
    every_face = EVERY_FACE in options
    exports = write_answers(every_model=every_face)
    step(
        "core tests",
        lambda: run_core_tests(libraries, tests, exports, every_face=every_face),
    )
    step("arm64", lambda: run_arm64(libraries.tensorflow_lite, every_face=every_face))


def shrunk() -> None:
    """Shrink the app and the snippet, and run their smoke tests."""
    libraries = Libraries()
    kotlin = Kotlin(libraries)
    app = compile_app(libraries, kotlin)
    run_shrunk(libraries, app, compile_consumers(libraries, kotlin, app.library)[1])


def apk() -> None:
    """Pack, sign and check the debug and the shrunk release APK."""
    libraries = Libraries()
    app = compile_app(libraries, Kotlin(libraries))
    make_debug(libraries, app)
    make_release(libraries, app)


def verify() -> None:
    """Prove most of it on two cores: first compilers and exporter, then the longest step."""
    libraries = Libraries()
    kotlin = Kotlin(libraries)
    with ThreadPoolExecutor(2) as pool:
        answers = pool.submit(write_answers)
        app = compile_app(libraries, kotlin)
        tests = compile_tests(libraries, kotlin, app)
        core_tests = compile_core_tests(libraries, kotlin, app.library, app.gallery)
        kotlin.close()
        exports = answers.result()
        steps: list[tuple[str, Callable[[], None]]] = [
            ("release.apk", lambda: make_release(libraries, app)),
            ("app tests", lambda: run_tests(libraries, app, tests, levels=LEVELS)),
            ("core tests", lambda: run_core_tests(libraries, core_tests, exports)),
            ("arm64", lambda: run_arm64(libraries.tensorflow_lite)),
        ]
        running = [pool.submit(step, name, work) for name, work in steps]
    failed = [str(error) for work in running if (error := work.exception())]
    if failed:
        raise BuildError("\n\n".join(failed))


if __name__ == "__main__":
    sys.exit(main())
