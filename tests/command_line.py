"""The command line as tests run it: each command in a process of its own, in an empty folder."""

from __future__ import annotations

import gc
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import jsonschema

from fer_mobile.cli.documents import json_documents, json_schema

PATIENCE_S = 1800
"""How long a test waits for what must come: on any machine, only a hang takes as long."""

# A server imports once what takes seconds, and is forked for each command.
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    [
        *("ai_edge_litert.interpreter", "ai_edge_quantizer", "cv2", "keras", "matplotlib.pyplot"),
        *("fer_mobile.cli", "fer_mobile.pipeline", "fer_mobile.gallery.sinks.html"),
        *("fer_mobile.gallery.run", "fer_mobile.evaluation", "fer_mobile.convert"),
        *("fer_mobile.training", "fer_mobile.bench.result", "fer_mobile.studies.run_suite"),
        "tests.command_line",  # where the target of a fork is
        *("fer_mobile.cli.documents", "jsonschema"),  # what this module imports
    ]
)


class CommandLine:
    """Runs `fer-mobile` in a process of its own.

    The process is forked where `command` is ``python -c``: Keras is imported there, on TensorFlow.
    It is started where `command` is another one (``python -B -c``, say) or where variables have
    changed that Python reads when it starts, or Keras.
    """

    command: tuple[str, ...] = (sys.executable, "-c", "from fer_mobile.cli import main; main()")

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        words = [*map(str, arguments)]
        variables = os.environ | environment
        if self.command[:-1] == (sys.executable, "-c") and _read_at_start(variables) == _AT_START:
            return _run_forked(self.command[-1], words, self.folder, variables)
        return subprocess.run(
            [*self.command, *words],
            capture_output=True,
            text=True,
            errors="surrogateescape",  # not every file name is Unicode
            check=False,
            cwd=self.folder,
            env=variables,
            timeout=PATIENCE_S,
        )

    def start(self, *arguments: object, **environment: str) -> BaseProcess:
        """A command that runs on, forked, with its output in files of its folder."""
        files = [self.folder / name for name in ("stdout", "stderr")]
        return _fork(
            self.command[-1], [*map(str, arguments)], self.folder, os.environ | environment, files
        )

    def json(self, *arguments: object, code: int = 0) -> object:
        """The one JSON document that a command prints on stdout; it fits the command's schema."""
        done = self(*arguments, "--json")
        assert done.returncode == code, done.stderr
        document = json.loads(done.stdout)
        jsonschema.validate(document, _schema({str(each) for each in arguments}))
        return document

    def refused(self, *arguments: object, code: int = 2, **environment: str) -> str:
        """The one line on stderr with which a command is refused."""
        done = self(*arguments, **environment)
        assert done.returncode == code, (done.stdout, done.stderr)
        assert done.stdout == "", done.stdout
        (line,) = done.stderr.splitlines()
        assert line.startswith("fer-mobile: ")
        assert "internal error" not in line
        return line


def open_files() -> set[str]:
    """What this process has open now."""
    descriptors = [*Path("/proc/self/fd").iterdir()]  # and one of its own, closed by now
    return {os.path.realpath(each) for each in descriptors if each.is_symlink()}


def _schema(arguments: set[str]) -> dict[str, Any]:
    """The schema of what a command prints with --json."""
    documents = [words for words in json_documents() if set(words.split()) <= arguments]
    return json_schema(max(documents, key=len))


def python(folder: Path, code: str) -> CommandLine:
    """Runs Python code in a process of its own, where `folder` can be imported from."""
    command = CommandLine(folder)
    command.command = (sys.executable, "-c", code)
    return command


_KILLED = """
import os, signal
from fer_mobile.training.batches import Batches

give = Batches.__getitem__

def give_or_die(self, index):
    if (self.epoch, index) == (1, 3):
        os.kill(os.getpid(), signal.SIGKILL)
    return give(self, index)

Batches.__getitem__ = give_or_die
"""
KILLED_COMMAND = (sys.executable, "-c", f"{_KILLED}\n{CommandLine.command[-1]}")
"""`fer-mobile` that is killed in the middle of a training's second epoch, however fast it is."""


def _read_at_start(variables: Mapping[str, str]) -> dict[str, str]:
    early = ("PYTHON", "KERAS_")
    return {name: value for name, value in variables.items() if name.startswith(early)}


_AT_START = _read_at_start(os.environ)


def _run_forked(
    code: str, arguments: list[str], folder: Path, variables: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryDirectory() as outputs:
        files = [Path(outputs, name) for name in ("stdout", "stderr")]
        process = _fork(code, arguments, folder, variables, files)
        process.join(PATIENCE_S)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired(arguments, PATIENCE_S)
        said = [file.read_bytes().decode(errors="surrogateescape") for file in files]
    return subprocess.CompletedProcess(arguments, process.exitcode, *said)


def _fork(
    code: str, arguments: list[str], folder: Path, variables: Mapping[str, str], files: list[Path]
) -> BaseProcess:
    process = _FORKS.Process(target=_forked, args=(code, arguments, folder, dict(variables), files))
    process.start()
    return process


def _forked(
    code: str, arguments: list[str], folder: Path, variables: Mapping[str, str], files: list[Path]
) -> None:
    gc.freeze()  # or the collector goes through all that the server has imported
    for number, path in enumerate(files, start=1):
        with path.open("ab") as file:
            os.dup2(file.fileno(), number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    sys.argv = ["-c", *arguments]
    sys.path.insert(0, "")
    exec(compile(code, "<string>", "exec"), {"__name__": "__main__"})
