"""What every step of the offline build uses: where things lie, how a tool is run, what is kept."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from maven import CACHE

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "build/offline"
MAIN = ROOT / "app/src/main"
PACKAGE = "org.fermobile.gallery"
JVM_TARGET = "11"
QUICK_START = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")

_MADE = CACHE / "made"
_KEPT_DAYS = 14
"""What was not used for so long is removed when something of the same name is made."""

T = TypeVar("T")


class BuildError(Exception):
    """A step that failed, with what its tool said."""


def made(
    name: str, inputs: Iterable[Path], options: Iterable[str], make: Callable[[Path], object]
) -> Path:
    """The folder that `make` fills, kept in the cache by what it is made of.

    The folder's name holds a checksum of `options` and of the inputs: a file of the checkout
    counts with its place and content, a file of the cache with its name, because it never changes.
    """
    total = hashlib.sha256("\n".join(options).encode())
    for path in inputs:
        if path.is_relative_to(CACHE):
            total.update(f"\n{path.relative_to(CACHE)}".encode())
        else:
            total.update(f"\n{path.relative_to(ROOT.parent)}\n".encode() + path.read_bytes())
    folder = _MADE / f"{name}-{total.hexdigest()[:16]}"
    if not folder.exists():
        _MADE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=_MADE, prefix=f".{name}-") as draft:
            part = Path(draft) / "out"
            part.mkdir()
            make(part)
            try:
                part.rename(folder)
            except OSError:  # another build was faster
                if not folder.exists():
                    raise
        _remove_old(name)
    os.utime(folder)
    return folder


def _remove_old(name: str) -> None:
    oldest = time.time() - _KEPT_DAYS * 24 * 3600
    for folder in _MADE.glob(f"{name}-{'?' * 16}"):
        if folder.stat().st_mtime < oldest:
            shutil.rmtree(folder, ignore_errors=True)


def step(name: str, work: Callable[[], T]) -> T:
    """Do `work` and say how long it took."""
    start = time.monotonic()
    result = work()
    print(f"{name}: {time.monotonic() - start:.1f} s", flush=True)
    return result


def run(*command: object, environment: Mapping[str, str] | None = None) -> str:
    """Run a tool; its output, or a BuildError with it."""
    words = [str(word) for word in command]
    done = subprocess.run(
        words,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
    )
    if done.returncode:
        failed = f"{Path(words[0]).name} failed with exit code {done.returncode}"
        raise BuildError(f"{done.stdout}\n{failed}")
    return done.stdout


def fer_mobile(*arguments: object) -> str:
    """Run the package's command line; what it prints."""
    return run(sys.executable, "-c", "from fer_mobile.cli import main; main()", *arguments)


def join_path(files: Iterable[Path]) -> str:
    """A class path."""
    return os.pathsep.join(str(file) for file in files)


def junit_classes(folder: Path) -> list[str]:
    """The names of the JUnit classes in a folder of compiled classes."""
    files = sorted(folder.rglob("*Test.class"))
    return [".".join(file.relative_to(folder).with_suffix("").parts) for file in files]
