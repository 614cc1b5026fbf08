"""The library :fer as an app takes it: AAR, POM and sources, in a Maven repository of their own."""

from __future__ import annotations

import shutil
import xml.etree.ElementTree as ET
import zipfile
from dataclasses import dataclass
from pathlib import Path

from kotlin import Kotlin
from libraries import Libraries
from resolve import read_catalogue
from steps import OUT, ROOT, BuildError, made

GROUP, NAME = "org.fermobile", "fer"
REPOSITORY = OUT / "repository"
LARGEST = 6_000_000
"""Bytes that the AAR may have."""

_SOURCES = (ROOT / "core/src/main/kotlin", ROOT / "fer/src/main/kotlin")
_YUNET = ROOT.parent / "models/yunet"
_RULES = ROOT / "fer/consumer-rules.pro"
_MANIFEST = """<?xml version="1.0" encoding="utf-8"?>
<manifest xmlns:android="http://schemas.android.com/apk/res/android" package="org.fermobile.fer">
    <uses-sdk android:minSdkVersion="{}" />
</manifest>
"""
_DATE = (2000, 1, 1, 0, 0, 0)
"""Of everything in the archives, so that equal content is equal bytes."""


@dataclass(frozen=True)
class Library:
    """The compiled library."""

    core: Path
    classes: Path
    """Folders of classes: those of :core, and its own."""
    jar: Path
    """Both of them, as they are in the AAR: what an app is compiled against."""
    aar: Path


def compile_library(libraries: Libraries, kotlin: Kotlin) -> Library:
    """Compile :core, which sees no Android, and :fer, and pack them."""
    jars = [jar for jar in libraries.jars if jar.suffix == ".jar" and "kotlin" in jar.name]
    core = kotlin.compile("core", [_SOURCES[0]], jars)
    classes = kotlin.compile("fer", [_SOURCES[1]], [core, *libraries.jars, libraries.framework])
    catalogue = read_catalogue()
    version, min_sdk = catalogue["versions"]["app"], catalogue["versions"]["minSdk"]
    needs = [
        *((module, found, "compile") for module, found in catalogue["fer"].items()),
        *((module, found, "runtime") for module, found in catalogue["core"].items()),
    ]
    assets = {
        "assets/detector/face_detection_yunet.tflite": _YUNET / "face_detection_yunet.tflite",
        "assets/licences/yunet.txt": _YUNET / "LICENSE",
        "proguard.txt": _RULES,
    }
    stem = f"{NAME}-{version}"

    def pack(out: Path) -> None:
        _zip(out / "classes.jar", _files(core, classes))
        members = {"classes.jar": out / "classes.jar", **assets}
        texts = {"AndroidManifest.xml": _MANIFEST.format(min_sdk), "R.txt": ""}
        _zip(out / f"{stem}.aar", members, texts)
        _zip(out / f"{stem}-sources.jar", _files(*_SOURCES))
        _pom(version, needs).write(out / f"{stem}.pom", encoding="utf-8", xml_declaration=True)

    sources = [file for folder in _SOURCES for file in sorted(folder.rglob("*.kt"))]
    inputs = [core, classes, *assets.values(), *sources, Path(__file__).resolve()]
    packed = made("aar", inputs, [version, min_sdk, repr(needs)], pack)
    size = (packed / f"{stem}.aar").stat().st_size
    if size > LARGEST:
        raise BuildError(f"{stem}.aar: expected at most {LARGEST} bytes, found {size}")
    folder = REPOSITORY / GROUP.replace(".", "/") / NAME / version
    folder.mkdir(parents=True, exist_ok=True)
    for file in packed.glob(f"{stem}*"):
        shutil.copy(file, folder)
    print(f"{stem}.aar: {size / 1e6:.2f} MB")
    return Library(core, classes, packed / "classes.jar", folder / f"{stem}.aar")


def _files(*folders: Path) -> dict[str, Path]:
    """Every file by its place below its folder."""
    return {
        file.relative_to(folder).as_posix(): file
        for folder in folders
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def _zip(target: Path, files: dict[str, Path], texts: dict[str, str] | None = None) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (texts or {}).items():
            archive.writestr(zipfile.ZipInfo(name, _DATE), text)
        for name, file in files.items():
            stored = name.endswith(".tflite")  # so that it can be mapped
            kind = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            archive.writestr(zipfile.ZipInfo(name, _DATE), file.read_bytes(), kind)


def _pom(version: str, needs: list[tuple[str, str, str]]) -> ET.ElementTree[ET.Element]:
    project = ET.Element("project")  # Maven needs no namespace
    for name, text in {
        "modelVersion": "4.0.0", "groupId": GROUP, "artifactId": NAME, "version": version,
        "packaging": "aar", "name": "fer-mobile for Android",
    }.items():  # fmt: skip
        ET.SubElement(project, name).text = text
    licence = ET.SubElement(ET.SubElement(project, "licenses"), "license")
    ET.SubElement(licence, "name").text = "Apache-2.0"
    dependencies = ET.SubElement(project, "dependencies")
    for module, found, scope in needs:
        dependency = ET.SubElement(dependencies, "dependency")
        group, _, name = module.partition(":")
        for tag, text in (
            ("groupId", group),
            ("artifactId", name),
            ("version", found),
            ("scope", scope),
        ):
            ET.SubElement(dependency, tag).text = text
    ET.indent(project)
    return ET.ElementTree(project)
