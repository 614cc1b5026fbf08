"""The Kotlin compiler: one process for all modules, so that only the first call is a cold one."""

from __future__ import annotations

import re
import subprocess
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path

from libraries import Libraries
from steps import JVM_TARGET, QUICK_START, ROOT, BuildError, join_path, made, step

_SERVER = ROOT / "offline/Kotlinc.java"
_OPTIONS = (
    "-no-stdlib",
    "-no-reflect",
    "-Werror",
    # The framework's own null annotations are stricter than those of the SDK that apps see.
    "-Xnullability-annotations=@android.annotation:ignore",
    "-jvm-target",
    JVM_TARGET,
)


class Kotlin:
    """Compiles modules.  It serves several threads, one after the other."""

    def __init__(self, libraries: Libraries) -> None:
        self._libraries = libraries
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    def compile(self, name: str, sources: Iterable[Path], class_path: Iterable[Path]) -> Path:
        """The folder with the classes of Kotlin files, and of those in folders."""
        files = sorted(
            file
            for source in sources
            for file in (source.rglob("*.kt") if source.is_dir() else [source])
        )
        path = list(class_path)

        def call(out: Path) -> None:
            module = ["-module-name", name.replace(" ", "_")]
            self._call(
                [*_OPTIONS, *module, "-cp", join_path(path), "-d", str(out), *map(str, files)]
            )

        compiler = self._libraries.tools
        return step(
            f"compile {name}", lambda: made(name, [*files, *path, *compiler], _OPTIONS, call)
        )

    def close(self) -> None:
        """End the compiler's process, which otherwise ends with this one."""
        if self._process:
            self._process.communicate()
            self._process = None

    def _call(self, arguments: list[str]) -> None:
        with self._lock, tempfile.NamedTemporaryFile("w", suffix=".args") as file:
            file.write("\n".join(arguments))
            file.flush()
            process = self._process = self._process or self._start()
            assert process.stdin
            assert process.stdout
            process.stdin.write(f"{file.name}\n")
            process.stdin.flush()
            said = []
            for line in process.stdout:
                if end := re.fullmatch(r"exit code (\d+)\n", line):
                    break
                said.append(line)
            if not end or end[1] != "0":
                raise BuildError(f"{''.join(said)}\nthe Kotlin compiler failed")

    def _start(self) -> subprocess.Popen[str]:
        """The process; it ends when its input does."""
        path = join_path(self._libraries.tools)
        return subprocess.Popen(
            ["java", "-Xmx1500m", *QUICK_START, "-cp", path, str(_SERVER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
