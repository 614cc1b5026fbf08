"""The APKs: dexed, packed, aligned, signed, and looked at afterwards."""

from __future__ import annotations

import os
import re
import shutil
import zipfile
from collections.abc import Iterable
from pathlib import Path

from build import (
    ABIS,
    APP,
    CORE,
    OUT,
    PACKAGE,
    QUICK_START,
    ROOT,
    BuildError,
    Libraries,
    digest,
    framework,
    join_path,
    run,
    step,
)
from resolve import read_catalogue

LARGEST = 25_000_000
"""Bytes that the shrunk APK may have, with the default model and three ABIs."""

PERMISSIONS = {
    "android.permission.READ_EXTERNAL_STORAGE",
    "android.permission.READ_MEDIA_IMAGES",
    "android.permission.READ_MEDIA_VISUAL_USER_SELECTED",
    f"{PACKAGE}.DYNAMIC_RECEIVER_NOT_EXPORTED_PERMISSION",  # of androidx.core, for itself alone
}
INTERPRETER = "Lorg/tensorflow/lite/NativeInterpreterWrapper;"

_SHRINKING = """-keepattributes *Annotation*,Signature,InnerClasses,EnclosingMethod
-dontwarn **
"""
_API = ("android/", "dalvik/", "javax/microedition/", "org/apache/http/", "org/json/", "org/w3c/",
        "org/xml", "org/xmlpull/")  # fmt: skip
_KEY = ("-storepass", "android", "-keypass", "android", "-alias", "androiddebugkey")


def build(libraries: Libraries) -> None:
    """Make and check debug.apk and release.apk in the build folder."""
    folder = OUT / "apk"
    folder.mkdir(exist_ok=True)
    app = _jar(folder / "app.jar", [APP, CORE, OUT / "r"])
    step("D8", lambda: _d8(libraries, app, folder / "debug"))
    step("R8", lambda: _r8(libraries, app, folder / "release"))
    for name in ("debug", "release"):
        apk = step(f"{name}.apk", lambda name=name: _pack(libraries, folder / name))
        check(libraries, apk)
    size = (folder / "release.apk").stat().st_size
    if size > LARGEST:
        raise BuildError(f"release.apk: expected at most {LARGEST} bytes, found {size}")


def check(libraries: Libraries, apk: Path) -> None:
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
    print(f"{apk.name}: {apk.stat().st_size / 1e6:.1f} MB, {', '.join(ABIS)}")


def _version(name: str) -> str:
    return read_catalogue()["versions"][name]


def _jar(target: Path, folders: Iterable[Path]) -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as jar:
        for folder in folders:
            for file in sorted(folder.rglob("*.class")):
                # Without its date, so that the same classes are the same jar.
                name = zipfile.ZipInfo(file.relative_to(folder).as_posix())
                jar.writestr(name, file.read_bytes())
    return target


def _d8(libraries: Libraries, app: Path, out: Path) -> None:
    """The libraries are dexed once a lock; later only the app is, and all is merged."""
    dexed = libraries.folder / "debug-dex"
    _dex(libraries, "D8", dexed, ["--debug", "--intermediate"], libraries.jars)
    class_path = [word for jar in libraries.jars for word in ("--classpath", jar)]
    _dex(libraries, "D8", out, ["--debug", *class_path], [app, *sorted(dexed.glob("*.dex"))])


def _r8(libraries: Libraries, app: Path, out: Path) -> None:
    rules = out.with_suffix(".pro")
    texts = [file.read_text() for file in sorted(libraries.folder.glob("*/proguard.txt"))]
    texts += [(ROOT / "app/proguard-rules.pro").read_text(), (OUT / "resources.pro").read_text()]
    rules.write_text("\n".join([*texts, _SHRINKING]))
    options = ["--release", "--no-data-resources", "--pg-conf", rules]
    _dex(libraries, "R8", out, options, [app, *libraries.jars])


def _dex(
    libraries: Libraries, tool: str, out: Path, options: Iterable[object], inputs: Iterable[Path]
) -> None:
    """Run D8 or R8, unless `out` was made of the very same classes and rules already."""
    files = list(inputs)
    words = [str(option) for option in options]
    key = digest([*files, *(Path(word) for word in words if word.endswith(".pro"))], str(words))
    stamp = out.with_suffix(".stamp")
    if stamp.exists() and stamp.read_text() == key:
        return
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    java = shutil.which("java")
    assert java, "javac has run"
    home = os.environ.get("JAVA_HOME") or Path(java).resolve().parents[1]
    run(
        "java", "-Xmx3g", *QUICK_START, "-cp", join_path([libraries.r8]),
        f"com.android.tools.r8.{tool}", "--min-api", _version("minSdk"),
        "--lib", _android(libraries), "--lib", home, *words, "--output", out, *files,
    )  # fmt: skip
    stamp.write_text(key)


def _android(libraries: Libraries) -> Path:
    """The part of the framework that apps see; the whole of it takes D8 and R8 far longer."""
    target = libraries.folder / "android.jar"
    if not target.exists():
        part = target.with_suffix(".part")
        with zipfile.ZipFile(framework) as whole, zipfile.ZipFile(part, "w") as jar:
            for name in whole.namelist():
                if name.endswith(".class") and name.startswith(_API):
                    jar.writestr(name, whole.read(name))
        part.rename(target)
    return target


def _pack(libraries: Libraries, dex: Path) -> Path:
    """An APK of the linked resources and assets, the classes and the native libraries."""
    apk = dex.with_suffix(".apk")
    unaligned = dex.with_suffix(".unaligned")
    shutil.copy(OUT / "resources.apk", unaligned)
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
    """A key to try things with, made where there is none: no store takes it."""
    store = OUT / "debug.keystore"
    if not store.exists():
        run(
            "keytool", "-genkeypair", "-keystore", store, *_KEY, "-keyalg", "RSA", "-keysize",
            "2048", "-validity", "10000", "-dname", "CN=Android Debug,O=Android,C=US",
        )  # fmt: skip
    return store
