#!/usr/bin/env python3
"""Builds the app without Gradle: what the Android Gradle plugin does, step by step.

    build.py classes     core, resources and app compiled against the real framework
    build.py test        the same, then the app's tests under Robolectric
    build.py apk         the same as classes, then debug.apk and release.apk, signed and checked

Everything it makes lies in android_demo/build/offline; downloads lie in the cache of `maven`.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

import resources
from hosttflite import host_library
from maven import Artifact, fetch
from resolve import (
    FRAMEWORK,
    FRAMEWORK_INSTRUMENTED,
    LOCK,
    OLDEST_API,
    read_catalogue,
    read_lock,
)

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "build/offline"
MAIN = ROOT / "app/src/main"
CORE = OUT / "core"
APP = OUT / "app"
TESTS = OUT / "tests"
PACKAGE = "org.fermobile.gallery"
JVM_TARGET = "11"
QUICK_START = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")
ABIS = ("arm64-v8a", "armeabi-v7a", "x86_64")

T = TypeVar("T")
framework = Artifact.parse(FRAMEWORK).path


def main() -> int:
    """Run one of the commands."""
    commands = {"classes": classes, "test": test, "apk": apk}
    if len(sys.argv) < 2 or sys.argv[1] not in commands:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        commands[sys.argv[1]](*sys.argv[2:])
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


class BuildError(Exception):
    """A step that failed, with what its tool said."""


def classes() -> Libraries:
    """Compile everything but the tests."""
    libraries = Libraries()
    core(libraries)
    step("assets", bundle_assets)
    merged = OUT / "manifest.xml"
    resources.merge_manifests(
        MAIN / "AndroidManifest.xml", libraries.manifests, merged, package=PACKAGE
    )
    versions = read_catalogue()["versions"]
    linked = step(
        "resources",
        lambda: resources.link(
            libraries.aapt2,
            framework,
            merged,
            libraries.compiled_resources,
            MAIN,
            OUT,
            min_sdk=versions["minSdk"],
            target_sdk=versions["targetSdk"],
            version=(versions["appCode"], versions["app"]),
        ),
    )
    r_classes = OUT / "r"
    step("R classes", lambda: _r_classes(libraries, linked, r_classes))
    path = [r_classes, CORE, *libraries.jars, framework]
    step("app", lambda: kotlinc(libraries, [MAIN / "kotlin"], path, APP))
    return libraries


def core(libraries: Libraries) -> None:
    """Compile :core, which sees no Android."""
    jars = [jar for jar in libraries.jars if jar.suffix == ".jar" and "kotlin" in jar.name]
    step("core", lambda: kotlinc(libraries, [ROOT / "core/src/main/kotlin"], jars, CORE))


def test(*names: str) -> None:
    """Compile and run the app's tests (all, or the classes named), on the JVM."""
    libraries = classes()
    path = [APP, OUT / "r", CORE, *libraries.jars, *libraries.test_jars, framework]
    step("tests", lambda: kotlinc(libraries, [ROOT / "app/src/test/kotlin"], path, TESTS))
    found = sorted(
        ".".join(file.relative_to(TESTS).with_suffix("").parts)
        for file in TESTS.rglob("*Test.class")
    )
    chosen = [name for name in found if not names or name.rpartition(".")[2] in names]
    host = OUT / "robolectric-tflite"  # of its own: a loaded library must not be written again
    step("TensorFlow Lite", lambda: host_library(libraries.folder / "tensorflow-lite", host))
    step("predictions", _predict)
    step("Robolectric", lambda: _robolectric(path, chosen, host))


def apk() -> None:
    """Pack, sign and check the debug and the shrunk release APK."""
    import package

    package.build(classes())


class Libraries:
    """What the lock names, fetched; AARs unpacked and their resources compiled, once a lock."""

    def __init__(self) -> None:
        lock = read_lock()
        everything = [artifact for scope in lock.values() for artifact in scope]
        step("downloads", lambda: fetch(everything))
        missing = [str(artifact) for artifact in everything if not artifact.path.exists()]
        if missing:
            raise BuildError(f"Maven did not find {', '.join(missing)}")
        key = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]
        self.folder = OUT / f"libraries-{key}"
        self.tools = [jar for artifact in lock["tools"] for jar in self._class_path(artifact)]
        self.aapt2 = self.folder / "aapt2"
        if not self.folder.exists():
            step("libraries", lambda: self._unpack(lock))
        self.aars = [self.folder / a.name for a in lock["app"] if a.packaging == "aar"]
        self.manifests = [aar / "AndroidManifest.xml" for aar in self.aars]
        self.compiled_resources = sorted(self.folder.glob("*/resources.zip"))
        self.jars = [jar for a in lock["app"] for jar in self._class_path(a)]
        own = {artifact.module for artifact in lock["app"]}
        self.test_jars = [
            jar
            for a in lock["test"]
            if a.module not in own and not a.name.startswith("android-all")
            for jar in self._class_path(a)
        ]

    def _class_path(self, artifact: Artifact) -> list[Path]:
        if artifact.packaging == "jar":
            return [artifact.path]
        if artifact.packaging == "pom":  # only names others
            return []
        folder = self.folder / artifact.name
        return [jar for jar in (folder / "classes.jar", *folder.glob("libs/*.jar")) if jar.exists()]

    def _unpack(self, lock: dict[str, list[Artifact]]) -> None:
        part = self.folder.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        aapt2 = part / "aapt2"
        with zipfile.ZipFile(self._tool("apktool-lib")) as archive:
            aapt2.write_bytes(archive.read("prebuilt/linux/aapt2_64"))
        aapt2.chmod(0o755)
        for artifact in (*lock["app"], *lock["test"]):
            folder = part / artifact.name
            if artifact.packaging != "aar" or folder.exists():
                continue
            with zipfile.ZipFile(artifact.path) as archive:
                archive.extractall(folder)
            if any((folder / "res").rglob("*.*")):
                run(aapt2, "compile", "--dir", folder / "res", "-o", folder / "resources.zip")
        part.rename(self.folder)

    def _tool(self, name: str) -> Path:
        return next(jar for jar in self.tools if jar.name.startswith(name))

    @property
    def r8(self) -> Path:
        """The jar of D8 and R8."""
        return self._tool("r8-")


def kotlinc(
    libraries: Libraries, sources: list[Path], class_path: Iterable[Path], out: Path
) -> None:
    """Compile Kotlin sources, unless `out` was made of the very same ones already."""
    files = sorted(
        file
        for source in sources
        for file in (source.rglob("*.kt") if source.is_dir() else [source])
    )
    places = list(class_path)
    path = join_path(places)
    # What was compiled here changes under the same name; its stamp tells.
    compiled = [place.with_suffix(".stamp") for place in places if place.is_dir()]
    key = digest([*files, *compiled], path)
    stamp = out.with_suffix(".stamp")
    if stamp.exists() and stamp.read_text() == key:
        return
    shutil.rmtree(out, ignore_errors=True)
    run(
        "java", "-Xmx1500m", *QUICK_START, "-cp", join_path(libraries.tools),
        "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler", "-no-stdlib", "-no-reflect", "-Werror",
        # The framework's own null annotations are stricter than those of the SDK that apps see.
        "-Xnullability-annotations=@android.annotation:ignore",
        "-jvm-target", JVM_TARGET, "-cp", path, "-d", out, *files,
    )  # fmt: skip
    stamp.write_text(key)


def bundle_assets() -> None:
    """The models and photos of the checkout, as the Gradle build bundles them too."""
    fer_mobile("android", "bundle", MAIN / "assets")


def fer_mobile(*arguments: object) -> str:
    """Run the package's command line; what it prints."""
    return run(sys.executable, "-c", "from fer_mobile.cli import main; main()", *arguments)


def _r_classes(libraries: Libraries, linked: resources.Linked, out: Path) -> None:
    sources = OUT / "r-sources"
    shutil.rmtree(sources, ignore_errors=True)
    resources.write_r_classes(linked.symbols, libraries.aars, PACKAGE, sources)
    files = sorted(sources.rglob("*.java"))
    key = digest(files, "")
    stamp = out.with_suffix(".stamp")
    if stamp.exists() and stamp.read_text() == key:
        return
    shutil.rmtree(out, ignore_errors=True)
    run("javac", "-nowarn", "--release", JVM_TARGET, "-d", out, *files)
    stamp.write_text(key)


_CHATTER = re.compile(r"(INFO|VERBOSE|WARNING):|\s+at |\S* ?\w+ \d+, \d{4}|$")
_OPENED = ("lang", "util", "io", "nio", "net", "lang.reflect")


def _predict() -> None:
    """What the Python package says of the bundled photos."""
    photos = sorted(ROOT.parent.glob("fer_mobile/photos/affective-25/*.[jp]*g"))
    rows = fer_mobile("predict", *photos, "--json")
    (OUT / "expected.json").write_text(rows, encoding="utf-8")


def _robolectric(class_path: list[Path], names: list[str], host: Path) -> None:
    """Run JUnit classes with the framework's own code, resources and native graphics."""
    config = OUT / "robolectric/com/android/tools/test_config.properties"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(
        f"android_resource_apk={OUT / 'resources.apk'}\n"
        f"android_merged_manifest={OUT / 'manifest.xml'}\n"
        f"android_merged_assets={MAIN / 'assets'}\n"
        f"android_custom_package={PACKAGE}\n"
    )
    frameworks = OUT / "frameworks"
    frameworks.mkdir(exist_ok=True)
    instrumented = Artifact.parse(FRAMEWORK_INSTRUMENTED).path
    link = frameworks / instrumented.name
    link.unlink(missing_ok=True)
    link.symlink_to(instrumented)
    opens = [f"--add-opens=java.base/java.{name}=ALL-UNNAMED" for name in _OPENED]
    log = OUT / "robolectric.log"
    try:
        said = run(
            "java", "-Xmx3g", "-XX:TieredStopAtLevel=1", "-XX:ActiveProcessorCount=2",
            f"-XX:ErrorFile={OUT}/crash.log",
            "-Drobolectric.offline=true", f"-Drobolectric.dependency.dir={frameworks}",
            f"-Dfermobile.root={ROOT.parent}", f"-Dfermobile.out={OUT}",
            f"-Dfermobile.oldest={Artifact.parse(OLDEST_API).path}",
            f"-Dfermobile.record={os.environ.get('RECORD', 'false')}",
            f"-Djava.library.path={host}",
            *opens, "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
            "-cp", join_path([OUT / "robolectric", TESTS, *class_path]),
            "org.junit.runner.JUnitCore", *names,
            environment={"LD_LIBRARY_PATH": str(host)},
        )  # fmt: skip
    except BuildError as error:
        log.write_text(str(error), encoding="utf-8")
        lines = [line for line in str(error).splitlines() if not _CHATTER.match(line)]
        raise BuildError("\n".join([*lines, f"all of it: {log}"])) from error
    log.write_text(said, encoding="utf-8")
    print("\n".join(line for line in said.splitlines() if line.startswith("OK (")))


def join_path(files: Iterable[Path]) -> str:
    """A class path."""
    return os.pathsep.join(str(file) for file in files)


def step(name: str, work: Callable[[], T]) -> T:
    """Do `work` and say how long it took."""
    start = time.monotonic()
    result = work()
    print(f"{name}: {time.monotonic() - start:.1f} s", flush=True)
    return result


def run(*command: object, environment: Mapping[str, str] | None = None) -> str:
    """Run a tool; its output, or a BuildError with it."""
    words = [str(word) for word in command]
    done = subprocess.run(
        words,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **(environment or {})},
    )
    if done.returncode:
        failed = f"{Path(words[0]).name} failed with exit code {done.returncode}"
        raise BuildError(f"{done.stdout}\n{failed}")
    return done.stdout


def digest(files: list[Path], text: str) -> str:
    """A checksum of the files' names and contents and of a text."""
    total = hashlib.sha256(text.encode())
    for file in files:
        total.update(str(file).encode())
        total.update(file.read_bytes())
    return total.hexdigest()


if __name__ == "__main__":
    sys.exit(main())
