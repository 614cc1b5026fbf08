"""Which device a benchmark runs on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from fer_mobile.errors import InputError, nearest

KINDS: Final = ("cpu", "adb")


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
