"""The app's own TensorFlow Lite library on a desktop.

Android's x86_64 library runs in a JVM of this machine, the arm64 one under qemu-user.  Both are
linked to Android's C library, bionic.  `bionic2glibc` edits the names they import in place, so
that the dynamic linker of a glibc system takes them, and shim.c gives the few functions that are
missing or of another binary interface.  No instruction is changed: what runs is what a phone
runs, down to XNNPACK's kernels.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from fer_mobile.files import write_bytes
from hosttflite.bionic2glibc import SHIM, patch

HERE = Path(__file__).parent
LIBRARY = "libtensorflowlite_jni.so"
ARM_COMPILER = "aarch64-linux-gnu-gcc"
ARM_EMULATOR = "qemu-aarch64-static"
_LIBRARIES = ("-lm", "-ldl", "-lpthread")


def host_library(aar: Path, out: Path) -> None:
    """Make the x86_64 library and its shim in `out`.

    `aar` is the unpacked tensorflow-lite AAR.  A program that loads the library needs `out` in
    LD_LIBRARY_PATH (and a JVM in java.library.path).
    """
    _make(aar / "jni/x86_64", out, os.environ.get("CC", "cc"))


def arm64_runner(aar: Path, out: Path) -> Path:
    """Make the arm64 library, its shim and the program run_model in `out`; the program's path."""
    _make(aar / "jni/arm64-v8a", out, ARM_COMPILER)
    program = out / "run_model"
    _compile(ARM_COMPILER, HERE / "run_model.c", program)
    return program


def missing_for_arm64() -> list[str]:
    """The Debian packages that the arm64 proof needs and this machine lacks."""
    needed = {
        ARM_COMPILER: "gcc-aarch64-linux-gnu libc6-dev-arm64-cross",
        ARM_EMULATOR: "qemu-user-static",
    }
    return [package for tool, package in needed.items() if not shutil.which(tool)]


def arm64_command(out: Path) -> list[str]:
    """The start of a command line that runs an arm64 program with the library in `out`."""
    return [ARM_EMULATOR, "-L", "/usr/aarch64-linux-gnu", "-E", f"LD_LIBRARY_PATH={out}"]


def _make(libraries: Path, out: Path, compiler: str) -> None:
    # Replaced, not overwritten: a program may have it loaded.
    write_bytes(out / LIBRARY, patch((libraries / LIBRARY).read_bytes()))
    _compile(compiler, HERE / "shim.c", out / SHIM, "-shared", "-fPIC", f"-Wl,-soname,{SHIM}")


def _compile(compiler: str, source: Path, target: Path, *options: str) -> None:
    command = [compiler, "-O2", "-Wall", "-Werror", *options, "-o", target, source]
    subprocess.run([*command, "-Wl,--no-as-needed", *_LIBRARIES], check=True)
