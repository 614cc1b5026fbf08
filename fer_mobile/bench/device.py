"""Which device a benchmark runs on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from fer_mobile.errors import InputError, nearest

KINDS: Final = ("cpu", "adb")
ONLY: Final = {"cpu": ("photos", "against", "profile"), "adb": ("apk", "benchmark-binary")}
"""Options that are of one kind of device alone."""


@dataclass(frozen=True, slots=True)
class Device:
    """This machine, or a phone that the Android debug bridge knows."""

    kind: Literal["cpu", "adb"]
    serial: str | None = None
    """Of the phone; None for the only one."""


def parse_device(text: str) -> Device:
    """The device that ``cpu``, ``adb`` or ``adb:SERIAL`` names; InputError for anything else."""
    kind, colon, serial = text.partition(":")
    if text == "cpu":
        return Device("cpu")
    if kind == "adb" and bool(colon) == bool(serial):
        return Device("adb", serial or None)
    raise InputError(
        "device", expected="cpu, adb or adb:SERIAL", found=repr(text), hint=nearest(kind, KINDS)
    )


def refuse_options(device: Device, options: Mapping[str, bool]) -> None:
    """InputError for an option, by name, that was given and that another kind of device has."""
    other = "adb" if device.kind == "cpu" else "cpu"
    for name in ONLY[other]:
        if options.get(name):
            raise InputError(
                f"--{name}", expected=f"--device {other}", found=f"--device {device.kind}"
            )
