"""The libraries of the lock: fetched, AARs unpacked and their resources compiled."""

from __future__ import annotations

import zipfile
from functools import cached_property
from pathlib import Path

from maven import Artifact, fetch
from resolve import FRAMEWORK, LOCK, TEST_FRAMEWORKS, read_lock
from steps import BuildError, made, run, step


class Libraries:
    """What the app and its tests are compiled against, and the tools that do it."""

    def __init__(self) -> None:
        self._lock = read_lock()
        frameworks = [Artifact.parse(name) for name in (FRAMEWORK, *TEST_FRAMEWORKS.values())]
        everything = [artifact for scope in self._lock.values() for artifact in scope] + frameworks
        step("downloads", lambda: fetch(everything))
        missing = [str(artifact) for artifact in everything if not artifact.path.exists()]
        if missing:
            raise BuildError(f"Maven did not find {', '.join(missing)}")
        self.framework, *self.test_frameworks = [artifact.path for artifact in frameworks]
        self.folder = made("libraries", [LOCK], [], self._unpack)
        self.aapt2 = self.folder / "aapt2"
        self.aars = [self.folder / a.name for a in self._lock["app"] if a.packaging == "aar"]
        self.manifests = [aar / "AndroidManifest.xml" for aar in self.aars]
        self.compiled_resources = sorted(self.folder.glob("*/resources.zip"))

    @cached_property
    def jars(self) -> list[Path]:
        """The app's class path."""
        return [jar for artifact in self._lock["app"] for jar in self._class_path(artifact)]

    @cached_property
    def test_jars(self) -> list[Path]:
        """What the tests have beyond it."""
        own = {artifact.module for artifact in self._lock["app"]}
        return [
            jar
            for artifact in self._lock["test"]
            if artifact.module not in own
            for jar in self._class_path(artifact)
        ]

    @cached_property
    def tools(self) -> list[Path]:
        """Compiler, shrinker and aapt2's jar."""
        return [jar for artifact in self._lock["tools"] for jar in self._class_path(artifact)]

    @property
    def tensorflow_lite(self) -> Path:
        """The interpreter's unpacked AAR."""
        return self.folder / "tensorflow-lite"

    @property
    def r8(self) -> Path:
        """The jar of D8 and R8."""
        return self._tool("r8-")

    def _class_path(self, artifact: Artifact) -> list[Path]:
        if artifact.packaging == "jar":
            return [artifact.path]
        if artifact.packaging == "pom":  # only names others
            return []
        folder = self.folder / artifact.name
        return [jar for jar in (folder / "classes.jar", *folder.glob("libs/*.jar")) if jar.exists()]

    def _unpack(self, folder: Path) -> None:
        aapt2 = folder / "aapt2"
        with zipfile.ZipFile(self._tool("apktool-lib")) as archive:
            aapt2.write_bytes(archive.read("prebuilt/linux/aapt2_64"))
        aapt2.chmod(0o755)
        for artifact in (*self._lock["app"], *self._lock["test"]):
            target = folder / artifact.name
            if artifact.packaging != "aar" or target.exists():
                continue
            with zipfile.ZipFile(artifact.path) as archive:
                archive.extractall(target)
            if any((target / "res").rglob("*.*")):
                run(aapt2, "compile", "--dir", target / "res", "-o", target / "resources.zip")

    def _tool(self, name: str) -> Path:
        return next(jar for jar in self.tools if jar.name.startswith(name))
