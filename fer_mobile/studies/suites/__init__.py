"""The comparisons of the five studies: suites of named recipes with the printed figures."""

from __future__ import annotations

from typing import Final

from fer_mobile.errors import InputError, choose
from fer_mobile.studies.suite import Run, Suite
from fer_mobile.studies.suites import emotion11, four_class, thesis, two_conv

SUITES: Final[dict[str, Suite]] = {
    suite.name: suite
    for module in (thesis, emotion11, four_class, two_conv)
    for suite in module.SUITES
}
"""Every suite by name."""


def find_suite(name: str) -> Suite:
    """The suite called `name`; InputError with the nearest known name otherwise."""
    return choose("suite", name, SUITES, InputError)


__all__ = ["SUITES", "Run", "Suite", "find_suite"]
