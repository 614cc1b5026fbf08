"""Whether two results were measured under the same circumstances."""

from __future__ import annotations

from fer_mobile.bench.result import NOISY, BenchResult


def differences(some: BenchResult, other: BenchResult) -> list[str]:
    """What stands in the way of comparing two runs, a line each."""
    one, two = _circumstances(some), _circumstances(other)
    warnings = [
        f"the {name} differ: {_words(one[name])} and {_words(two[name])}"
        for name in one
        if one[name] != two[name]
    ]
    for name, result in (("first", some), ("second", other)):
        if result.noise is not None and result.noise > NOISY:
            warnings.append(f"the {name} run is noisy: {result.noise:.0%} between its halves")
    return warnings


def _circumstances(result: BenchResult) -> dict[str, tuple[object, ...]]:
    hardware, photos = result.hardware, result.photos
    return {
        "machines": (
            hardware.phone,
            hardware.cpu,
            hardware.machine,
            hardware.vectors,
            hardware.cores,
        ),
        "clock governors": (hardware.governor,),
        "runtimes": (result.software.runtime,),
        "threads": (result.settings.threads,),
        "photos": (photos.name, photos.sha256[:12]) if photos else (),
    }


def _words(values: tuple[object, ...]) -> str:
    return ", ".join(str(value) for value in values if value is not None) or "none"
