"""The energy that the processor used, from Linux's RAPL counters (Intel and AMD)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

POWERCAP: Final = Path("/sys/class/powercap")


def read_counters(powercap: Path = POWERCAP) -> dict[Path, int]:
    """Microjoules counted so far by each processor package; none where reading is not allowed."""
    counters = {}
    for package in sorted(powercap.glob("intel-rapl:[0-9]")):
        try:
            counters[package] = int((package / "energy_uj").read_text(encoding="ascii"))
        except (OSError, ValueError):
            return {}
    return counters


def joules_between(before: Mapping[Path, int], after: Mapping[Path, int]) -> float | None:
    """Joules of all packages between two readings; None without counters."""
    if not before or before.keys() != after.keys():
        return None
    spent = 0
    for package, start in before.items():
        used = after[package] - start
        if used < 0:  # the counter wrapped
            used += int((package / "max_energy_range_uj").read_text(encoding="ascii"))
        spent += used
    return spent / 1e6
