"""The app's tests on the JVM: the framework's own code, resources and native graphics."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from app import ASSETS, MANIFEST, App
from consumers import compile_consumers
from hosttflite import host_library
from kotlin import Kotlin
from libraries import Libraries
from maven import Artifact
from python_side import write_forged, write_own_labels, write_unpreparable
from resolve import OLDEST_API, TEST_FRAMEWORKS
from steps import (
    OUT,
    PACKAGE,
    QUICK_START,
    ROOT,
    BuildError,
    fer_mobile,
    join_path,
    junit_classes,
    run,
    step,
)

_CHATTER = re.compile(r"(INFO|VERBOSE|WARNING):|\s+at |\S* ?\w+ \d+, \d{4}|$")
_OPENED = ("lang", "util", "io", "nio", "net", "lang.reflect")


def compile_tests(libraries: Libraries, kotlin: Kotlin, app: App) -> list[Path]:
    """The classes of the app's tests, and of the library's consumers that they run."""
    consumers = compile_consumers(libraries, kotlin, app.library)
    sources = [ROOT / "app/src/test/kotlin", ROOT / "offline/tests/android"]
    path = [*consumers, *app.class_path, *libraries.jars, *libraries.test_jars]
    return [kotlin.compile("app tests", sources, [*path, libraries.framework]), *consumers]


def run_tests(
    libraries: Libraries,
    app: App,
    tests: list[Path],
    names: Iterable[str] = (),
    *,
    levels: Iterable[int] = tuple(TEST_FRAMEWORKS),
) -> None:
    """Run the app's tests (all, or the classes named), on these API levels of Android.

    Their classes are in the first folder.  Raises BuildError for a name that is none of theirs.
    """
    chosen = choose(junit_classes(tests[0]), names)
    host = OUT / "robolectric-tflite"  # of its own: a loaded library must not be written again
    host_library(libraries.tensorflow_lite, host)
    step("predictions", _predict)
    path = [
        *(configuration(app), *tests, *app.class_path),
        # The newest framework that this Java can read; Robolectric takes another one where asked.
        *(*libraries.jars, *libraries.test_jars, libraries.test_frameworks[-1]),
    ]
    # The interpreter's library belongs to the class loader of one Android in a process.
    old = [name for name in chosen if "OldAndroid" in name]
    for group in (old, [name for name in chosen if name not in old]):
        if group:
            step(
                "Robolectric",
                lambda group=group: run_junit(libraries, app, path, group, host, levels),
            )


def choose(classes: Iterable[str], names: Iterable[str]) -> list[str]:
    """The classes that are named, with or without their package; all where none is."""
    classes, wanted = list(classes), set(names)
    known = {name.rpartition(".")[2]: name for name in classes}
    if unknown := sorted(wanted - known.keys() - set(classes)):
        raise BuildError(
            f"expected test classes: {', '.join(sorted(known))}; found {', '.join(unknown)}"
        )
    return [name for short, name in known.items() if not wanted or {short, name} & wanted]


def _predict() -> None:
    """What the Python package says of the bundled photos."""
    photos = sorted(ROOT.parent.glob("fer_mobile/photos/affective-25/*.[jp]*g"))
    rows = fer_mobile("predict", *photos, "--json")
    (OUT / "expected.json").write_text(rows, encoding="utf-8")
    write_unpreparable(OUT / "unpreparable.tflite")
    write_forged(OUT / "forged.tflite")
    write_own_labels(OUT / "own-labels.tflite")


def configuration(app: App) -> Path:
    """The folder in which Robolectric looks for the app."""
    folder = OUT / "robolectric"
    config = folder / "com/android/tools/test_config.properties"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(
        f"android_resource_apk={app.resources.apk}\n"
        f"android_merged_manifest={MANIFEST}\n"
        f"android_merged_assets={ASSETS}\n"
        f"android_custom_package={PACKAGE}\n"
    )
    return folder


def _frameworks(libraries: Libraries) -> Path:
    """The folder in which Robolectric looks for Android."""
    folder = OUT / "frameworks"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for jar in libraries.test_frameworks:
        (folder / jar.name).symlink_to(jar)
    return folder


def run_junit(
    libraries: Libraries,
    app: App,
    class_path: list[Path],
    names: list[str],
    host: Path,
    levels: Iterable[int] = tuple(TEST_FRAMEWORKS),
) -> None:
    """Run test classes under Robolectric, with the interpreter's library in `host`."""
    opens = [f"--add-opens=java.base/java.{name}=ALL-UNNAMED" for name in _OPENED]
    log = OUT / "robolectric.log"
    try:
        said = run(
            "java", "-Xmx3g", *QUICK_START, "-XX:ActiveProcessorCount=2",
            f"-XX:ErrorFile={OUT}/crash.log",
            "-Drobolectric.offline=true", f"-Drobolectric.dependency.dir={_frameworks(libraries)}",
            f"-Drobolectric.enabledSdks={','.join(map(str, levels))}",
            f"-Dfermobile.root={ROOT.parent}", f"-Dfermobile.out={OUT}",
            f"-Dfermobile.classes={join_path(app.kotlin)}",
            f"-Dfermobile.oldest={Artifact.parse(OLDEST_API).path}",
            f"-Dfermobile.record={os.environ.get('RECORD', 'false')}",
            f"-Djava.library.path={host}",
            *opens, "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
            "-cp", join_path(class_path),
            "org.junit.runner.JUnitCore", *names,
            environment={"LD_LIBRARY_PATH": str(host)},
        )  # fmt: skip
    except BuildError as error:
        log.write_text(str(error), encoding="utf-8")
        lines = [line for line in str(error).splitlines() if not _CHATTER.match(line)]
        raise BuildError("\n".join([*lines, f"all of it: {log}"])) from error
    log.write_text(said, encoding="utf-8")
    print("\n".join(line for line in said.splitlines() if line.startswith("OK (")))
