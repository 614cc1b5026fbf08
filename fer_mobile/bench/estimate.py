"""What a photo would take on a phone, from counted work and rates of its cores.

It is an estimate, no measurement.  A network's time is its multiply-accumulates over the core's
rate, plus its weights over the memory's bandwidth.  Everything else takes what it took on the
reference machine, in proportion to single-thread 7-Zip ratings.  Each rate has a range, and so
has the result; the range of a total is the sum of the stages' ends.  The rates and their sources
are in `data/rates.toml`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Literal

from fer_mobile.bench.operation_costs import OperationCost, operation_costs
from fer_mobile.bench.rates import Interval, PhoneClass, load_rates
from fer_mobile.detect.yunet import shipped_yunet
from fer_mobile.errors import InputError, choose
from fer_mobile.model_file import read_model, split
from fer_mobile.models import DEFAULT, tflite_file
from fer_mobile.runtime.tflite_model import TfliteModel
from fer_mobile.types import STAGES


@dataclass(frozen=True, slots=True)
class Estimate:
    """Milliseconds that a mean photo with one face would take."""

    phone: str
    """A class of phones in `data/rates.toml`."""
    model: str
    photos: str
    threads: int
    budget_s: float
    stages: Mapping[str, Interval]

    @property
    def fits(self) -> Literal["yes", "perhaps", "no"]:
        """Whether a mean photo stays within the budget: at both ends of the range, or at one."""
        low, _, high = self.stages["total"]
        budget_ms = self.budget_s * 1000
        return "yes" if high <= budget_ms else "perhaps" if low <= budget_ms else "no"

    def as_dict(self) -> dict[str, object]:
        """The estimate as `bench --estimate --json` prints it."""
        phone = load_rates().phones[self.phone]
        return {
            "schema": "fer-mobile/bench-estimate",
            "schema_version": 1,
            "estimate": True,
            "phone": self.phone,
            "cores": phone.cores,
            "origin": phone.origin,
            "model": self.model,
            "photos": self.photos,
            "threads": self.threads,
            "budget_s": self.budget_s,
            "stages_ms": {
                name: dict(zip(Interval._fields, (round(ms, 1) for ms in stage), strict=True))
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
        phone: a class of phones in `data/rates.toml`, such as "galaxy-j3".
        model: a shipped model's name or a `.tflite` file.
        photos: "affective-25" or "12mp"; the work of others was not counted.
        threads: of detector and classifier; more than the phone has fast cores do not count.
        budget: seconds that a photo may take.

    Raises:
        InputError: an unknown phone or photo set, or less than one thread.
        ModelError: a model that cannot be used.
    """
    rates = load_rates()
    core = choose("phone", phone, rates.phones)
    work = choose("estimated photo set", photos, rates.photos)
    if threads < 1:
        raise InputError("threads", expected="at least 1", found=str(threads))
    path = tflite_file(model)
    classifier = TfliteModel(split(read_model(path), path)[0], path)
    detector = TfliteModel(shipped_yunet().read_bytes())
    scale = work.detector_pixels / prod(detector.inputs[0].shape[1:3])
    slower = rates.reference.seven_zip_mips / core.seven_zip_mips
    scalar = rates.assumptions.scalar.interval() * slower
    stages = {name: scalar * ms for name, ms in work.scalar_ms.items()}
    stages["detect"] += _network_ms(core, operation_costs(detector), threads) * scale
    stages["classify"] += _network_ms(core, operation_costs(classifier), threads)
    total = Interval(0, 0, 0)
    for stage in stages.values():
        total += stage
    ordered = {name: stages[name] for name in STAGES if name != "total"} | {"total": total}
    return Estimate(phone, path.name, photos, threads, budget, ordered)


def _network_ms(phone: PhoneClass, operations: list[OperationCost], threads: int) -> Interval:
    rates = load_rates()
    integer = sum(op.macs for op in operations if op.integer) / 1e6
    real = sum(op.macs for op in operations if not op.integer) / 1e6
    megabytes = sum(op.weight_bytes for op in operations) / 1e6
    cores = min(threads, phone.fast_cores)
    speedup = 1 + rates.assumptions.further_thread * (cores - 1)
    # The highest rate makes the shortest time.
    fast_first = (reversed(rates.macs_per_ms(phone, kind)) for kind in ("int8", "float32"))
    return Interval(
        *(
            (integer / int8 + real / float32) / speedup + megabytes / phone.copied_mb_per_ms
            for int8, float32 in zip(*fast_first, strict=True)
        )
    )
