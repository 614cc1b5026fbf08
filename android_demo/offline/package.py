"""The APKs: dexed, packed, aligned, signed, and looked at afterwards."""

from __future__ import annotations

import os
import re
import shutil
import struct
import zipfile
from collections.abc import Iterable
from pathlib import Path

from app import App
from libraries import Libraries
from resolve import read_catalogue
from steps import OUT, PACKAGE, QUICK_START, ROOT, BuildError, join_path, made, run

FOLDER = OUT / "apk"
ABIS = ("arm64-v8a", "armeabi-v7a", "x86_64")

LARGEST = 25_000_000
"""Bytes that the shrunk APK may have, with the default model and three ABIs."""

PERMISSIONS = {
    "android.permission.READ_EXTERNAL_STORAGE",
    "android.permission.READ_MEDIA_IMAGES",
    "android.permission.READ_MEDIA_VISUAL_USER_SELECTED",
    f"{PACKAGE}.DYNAMIC_RECEIVER_NOT_EXPORTED_PERMISSION",  # of androidx.core, for itself alone
}
PAGE = 16384
"""Bytes; what a library is aligned to that fits every phone."""
_LOAD = 1
"""Type of an ELF segment that is loaded."""
INTERPRETER = "Lorg/tensorflow/lite/NativeInterpreterWrapper;"

_SHRINKING = """-keepattributes *Annotation*,Signature,InnerClasses,EnclosingMethod
-dontwarn **
"""
_API = ("android/", "dalvik/", "javax/microedition/", "org/apache/http/", "org/json/", "org/w3c/",
        "org/xml", "org/xmlpull/")  # fmt: skip
_KEY = ("-storepass", "android", "-keypass", "android", "-alias", "androiddebugkey")


def make_debug(libraries: Libraries, app: App) -> None:
    """Make and check debug.apk in the build folder.

    The libraries are dexed once a lock; later only the app is, and all is merged.
    """
    dexed = _dex(libraries, "D8", ["--debug", "--intermediate"], libraries.jars)
    class_path = [word for jar in libraries.jars for word in ("--classpath", str(jar))]
    dex = _dex(libraries, "D8", ["--debug"], sorted(dexed.glob("*.dex")), app, class_path)
    _check(libraries, _pack(libraries, app, dex, "debug"))


def make_release(libraries: Libraries, app: App) -> None:
    """Make and check the shrunk release.apk in the build folder."""
    rules = shrinking_rules(libraries, app)
    options = ["--release", "--no-data-resources"]
    dex = _dex(libraries, "R8", options, libraries.jars, app, ["--pg-conf", str(rules)], [rules])
    apk = _pack(libraries, app, dex, "release")
    _check(libraries, apk)
    size = apk.stat().st_size
    if size > LARGEST:
        raise BuildError(f"release.apk: expected at most {LARGEST} bytes, found {size}")


def shrinking_rules(libraries: Libraries, app: App) -> Path:
    """What R8 has to keep, by the libraries, ours among them, and the app's resources.

    Without remarks: aapt2's have the checkout's place, by which nothing kept would be found again.
    """
    texts = [file.read_text() for file in sorted(libraries.folder.glob("*/proguard.txt"))]
    texts += [(ROOT / "fer/consumer-rules.pro").read_text(), app.resources.keep_rules.read_text()]
    FOLDER.mkdir(exist_ok=True)
    rules = FOLDER / "release.pro"
    lines = (line for text in [*texts, _SHRINKING] for line in text.splitlines())
    rules.write_text("\n".join(line for line in lines if not line.startswith("#")) + "\n")
    return rules


def _check(libraries: Libraries, apk: Path) -> None:
    """Hold an APK against what it should be: signature, badging, interpreter, alignment."""
    run("zipalign", "-c", "-p", "4", apk)
    signed = run("apksigner", "verify", "-v", "--min-sdk-version", _version("minSdk"), apk)
    badging = run(libraries.aapt2, "dump", "badging", apk)
    asked = set(re.findall(r"uses-permission: name='([^']+)'", badging))
    native = re.findall(r"native-code: (.*)", badging)
    with zipfile.ZipFile(apk) as archive:
        names = archive.namelist()
        dex = b"".join(archive.read(name) for name in names if name.endswith(".dex"))
        stored = [i.filename for i in archive.infolist() if i.compress_type == zipfile.ZIP_STORED]
    wanted = {
        "a v2 signature": "v2 scheme (APK Signature Scheme v2): true" in signed,
        f"the package {PACKAGE}": f"package: name='{PACKAGE}'" in badging,
        "minSdk and targetSdk of the catalogue": f"'{_version('minSdk')}'" in badging
        and f"targetSdkVersion:'{_version('targetSdk')}'" in badging,
        "the gallery as its start": f"launchable-activity: name='{PACKAGE}.gallery." in badging,
        f"the permissions {sorted(PERMISSIONS)} and no other": asked == PERMISSIONS,
        f"libraries for {ABIS}": bool(native) and all(f"'{abi}'" in native[0] for abi in ABIS),
        "English and Spanish": "'es'" in badging,
        "the interpreter": INTERPRETER.encode() in dex,
        "the models, not compressed": any(
            re.fullmatch(r"assets/models/.+\.tflite", n) for n in stored
        )
        and not [n for n in names if n.endswith(".tflite") and n not in stored],
    }
    missing = [name for name, there in wanted.items() if not there]
    if missing:
        raise BuildError(f"{apk.name}: expected {', '.join(missing)}; found:\n{signed}{badging}")
    print(f"{apk.name}: {apk.stat().st_size / 1e6:.1f} MB, {', '.join(ABIS)}{_page_size(apk)}")


def _page_size(apk: Path) -> str:
    """A remark where a 64-bit library does not fit phones with 16-KB pages."""
    with zipfile.ZipFile(apk) as archive:
        names = [n for n in archive.namelist() if n.startswith(("lib/arm64", "lib/x86_64"))]
        small = [Path(n).name for n in names if _alignment(archive.read(n)) < PAGE]
    if not small:
        return ""
    return f"; not for phones with 16-KB pages: {', '.join(sorted(set(small)))}"


def _alignment(library: bytes) -> int:
    """The smallest alignment of a 64-bit ELF file's loaded segments."""
    (headers,) = struct.unpack_from("<Q", library, 32)
    size, count = struct.unpack_from("<HH", library, 54)
    segments = (struct.unpack_from("<I44xQ", library, headers + size * i) for i in range(count))
    return min(alignment for kind, alignment in segments if kind == _LOAD)


def _version(name: str) -> str:
    return read_catalogue()["versions"][name]


def _dex(
    libraries: Libraries,
    tool: str,
    options: list[str],
    inputs: list[Path],
    app: App | None = None,
    places: Iterable[str] = (),
    rules: Iterable[Path] = (),
) -> Path:
    """The folder with what D8 or R8 makes of libraries and the app; `places` are options too."""
    min_sdk = _version("minSdk")
    own_classes = app.class_path if app else ()

    def make(out: Path) -> None:
        own = [jar_of(out.with_name("app.jar"), own_classes)] if own_classes else []
        run(
            "java", "-Xmx3g", *QUICK_START, "-cp", join_path([libraries.r8]),
            f"com.android.tools.r8.{tool}", "--min-api", min_sdk, "--lib", android_jar(libraries),
            "--lib", java_home(), *options, *places, "--output", out, *own, *inputs,
        )  # fmt: skip

    files = [*own_classes, *inputs, *rules, libraries.r8]
    return made(tool.lower(), files, [tool, min_sdk, *options], make)


def jar_of(target: Path, class_path: Iterable[Path]) -> Path:
    """All classes of folders and jars."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as jar:
        for place in class_path:
            if place.is_file():
                with zipfile.ZipFile(place) as other:
                    for name in other.namelist():
                        if name.endswith(".class"):
                            jar.writestr(name, other.read(name))
            else:
                for file in sorted(place.rglob("*.class")):
                    jar.write(file, file.relative_to(place))
    return target


def java_home() -> Path:
    """The Java that runs the tools."""
    java = shutil.which("java")
    assert java, "javac has run"
    return Path(os.environ.get("JAVA_HOME") or Path(java).resolve().parents[1])


def android_jar(libraries: Libraries) -> Path:
    """The part of the framework that apps see; the whole of it takes D8 and R8 far longer."""

    def make(out: Path) -> None:
        with (
            zipfile.ZipFile(libraries.framework) as whole,
            zipfile.ZipFile(out / "android.jar", "w") as jar,
        ):
            for name in whole.namelist():
                if name.endswith(".class") and name.startswith(_API):
                    jar.writestr(name, whole.read(name))

    return made("android", [libraries.framework], _API, make) / "android.jar"


def _pack(libraries: Libraries, app: App, dex: Path, name: str) -> Path:
    """An APK of the linked resources and assets, the classes and the native libraries."""
    FOLDER.mkdir(exist_ok=True)
    apk = FOLDER / f"{name}.apk"
    unaligned = FOLDER / f"{name}.unaligned"
    shutil.copy(app.resources.apk, unaligned)
    with zipfile.ZipFile(unaligned, "a", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(dex.glob("*.dex")):
            archive.write(file, file.name)
        for abi in ABIS:
            for file in sorted(libraries.folder.glob(f"*/jni/{abi}/*.so")):
                # Stored and aligned: Android maps them where they are.
                archive.write(file, f"lib/{abi}/{file.name}", zipfile.ZIP_STORED)
    run("zipalign", "-p", "-f", "4", unaligned, apk)
    unaligned.unlink()
    run(
        "apksigner", "sign", "--ks", _key(), "--ks-pass", "pass:android", "--key-pass",
        "pass:android", "--min-sdk-version", _version("minSdk"), apk,
    )  # fmt: skip
    return apk


def _key() -> Path:
    """A key to try things with, the same for every build: no store takes it."""

    def make(out: Path) -> None:
        run(
            "keytool", "-genkeypair", "-keystore", out / "debug.keystore", *_KEY, "-keyalg", "RSA",
            "-keysize", "2048", "-validity", "10000", "-dname", "CN=Android Debug,O=Android,C=US",
        )  # fmt: skip

    return made("key", [], _KEY, make) / "debug.keystore"
