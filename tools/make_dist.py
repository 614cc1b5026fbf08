"""Makes what a release consists of, in dist/.

python -m tools.make_dist [FILE ...]

The sdist and the wheel, checked by twine; the models with cards, licences and checksums as a zip;
the Android library and app, built without Google's servers where a JDK and Maven are there; the
changelog's section; FILEs that were built elsewhere, such as an APK by Gradle; SHA256SUMS of all.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from fer_mobile import __version__

ROOT: Final = Path(__file__).resolve().parent.parent
DIST: Final = ROOT / "dist"
ANDROID: Final = ROOT / "android_demo"
_ANDROID_TOOLS: Final = ("javac", "mvn", "zipalign", "apksigner")
_KEPT: Final = {".tflite", ".json", ".md", ".png", ".onnx", ""}
"""Suffixes of what users of the files need; float weights are in the wheel."""
_DATE: Final = (1980, 1, 1, 0, 0, 0)


def models_archive(target: Path) -> None:
    """Write the shipped files with their contracts, cards, licences and checksums as a zip.

    The pictures that the cards show from elsewhere come along.  The same models give the same
    bytes.
    """
    models = ROOT / "models"
    files = sorted(path for path in models.rglob("*") if path.suffix in _KEPT and path.is_file())
    contents = {f"models/{path.relative_to(models)}": path.read_bytes() for path in files}
    contents["models/SHA256SUMS"] = checksums(
        (name.removeprefix("models/"), content) for name, content in contents.items()
    ).encode()
    for card in sorted(models.glob("*/card.md")):
        for link in re.findall(r"\]\((\.\./[^)]+)\)", card.read_text(encoding="utf-8")):
            picture = (card.parent / link).resolve()
            contents[str(picture.relative_to(ROOT))] = picture.read_bytes()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(zipfile.ZipInfo(name, _DATE), content, zipfile.ZIP_DEFLATED)


def checksums(files: Iterable[tuple[str, bytes]]) -> str:
    """Lines that `sha256sum --check` reads."""
    return "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in files)


def changelog_section(version: str) -> str:
    """What the changelog says of a version, or of what is unreleased where it has none yet."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## \[?([\w.]+)\]?[^\n]*\n(.*?)(?=^## |\Z)", text, re.S | re.M))
    return str(sections.get(version) or sections["Unreleased"]).strip() + "\n"


def main(given: list[str]) -> None:
    """Make everything anew."""
    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir()
    _run("build", "--no-isolation", "--outdir", str(DIST), str(ROOT))
    _run("twine", "check", "--strict", *map(str, sorted(DIST.iterdir())))
    models_archive(DIST / f"fer-mobile-models-{__version__}.zip")
    (DIST / "CHANGES.md").write_text(changelog_section(__version__), encoding="utf-8")
    for name, source in android_files():
        shutil.copy(source, DIST / name)
    for file in map(Path, given):
        shutil.copy(file, DIST)
    made = [(path.name, path.read_bytes()) for path in sorted(DIST.iterdir())]
    (DIST / "SHA256SUMS").write_text(checksums(made), encoding="utf-8")
    for name, content in made:
        print(f"{DIST / name}: {len(content) / 1e6:.2f} MB")


def android_files() -> list[tuple[str, Path]]:
    """The library's AAR, POM and sources and the app's APK, by their names in a release.

    Where tools for them are missing, there are none and a line says so.
    """
    missing = [tool for tool in _ANDROID_TOOLS if shutil.which(tool) is None]
    if missing:
        print(f"left out: the Android library and app, which need {', '.join(missing)}")
        return []
    for command in ("library", "apk"):
        subprocess.run([sys.executable, ANDROID / "offline/build.py", command], check=True)
    built = ANDROID / "build/offline"
    library = sorted((built / "repository").rglob(f"fer-{__version__}*"))
    app = f"fer-mobile-gallery-{__version__}-offline.apk"
    return [(path.name, path) for path in library if path.is_file()] + [
        (app, built / "apk/release.apk")
    ]


def _run(module: str, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", module, *arguments], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
