#!/usr/bin/env python3
"""Makes deps.lock of the version catalogue, or (--check) tells whether the two agree.

Gradle takes the newest version of a module that anything asks for; Maven takes the nearest and
stops at AndroidX's hard ranges.  So the POMs are walked here by Gradle's rule and Maven only
downloads.
"""

from __future__ import annotations

import re
import sys
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path

from maven import Artifact, fetch

HERE = Path(__file__).parent
CATALOGUE = HERE.parent / "gradle/libs.versions.toml"
LOCK = HERE / "deps.lock"

# The one substitution: LiteRT is not on Maven Central.  TensorFlow Lite 2.16.1, the last one that
# is, has the same org.tensorflow.lite classes.  Its libraries are aligned to 4 KB, so for phones
# with 16-KB pages and for the Play Store the Gradle build takes LiteRT, as the catalogue says.
SUBSTITUTES = {"com.google.ai.edge.litert:litert": "org.tensorflow:tensorflow-lite:2.16.1"}

# What Android Studio brings along and this build has to fetch; {kotlin} is the catalogue's.
TOOLS = (
    "org.jetbrains.kotlin:kotlin-compiler-embeddable:{kotlin}",
    "com.android.tools:r8:8.13.19",
    "org.apktool:apktool-lib:2.12.1",  # holds a current aapt2
)
# Android 16, which compileSdk names.  Only compilers read it: its classes are for Java 21.
FRAMEWORK = "org.robolectric:android-all:16-robolectric-13921718"
# What tests run on, by API level.  On 36 Robolectric needs Java 21.
TEST_FRAMEWORKS = {
    26: "org.robolectric:android-all-instrumented:8.0.0_r4-robolectric-r1-i7",
    30: "org.robolectric:android-all-instrumented:11-robolectric-6757853-i7",
    33: "org.robolectric:android-all-instrumented:13-robolectric-9030017-i7",
    34: "org.robolectric:android-all-instrumented:14-robolectric-10818077-i7",
    35: "org.robolectric:android-all-instrumented:15-robolectric-13954326-i7",
}
# Every class and method of the SDK of minSdk; the framework above has more.
OLDEST_API = "net.sf.androidscents.signature:android-api-level-24:7.0_r2:signature"
SCOPES = ("app", "test", "tools")

# Groups whose modules go together in one version; only Gradle's own metadata says so.
ALIGNED = ("androidx.activity", "androidx.emoji2", "androidx.lifecycle")

_ANY = "{*}"  # a POM may state its namespace or not


def main() -> int:
    """Write or check the lock."""
    if sys.argv[1:] == ["--check"]:
        faults = disagreements(read_catalogue(), read_lock())
        print("\n".join(faults) or "version catalogue and lock agree")
        return 1 if faults else 0
    lock: dict[str, list[Artifact]] = {}
    for scope, roots in roots_by_scope(read_catalogue()).items():
        lock[scope] = resolve(roots)
        print(f"{scope}: {len(lock[scope])} artifacts")
    lines = [f"{scope} {artifact}\n" for scope in SCOPES for artifact in lock[scope]]
    LOCK.write_text("".join(lines), encoding="utf-8")
    return 0


def read_catalogue() -> dict[str, dict[str, str]]:
    """The catalogue's modules with their versions, by bundle; "versions" has all versions."""
    toml = tomllib.loads(CATALOGUE.read_text(encoding="utf-8"))
    versions = toml["versions"]
    modules = {
        alias: (entry["module"], versions[entry["version"]["ref"]])
        for alias, entry in toml["libraries"].items()
    }
    bundles = {name: dict(modules[a] for a in names) for name, names in toml["bundles"].items()}
    return {**bundles, "versions": versions}


def read_lock() -> dict[str, list[Artifact]]:
    """The lock's artifacts by scope."""
    lock: dict[str, list[Artifact]] = {scope: [] for scope in SCOPES}
    for line in LOCK.read_text(encoding="utf-8").splitlines():
        scope, _, artifact = line.partition(" ")
        lock[scope].append(Artifact.parse(artifact))
    return lock


def roots_by_scope(catalogue: dict[str, dict[str, str]]) -> dict[str, list[Artifact]]:
    """What each scope starts from."""
    app = {**catalogue["core"], **catalogue["fer"], **catalogue["app"]}
    named = {
        "app": [SUBSTITUTES.get(module, f"{module}:{version}") for module, version in app.items()],
        "test": [
            *(f"{module}:{version}" for module, version in catalogue["test"].items()),
            OLDEST_API,
        ],
        "tools": [tool.format(**catalogue["versions"]) for tool in TOOLS],
    }
    return {scope: [Artifact.parse(name) for name in names] for scope, names in named.items()}


def disagreements(
    catalogue: dict[str, dict[str, str]], lock: dict[str, list[Artifact]]
) -> list[str]:
    """A line for each module whose version in the lock is not the catalogue's."""
    faults = []
    for scope, roots in roots_by_scope(catalogue).items():
        locked = {artifact.module: artifact.version for artifact in lock[scope]}
        faults += [
            f"{scope} {root.module}: expected {root.version} as in {CATALOGUE.name}, "
            f"found {locked.get(root.module, 'nothing')} in {LOCK.name}. Run offline/resolve.py."
            for root in roots
            if locked.get(root.module) != root.version
        ]
    return faults


def resolve(roots: list[Artifact]) -> list[Artifact]:
    """Everything that `roots` need, each module in the newest version anything asks for."""
    newest: dict[str, Artifact] = {}
    queue = list(roots)
    while queue:
        fetch(queue, poms=True)
        found: list[Artifact] = []
        for artifact in queue:
            known = newest.get(artifact.module)
            if known is None or _order(artifact.version) > _order(known.version):
                newest[artifact.module] = artifact
                found += _dependencies(artifact)
        queue = found or _behind(newest)
    # Versions that lost have asked for modules that nothing needs any more: walk once again.
    needed: dict[str, Artifact] = {}
    modules = [root.module for root in roots]
    while modules:
        module = modules.pop()
        if module not in needed:
            needed[module] = newest[module]
            modules += [dependency.module for dependency in _dependencies(newest[module])]
    named = {root.module: root.packaging for root in roots if root.packaging != "jar"}
    kinds = ((a, named.get(a.module) or _packaging(a)) for a in sorted(needed.values()))
    return [
        Artifact(a.group, a.name, a.version, kind)
        for a, kind in kinds
        if kind in ("jar", "aar", "pom", "signature")
    ]


def _behind(newest: dict[str, Artifact]) -> list[Artifact]:
    """The modules of aligned groups that are older than their group, in its version."""
    behind = []
    for group in ALIGNED:
        modules = [artifact for artifact in newest.values() if artifact.group == group]
        version = max((artifact.version for artifact in modules), key=_order, default="")
        behind += [Artifact(group, a.name, version) for a in modules if a.version != version]
    return behind


def _order(version: str) -> list[tuple[int, int, str]]:
    parts = re.split(r"[.\-]", version)
    return [(1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts]


def _root(artifact: Artifact) -> ET.Element:
    return ET.parse(artifact.pom).getroot()


def _packaging(artifact: Artifact) -> str:
    if not artifact.pom.exists():
        return "missing"
    kind = _root(artifact).findtext(f"{_ANY}packaging", "jar")
    return "jar" if kind == "bundle" else kind


def _dependencies(artifact: Artifact) -> list[Artifact]:
    """What an artifact's POM asks for at run time."""
    if not artifact.pom.exists():
        return []
    root = _root(artifact)
    properties = {"project.version": artifact.version, "project.groupId": artifact.group}
    for entry in root.findall(f"{_ANY}properties/*"):
        properties[entry.tag.rpartition("}")[2]] = entry.text or ""

    def value(entry: ET.Element, name: str) -> str:
        text = entry.findtext(f"{_ANY}{name}", "")
        return re.sub(r"\$\{([^}]+)\}", lambda m: properties.get(m[1], m[0]), text)

    managed = {
        (value(entry, "groupId"), value(entry, "artifactId")): value(entry, "version")
        for entry in root.findall(f"{_ANY}dependencyManagement/{_ANY}dependencies/{_ANY}dependency")
    }
    found = []
    for entry in root.findall(f"{_ANY}dependencies/{_ANY}dependency"):
        scope = entry.findtext(f"{_ANY}scope", "compile")
        if scope not in ("compile", "runtime") or value(entry, "optional") == "true":
            continue
        key = (value(entry, "groupId"), value(entry, "artifactId"))
        version = (value(entry, "version") or managed.get(key, "")).strip("[]").split(",")[0]
        if version and "$" not in version:
            found.append(Artifact(*key, version))
    return found


if __name__ == "__main__":
    sys.exit(main())
