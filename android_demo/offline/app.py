"""The app without Gradle: core, resources, R classes and the app itself, compiled."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import resources
from kotlin import Kotlin
from libraries import Libraries
from resolve import read_catalogue
from steps import JVM_TARGET, MAIN, OUT, PACKAGE, ROOT, fer_mobile, made, run, step

MANIFEST = OUT / "manifest.xml"
ASSETS = OUT / "assets"


@dataclass(frozen=True)
class App:
    """The compiled app."""

    core: Path
    r: Path
    classes: Path
    resources: resources.Linked

    @property
    def folders(self) -> tuple[Path, Path, Path]:
        """All of its classes."""
        return (self.classes, self.r, self.core)


def compile_core(libraries: Libraries, kotlin: Kotlin) -> Path:
    """The classes of :core, which sees no Android."""
    jars = [jar for jar in libraries.jars if jar.suffix == ".jar" and "kotlin" in jar.name]
    return kotlin.compile("core", [ROOT / "core/src/main/kotlin"], jars)


def compile_app(libraries: Libraries, kotlin: Kotlin) -> App:
    """Everything but the tests, against the framework's own classes."""
    OUT.mkdir(parents=True, exist_ok=True)
    core = compile_core(libraries, kotlin)
    step("assets", lambda: fer_mobile("android", "bundle", ASSETS, "--photos"))
    linked = step("resources", lambda: _link(libraries))
    r = step("R classes", lambda: _r_classes(libraries, linked))
    path = [r, core, *libraries.jars, libraries.framework]
    return App(core, r, kotlin.compile("app", [MAIN / "kotlin"], path), linked)


def _link(libraries: Libraries) -> resources.Linked:
    resources.merge_manifests(
        MAIN / "AndroidManifest.xml", libraries.manifests, MANIFEST, package=PACKAGE
    )
    versions = read_catalogue()["versions"]
    return resources.link(
        libraries.aapt2,
        libraries.framework,
        MANIFEST,
        libraries.compiled_resources,
        MAIN / "res",
        ASSETS,
        OUT,
        min_sdk=versions["minSdk"],
        target_sdk=versions["targetSdk"],
        version=(versions["appCode"], versions["app"]),
    )


def _r_classes(libraries: Libraries, linked: resources.Linked) -> Path:
    sources = OUT / "r-sources"
    shutil.rmtree(sources, ignore_errors=True)
    resources.write_r_classes(linked.symbols, libraries.aars, PACKAGE, sources)
    files = sorted(sources.rglob("*.java"))
    options = ("-nowarn", "--release", JVM_TARGET)
    return made("r", files, options, lambda out: run("javac", *options, "-d", out, *files))
