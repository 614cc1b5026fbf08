"""Rates of phones' cores and the work of photos, as `data/rates.toml` states them.

A network's rate has a range.  It comes from published times of MobileNet where there are any for
the same cores, else from the clock, the multiply-accumulates of a cycle and an efficiency.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from fer_mobile.errors import FerMobileError

Kind = Literal["float32", "int8"]


class Interval(NamedTuple):
    """Three figures, `low <= typical <= high`."""

    low: float
    typical: float
    high: float

    def __add__(self, other: object) -> Interval:
        if not isinstance(other, Interval):
            return NotImplemented
        return Interval(*(a + b for a, b in zip(self, other, strict=True)))

    def __mul__(self, factor: object) -> Interval:
        if not isinstance(factor, int | float):
            return NotImplemented
        return Interval(*(value * factor for value in self))


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class _Interval(_Table):
    low: float
    typical: float
    high: float
    source: str = ""

    def interval(self) -> Interval:
        return Interval(self.low, self.typical, self.high)


class _MobileNet(_Table):
    """A figure of MobileNet v1 and v2."""

    v1: float
    v2: float


class _MobileNetWork(_Table):
    source: str
    million_macs: _MobileNet


class _MobileNetTimes(_Table):
    source: str
    threads: int
    float32: _MobileNet
    int8: _MobileNet


class _MacsPerCycle(_Table):
    source: str
    float32: int
    int8: int


class _Rating(_Table):
    source: str
    mips: float
    """Of one thread."""
    ghz: float
    """Clock at which it was measured."""


class PhoneClass(_Table):
    """One core of a class of phones; a run with more threads gets as many of the same."""

    cores: str
    example: str
    origin: str
    """Where the rates of networks come from, in words."""
    fast_cores: int
    """Cores of this kind."""
    ghz: float
    seven_zip: _Rating
    copied_mb_per_ms: float
    mobilenet_ms: _MobileNetTimes | None = None
    macs_per_cycle: _MacsPerCycle | None = None

    @property
    def seven_zip_mips(self) -> float:
        """Single-thread 7-Zip rating at the phone's clock."""
        return self.seven_zip.mips * self.ghz / self.seven_zip.ghz


class _Reference(_Table):
    source: str
    seven_zip_mips: float


class _Assumptions(_Table):
    other_shape: float
    further_thread: float
    scalar: _Interval


class PhotoWork(_Table):
    """A mean photo of a set on the reference machine."""

    scalar_ms: dict[str, float]
    """Milliseconds of what is not a network, by stage."""
    detector_pixels: int


class Rates(_Table):
    """The content of `data/rates.toml`."""

    sources: dict[str, str]
    mobilenet: _MobileNetWork
    efficiency: _Interval
    assumptions: _Assumptions
    phones: dict[str, PhoneClass]
    reference: _Reference
    photos: dict[str, PhotoWork]

    def macs_per_ms(self, phone: PhoneClass, kind: Kind) -> Interval:
        """Million multiply-accumulates in a millisecond of one core."""
        if phone.macs_per_cycle:
            per_cycle: int = getattr(phone.macs_per_cycle, kind)
            return self.efficiency.interval() * (phone.ghz * per_cycle)
        if not phone.mobilenet_ms:
            raise FerMobileError(f"rates.toml has no rate of {phone.cores}")
        work = self.mobilenet.million_macs
        ms: _MobileNet = getattr(phone.mobilenet_ms, kind)
        low, high = sorted(
            macs / time / phone.mobilenet_ms.threads
            for macs, time in ((work.v1, ms.v1), (work.v2, ms.v2))
        )
        spread = self.assumptions.other_shape
        return Interval(low / spread, (low + high) / 2, high * spread)


@cache
def load_rates() -> Rates:
    """The rates that are bundled with the package."""
    file = resources.files("fer_mobile.bench") / "data" / "rates.toml"
    return Rates.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
