"""What a phone would need, from counted work and rates of its cores: an estimate, no measurement.

A network's time is its multiply-accumulates over the core's rate, plus its weights over the
memory's bandwidth.  Decoding, gray, resizing and the like take what they took on the reference
machine, in proportion to single-thread 7-Zip ratings.  Each rate has a range, and so has the
result; the range of a total is the sum of the stages' ends.

Sources of the rates:

* XNNPACK: README of google/XNNPACK, "Performance", 8 February 2022: MobileNet v1 (569 million
  multiply-accumulates, Howard et al., 2017) and v2 (300 million, Sandler et al., 2018).  On
  four Cortex-A53 at 1.4 GHz (Raspberry Pi 3+) float32 takes 114 and 79 ms, int8 46 and 30 ms;
  a quarter of each rate is one core's.
* Computed: clock × multiply-accumulates per cycle × efficiency.  Per cycle a Cortex-A55 does
  4 in float32 and 16 in int8 (one 128-bit pipe, dot products), a Cortex-A76 8 and 32 (two), a
  Cortex-X1 16 and 64 (four).  Efficiency 20 to 50 %, typically 35 %: XNNPACK's float32 figures
  above are 17 to 22 % of a Cortex-A53's 4 per cycle, those of the Pixel 3a (88 and 55 ms on one
  thread, 8 per cycle at 2.0 GHz) 34 to 40 %.
* 7-Zip ratings and memcpy: ThomasKaiser/sbc-bench, Sorted-Results.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from fer_mobile.bench.graph import OperationCost, operation_costs
from fer_mobile.bench.stats import TABLE8
from fer_mobile.contract import split
from fer_mobile.detect.yunet import shipped_yunet
from fer_mobile.errors import InputError, ModelError, choose
from fer_mobile.models import DEFAULT, tflite_file
from fer_mobile.runtime.tflite_model import TfliteModel
from fer_mobile.types import STAGES


class Range(NamedTuple):
    """Three figures, in an order that `low <= typical <= high`."""

    low: float
    typical: float
    high: float

    def __add__(self, other: object) -> Range:
        if not isinstance(other, Range):
            return NotImplemented
        return Range(*(a + b for a, b in zip(self, other, strict=True)))

    def __mul__(self, factor: object) -> Range:
        if not isinstance(factor, int | float):
            return NotImplemented
        return Range(*(value * factor for value in self))


@dataclass(frozen=True, slots=True)
class PhoneClass:
    """One core of a class of phones; a run with more threads gets as many of the same."""

    cores: str
    example: str
    fast_cores: int
    """Cores of this kind."""
    float_rate: Range
    """Million multiply-accumulates in a millisecond, one core."""
    integer_rate: Range
    seven_zip: float
    """Single-thread rating, MIPS."""
    bandwidth: float
    """Megabytes that it copies in a millisecond."""
    origin: str


OTHER_SHAPE: Final = 4 / 3
"""What a network of other shapes than MobileNet's may be faster or slower."""


def _published(
    float_ms: tuple[float, float], integer_ms: tuple[float, float]
) -> tuple[Range, Range]:
    """Rates of one of four cores from times of MobileNet v1 and v2."""

    def rate(v1_ms: float, v2_ms: float) -> Range:
        ends = sorted((569 / v1_ms / 4, 300 / v2_ms / 4))
        return Range(ends[0] / OTHER_SHAPE, sum(ends) / 2, ends[1] * OTHER_SHAPE)

    return rate(*float_ms), rate(*integer_ms)


def _computed(ghz: float, float_macs: int, integer_macs: int) -> tuple[Range, Range]:
    efficiency = Range(0.20, 0.35, 0.50)
    return efficiency * (ghz * float_macs), efficiency * (ghz * integer_macs)


PHONES: Final[Mapping[str, PhoneClass]] = {
    "galaxy-j3": PhoneClass(
        "4×Cortex-A53, 1.4 GHz",
        "Samsung Galaxy J3 (Exynos 7570), the thesis's phone",
        4,
        *_published((114, 79), (46, 30)),
        seven_zip=1053,
        bandwidth=1.2,
        origin="rates published for the same cores and clock",
    ),
    "a55": PhoneClass(
        "8×Cortex-A55, 1.6 GHz",
        "entry phones since 2019",
        8,
        *_computed(1.6, 4, 16),
        seven_zip=1353 * 1.6 / 1.8,
        bandwidth=2.4,
        origin="computed peak × 20 to 50 %",
    ),
    "a55-a76": PhoneClass(
        "2×Cortex-A76, 2.2 GHz, beside Cortex-A55",
        "middle phones since 2019",
        2,
        *_computed(2.2, 8, 32),
        seven_zip=3146 * 2.2 / 2.35,
        bandwidth=8.0,
        origin="computed peak × 20 to 50 %",
    ),
    "x1": PhoneClass(
        "1×Cortex-X1, 2.8 GHz, beside smaller ones",
        "large phones since 2021",
        1,
        *_computed(2.8, 16, 64),
        seven_zip=4312 * 2.8 / 3.0,
        bandwidth=12.0,
        origin="computed peak × 20 to 50 %",
    ),
}

REFERENCE_SEVEN_ZIP: Final = 3300.0
"""Rating of the reference machine's core (AMD EPYC), where the following was measured."""

SCALAR_MS: Final[Mapping[str, Mapping[str, float]]] = {
    "affective-25": {"decode": 1.69, "detect": 3.2, "resize": 0.16, "gray": 0.44, "classify": 0.2},
    "12mp": {"decode": 27.2, "detect": 6.5, "resize": 0.44, "gray": 0.88, "classify": 0.2},
}
"""Mean milliseconds a photo of what is not a network, by photo set: processor time, the least
of several passes."""

DETECTION_PIXELS: Final[Mapping[str, float]] = {"affective-25": 0.62 * 640 * 480, "12mp": 640 * 480}
"""Mean pixels that the detector is shown."""

SCALAR_SPREAD: Final = Range(0.7, 1.0, 1.6)
"""Times a task may differ from what the ratings of two cores say."""

SECOND_THREAD: Final = 0.9
"""What each further thread adds (Pixel 3a, two threads: 1.9 times one)."""

THESIS_MACS: Final = (416e6, 5050e6)
"""Multiply-accumulates of the thesis's two-stream network at 224 px in float32, with its poolings
as early and as late as they can be placed; where it had them is not told."""

THESIS_BYTES: Final = 30.0e6


@dataclass(frozen=True, slots=True)
class Estimate:
    """Milliseconds that a mean photo with one face would take."""

    phone: str
    model: str
    photos: str
    threads: int
    budget_s: float
    stages: Mapping[str, Range]

    @property
    def fits(self) -> Literal["yes", "perhaps", "no"]:
        """Whether a mean photo stays within the budget: at both ends of the range, or at one."""
        low, _, high = self.stages["total"]
        budget_ms = self.budget_s * 1000
        return "yes" if high <= budget_ms else "perhaps" if low <= budget_ms else "no"

    def as_dict(self) -> dict[str, Any]:
        """The estimate as `bench --estimate --json` prints it."""
        found = PHONES[self.phone]
        return {
            "schema": "fer-mobile/bench-estimate",
            "schema_version": 1,
            "estimate": True,
            "phone": self.phone,
            "cores": found.cores,
            "origin": found.origin,
            "model": self.model,
            "photos": self.photos,
            "threads": self.threads,
            "budget_s": self.budget_s,
            "stages_ms": {
                name: dict(zip(Range._fields, (round(ms, 1) for ms in stage), strict=True))
                for name, stage in self.stages.items()
            },
            "fits": self.fits,
        }


def estimate(
    phone: str,
    model: str | Path = DEFAULT,
    *,
    photos: str = "affective-25",
    threads: int = 1,
    budget: float = 0.5,
) -> Estimate:
    """What a photo of a set would take on a class of phones.

    Args:
        phone: one of `PHONES`.
        model: a shipped model's name or a `.tflite` file.
        photos: one of `SCALAR_MS`; others were not counted.
        threads: of detector and classifier; more than the phone has fast cores do not count.
        budget: seconds that a photo may take.

    Raises InputError for an unknown phone or photo set, ModelError for an unusable model.
    """
    core = choose("phone", phone, PHONES)
    scalar = choose("estimated photo set", photos, SCALAR_MS)
    if threads < 1:
        raise InputError("threads", expected="at least 1", found=str(threads))
    path = tflite_file(model)
    classifier = TfliteModel(split(_read(path), path)[0], path)
    detector = TfliteModel(shipped_yunet().read_bytes())
    scale = DETECTION_PIXELS[photos] / prod(detector.inputs[0].shape[1:3])
    slower = SCALAR_SPREAD * (REFERENCE_SEVEN_ZIP / core.seven_zip)
    stages = {name: slower * ms for name, ms in scalar.items()}
    stages["detect"] += _network_ms(core, operation_costs(detector), threads) * scale
    stages["classify"] += _network_ms(core, operation_costs(classifier), threads)
    total = Range(0, 0, 0)
    for stage in stages.values():
        total += stage
    ordered = {name: stages[name] for name in STAGES if name != "total"} | {"total": total}
    return Estimate(phone, path.name, photos, threads, budget, ordered)


def _network_ms(core: PhoneClass, operations: list[OperationCost], threads: int) -> Range:
    integer = sum(op.macs for op in operations if op.integer) / 1e6
    real = sum(op.macs for op in operations if not op.integer) / 1e6
    megabytes = sum(op.weight_bytes for op in operations) / 1e6
    cores = min(threads, core.fast_cores)
    speedup = 1 + SECOND_THREAD * (cores - 1)
    return Range(
        *(
            (integer / whole + real / single) / speedup + megabytes / core.bandwidth
            for whole, single in zip(
                reversed(core.integer_rate), reversed(core.float_rate), strict=True
            )
        )
    )


def check_against_table8() -> str:
    """The thesis's own classifier by the same rates, beside what its phone took: one line."""
    core = PHONES["galaxy-j3"]
    rate = core.float_rate
    few, many = (macs / 1e9 for macs in THESIS_MACS)
    speedup = 1 + SECOND_THREAD * (core.fast_cores - 1)
    load = THESIS_BYTES / 1e6 / core.bandwidth
    low = few * 1000 / rate.high / speedup + load
    high = many * 1000 / rate.low + load
    measured = TABLE8["classify"][0]
    inside = "inside" if low <= measured <= high else "outside"
    return (
        f"check: the thesis's classifier would take {low:.0f} to {high:.0f} ms by these rates "
        f"(poolings early or late, 4 threads or 1); table 8 has {measured:.0f} ms, {inside}"
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(path, expected="a .tflite file", found=str(error.strerror)) from error
