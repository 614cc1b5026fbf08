"""Manifest, resources and R classes: what the Android Gradle plugin makes before it compiles."""

from __future__ import annotations

import re
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_ANDROID = "http://schemas.android.com/apk/res/android"
_TOOLS = "http://schemas.android.com/tools"
_NAME = f"{{{_ANDROID}}}name"
_COMPONENTS = ("activity", "service", "provider", "receiver")


@dataclass(frozen=True)
class Linked:
    """What aapt2 made."""

    apk: Path
    symbols: Path
    """Every resource with its number (R.txt)."""
    keep_rules: Path
    """What the shrinker has to keep because a manifest or layout names it."""


def merge_manifests(own: Path, libraries: Iterable[Path], out: Path, *, package: str) -> None:
    """The app's manifest with what its libraries add: permissions, components, meta-data.

    An element that both have is the app's; children of a component are united.  No library used
    here has a rule (tools:node) that needs more than that.
    """
    ET.register_namespace("android", _ANDROID)
    tree = ET.parse(own)
    root = tree.getroot()
    root.set("package", package)
    application = root.find("application")
    assert application is not None
    for element in application.iter():
        name = element.get(_NAME, "")
        if name.startswith("."):
            element.set(_NAME, package + name)
    for manifest in libraries:
        library = ET.parse(manifest).getroot()
        for element in library:
            if element.tag == "application":
                for attribute, value in element.attrib.items():
                    if _TOOLS not in attribute:
                        application.attrib.setdefault(attribute, value)
                _unite(application, element)
            elif element.tag != "uses-sdk" and _same(root, element) is None:
                root.insert(0, element)
    for element in root.iter():
        for attribute in [name for name in element.attrib if _TOOLS in name]:
            del element.attrib[attribute]
    text = ET.tostring(root, encoding="unicode").replace("${applicationId}", package)
    out.write_text(f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n', encoding="utf-8")


def _unite(mine: ET.Element, theirs: ET.Element) -> None:
    for element in theirs:
        known = _same(mine, element)
        if known is None:
            mine.append(element)
        elif element.tag in _COMPONENTS:
            _unite(known, element)


def _same(parent: ET.Element, element: ET.Element) -> ET.Element | None:
    name = element.get(_NAME)
    return next((e for e in parent if e.tag == element.tag and e.get(_NAME) == name), None)


def link(
    aapt2: Path,
    framework: Path,
    manifest: Path,
    libraries: Iterable[Path],
    own_resources: Path,
    assets: Path,
    out: Path,
    *,
    min_sdk: str,
    target_sdk: str,
    version: tuple[str, str],
) -> Linked:
    """Compile the app's resources and link them with those of the libraries and the assets."""
    own = out / "resources.zip"
    linked = Linked(out / "resources.apk", out / "R.txt", out / "resources.pro")
    _run(aapt2, "compile", "--dir", own_resources, "-o", own)
    # Overlays win: the app's resources come last.
    overlays = [word for file in (*libraries, own) for word in ("-R", file)]
    _run(
        aapt2, "link", "-o", linked.apk, "-I", framework, "--manifest", manifest,
        "--min-sdk-version", min_sdk, "--target-sdk-version", target_sdk,
        "--version-code", version[0], "--version-name", version[1],
        "--auto-add-overlay", "--no-version-vectors", "--output-text-symbols", linked.symbols,
        "--proguard", linked.keep_rules, "-0", "tflite", "-A", assets, *overlays,
    )  # fmt: skip
    return linked


def _run(*command: object) -> None:
    words = [str(word) for word in command]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{done.stdout}{done.stderr}\naapt2 {words[1]} failed")


def write_r_classes(symbols: Path, libraries: Iterable[Path], package: str, out: Path) -> None:
    """Java sources of R: one class for the app with everything, one a library with its names."""
    numbers = {symbol[:3]: symbol[3] for symbol in _symbols(symbols)}
    _write_r(out, package, numbers, numbers)
    for library in libraries:
        if (library / "R.txt").exists():
            own = ET.parse(library / "AndroidManifest.xml").getroot().get("package", "")
            _write_r(out, own, [symbol[:3] for symbol in _symbols(library / "R.txt")], numbers)


Symbol = tuple[str, str, str]


def _symbols(file: Path) -> Iterator[tuple[str, str, str, str]]:
    """Java type, resource type, name and number of each line."""
    for line in file.read_text(encoding="utf-8").splitlines():
        kind, group, name, number = line.split(" ", 3)
        yield kind, group, name, number


def _write_r(
    out: Path, package: str, symbols: Iterable[Symbol], numbers: dict[Symbol, str]
) -> None:
    groups: dict[str, list[str]] = {}
    for symbol in sorted(set(symbols) & set(numbers)):
        kind, group, name = symbol
        field = f"public static final {kind} {re.sub('[.]', '_', name)} = {numbers[symbol]};"
        groups.setdefault(group, []).append(field)
    if not groups:
        return
    folder = out / package.replace(".", "/")
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"package {package};", "public final class R {"]
    for group, fields in groups.items():
        lines += [f"public static final class {group} {{", *fields, "}"]
    (folder / "R.java").write_text("\n".join([*lines, "}", ""]), encoding="utf-8")
