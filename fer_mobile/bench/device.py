"""Where a benchmark runs."""

from __future__ import annotations

from typing import Final

from fer_mobile.errors import InputError, nearest

DEVICES: Final = ("cpu",)


def check_device(device: str) -> None:
    """InputError where `device` names none."""
    if device not in DEVICES:
        raise InputError(
            "device", expected="cpu", found=repr(device), todo=nearest(device, DEVICES)
        )
