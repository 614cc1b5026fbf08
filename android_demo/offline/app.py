"""The app without Gradle: library, resources, R classes and the app itself, compiled."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import resources
from aar import Library, compile_library
from kotlin import Kotlin
from libraries import Libraries
from resolve import read_catalogue
from steps import JVM_TARGET, MAIN, OUT, PACKAGE, ROOT, fer_mobile, made, run, step

MANIFEST = OUT / "manifest.xml"
ASSETS = OUT / "assets"


@dataclass(frozen=True)
class App:
    """The compiled app."""

    library: Library
    gallery: Path
    """Classes of :gallery, which sees no Android."""
    r: Path
    classes: Path
    resources: resources.Linked

    @property
    def kotlin(self) -> tuple[Path, ...]:
        """The folders of classes that were written here."""
        return (self.library.core, self.library.classes, self.gallery, self.classes)

    @property
    def class_path(self) -> tuple[Path, ...]:
        """All of its classes; those of the library as they are in the AAR."""
        return (self.classes, self.r, self.gallery, self.library.jar)


def compile_gallery(libraries: Libraries, kotlin: Kotlin, library: Library) -> Path:
    """The classes of :gallery."""
    return kotlin.compile(
        "gallery", [ROOT / "gallery/src/main/kotlin"], [library.core, *libraries.jars]
    )


def compile_app(libraries: Libraries, kotlin: Kotlin) -> App:
    """Everything but the tests, against the framework's own classes."""
    OUT.mkdir(parents=True, exist_ok=True)
    library = compile_library(libraries, kotlin)
    gallery = compile_gallery(libraries, kotlin, library)
    step("assets", lambda: fer_mobile("android", "bundle", ASSETS, "--photos"))
    linked = step("resources", lambda: _link(libraries))
    r = step("R classes", lambda: _r_classes(libraries, linked))
    path = [r, gallery, library.jar, *libraries.jars, libraries.framework]
    return App(library, gallery, r, kotlin.compile("app", [MAIN / "kotlin"], path), linked)


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
