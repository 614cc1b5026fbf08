"""A phone on the Android debug bridge (adb)."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Final

from fer_mobile.errors import InputError

_SECONDS: Final = 60.0
"""Time limit of a command that should end at once."""

_STATES: Final = {
    "unauthorized": (
        "one that does not trust this computer",
        "Unlock the phone and allow USB debugging.",
    ),
    "offline": ("one that does not answer", "Unplug it and plug it in again."),
    "no": (
        "one that this user may not open",
        "Add the user to the group plugdev, or a udev rule for the phone.",
    ),
}
"""What was found and what to do, for the states that `adb devices` names."""


class Phone:
    """One phone, by its serial number."""

    def __init__(self, adb: str, serial: str) -> None:
        self.serial = serial
        self._command = (adb, "-s", serial)

    def run(self, *arguments: str, seconds: float = _SECONDS) -> subprocess.CompletedProcess[bytes]:
        """The finished `adb` command; InputError where it takes too long."""
        return _run((*self._command, *arguments), seconds)

    def shell(self, *words: str, seconds: float = _SECONDS) -> str:
        """What a command on the phone printed; its words reach it as they are."""
        done = self.run("shell", shlex.join(words), seconds=seconds)
        return done.stdout.decode("utf-8", "replace").replace("\r\n", "\n").strip()

    def read(self, path: str) -> bytes | None:
        """The content of a file on the phone, None where there is none."""
        if self.shell("ls", path) != path:
            return None
        return self.run("exec-out", f"cat {shlex.quote(path)}").stdout

    def push(self, file: Path, path: str) -> None:
        """Copy a file to the phone."""
        done = self.run("push", str(file), path, seconds=10 * _SECONDS)
        if done.returncode:
            raise self.failure(f"to take {file.name}", _last_line(done))

    def install(self, apk: Path) -> None:
        """Install an app, over an older one of the same signature."""
        if not apk.is_file():
            raise InputError(apk, expected="an app to install, an .apk file", found="no such file")
        done = self.run("install", "-r", "-g", str(apk), seconds=10 * _SECONDS)
        if done.returncode or "Success" not in done.stdout.decode("utf-8", "replace"):
            raise self.failure(f"to install {apk.name}", _last_line(done))

    def failure(self, expected: str, found: str, hint: str = "") -> InputError:
        """The error of a phone that did not do what it was asked."""
        return InputError(
            f"phone {self.serial}", expected=expected, found=" ".join(found.split()), hint=hint
        )


def find_phone(serial: str | None = None) -> Phone:
    """The phone of that serial number, or the only one that is ready.

    Raises InputError where there is no adb, no phone, several, or one that is not ready.
    """
    adb = shutil.which("adb")
    if adb is None:
        raise InputError(
            "device adb",
            expected="the program adb",
            found="none on the PATH",
            hint="Install Android's platform tools (Debian: apt install adb).",
        )
    listed = _run((adb, "devices"), _SECONDS)
    if listed.returncode:
        raise InputError("device adb", expected="a list of phones", found=_last_line(listed))
    phones = _parse(listed.stdout.decode("utf-8", "replace"))
    if serial is not None:
        if serial not in phones:
            known = ", ".join(phones) or "none"
            raise InputError(
                "device adb", expected=f"a phone with the serial {serial}", found=known
            )
        phones = {serial: phones[serial]}
    if not phones:
        raise InputError(
            "device adb",
            expected="a phone",
            found="none",
            hint="Plug one in and turn on USB debugging in its developer options.",
        )
    ready = [name for name, state in phones.items() if state == "device"]
    if len(ready) > 1:
        raise InputError(
            "device adb",
            expected="one phone",
            found=f"{len(ready)}: {', '.join(ready)}",
            hint=f"Name one: `device='adb:{ready[0]}'`",
        )
    if not ready:
        state = next(iter(phones.values()))
        problem, hint = _STATES.get(state, (f"one in the state {state!r}", ""))
        raise InputError("device adb", expected="a phone that is ready", found=problem, hint=hint)
    return Phone(adb, ready[0])


def _parse(listing: str) -> dict[str, str]:
    """Serial → state, from what `adb devices` prints below its heading."""
    _, _, lines = listing.partition("List of devices attached")
    words = [line.split() for line in lines.splitlines()]
    return {line[0]: line[1] for line in words if len(line) >= 2 and line[0] != "*"}


def _run(command: tuple[str, ...], seconds: float) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(command, capture_output=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired as error:
        raise InputError(
            " ".join(["adb", *command[1:]])[:120],
            expected=f"an answer within {seconds:.0f} s",
            found="none",
            hint="Is the phone still there, and unlocked?",
        ) from error


def _last_line(done: subprocess.CompletedProcess[bytes]) -> str:
    """The last line that a command printed."""
    text = (done.stderr + b"\n" + done.stdout).decode("utf-8", "replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else f"exit code {done.returncode}"
