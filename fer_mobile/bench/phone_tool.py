"""TensorFlow Lite's own `benchmark_model` on a phone, run over adb."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from fer_mobile import __version__
from fer_mobile.bench import method
from fer_mobile.bench.adb import Phone
from fer_mobile.bench.options import DEFAULTS, BenchOptions
from fer_mobile.bench.result import (
    SCHEMA,
    SCHEMA_VERSION,
    BenchResult,
    Hardware,
    Model,
    Software,
)
from fer_mobile.bench.stats import stage_stats
from fer_mobile.detect.yunet import shipped_yunet
from fer_mobile.errors import InputError
from fer_mobile.models import tflite_file
from fer_mobile.runtime.classifier import load_classifier
from fer_mobile.runtime.interpreter import load_interpreter

TOOL_FOLDER: Final = "/data/local/tmp/fer-mobile"
ROUNDS: Final = 10
_AVERAGE: Final = re.compile(r"Inference \(avg\): ([0-9.e+]+)")
_DETECTOR_SIZE: Final = (480, 640)
"""Height and width of a 4:3 photo as the detector gets it."""


def bench_tool(
    phone: Phone,
    binary: Path,
    options: BenchOptions = DEFAULTS,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> BenchResult:
    """Time detector and classifier with a `benchmark_model` binary for the phone's processor.

    The two are run in turn, ten times each, for at least `repetitions` inferences
    (`method.MOST_PASSES` where that is None) and a tenth of a second; a run's figure is its
    average.  There are no photos, so neither decode nor total nor a verdict.  `progress` is
    called before every run with the runs done and their number.

    Raises InputError where the phone does not run the binary or it prints something else.
    """
    if not binary.is_file():
        raise InputError(binary, expected="a benchmark_model binary", found="no such file")
    classifier = load_classifier(tflite_file(options.model))
    date = datetime.now(UTC).isoformat(timespec="seconds")
    repetitions = options.repetitions or method.MOST_PASSES
    phone.shell("mkdir", "-p", TOOL_FOLDER)
    for file in (binary, shipped_yunet(), classifier.path):
        phone.push(file, f"{TOOL_FOLDER}/{file.name}")
    tool = f"{TOOL_FOLDER}/{binary.name}"
    phone.shell("chmod", "755", tool)
    common = (f"--num_threads={options.threads}", f"--num_runs={repetitions}", "--min_secs=0.1")
    commands = {
        stage: (tool, *own, *common) for stage, own in _graphs(classifier.path.name).items()
    }
    runs = []
    for done in range(ROUNDS):
        if progress:
            progress(done, ROUNDS)
        runs.append({stage: _average_ms(phone, command) for stage, command in commands.items()})
    return BenchResult(
        schema_=SCHEMA,
        schema_version=SCHEMA_VERSION,
        date=date,
        device="benchmark_model",
        model=Model.of(classifier),
        photos=None,
        settings=options.settings(repetitions),
        stages=stage_stats(runs),
        verdict=None,
        cold_start=None,
        noise=method.noise([sum(run.values()) for run in runs]),
        peak_memory_mb=None,
        energy_j_per_photo=None,
        hardware=describe_phone(phone),
        software=Software(
            os=f"Android {_property(phone, 'ro.build.version.release')} "
            f"(API {_property(phone, 'ro.build.version.sdk')})",
            kernel=f"Linux {phone.shell('uname', '-r')}",
            fer_mobile=__version__,
            runtime=f"{binary.name}, as given",
        ),
    )


def _graphs(classifier: str) -> dict[str, tuple[str, ...]]:
    """Arguments that name each stage's graph on the phone, and the detector's input."""
    detector = shipped_yunet()
    name = load_interpreter(detector).get_input_details()[0]["name"]
    shape = ",".join(map(str, (1, *_DETECTOR_SIZE, 3)))
    return {
        "detect": (
            f"--graph={TOOL_FOLDER}/{detector.name}",
            f"--input_layer={name}",
            f"--input_layer_shape={shape}",
        ),
        "classify": (f"--graph={TOOL_FOLDER}/{classifier}",),
    }


def _average_ms(phone: Phone, command: tuple[str, ...]) -> float:
    """Average inference time in ms, from the last lines of `benchmark_model` (microseconds)."""
    done = phone.run("shell", f"{' '.join(command)} 2>&1", seconds=300)
    text = done.stdout.decode("utf-8", "replace")
    average = _AVERAGE.search(text)
    if average is None:
        last = (text.strip().splitlines() or ["nothing"])[-1]
        raise phone.failure("the line `Inference timings` of benchmark_model", last)
    return float(average[1]) / 1000


def describe_phone(phone: Phone) -> Hardware:
    """The phone's hardware; None for what it does not tell."""
    soc = " ".join(
        part
        for part in (_property(phone, "ro.soc.manufacturer"), _property(phone, "ro.soc.model"))
        if part
    )
    cores = phone.shell("nproc")
    memory = re.search(r"MemTotal:\s+(\d+)", phone.shell("cat", "/proc/meminfo"))
    governor = phone.shell("cat", "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    status = re.search(r"Thermal Status: (\d)", phone.shell("dumpsys", "thermalservice"))
    return Hardware.model_validate(
        {
            "cpu": soc or _property(phone, "ro.board.platform"),
            "machine": _property(phone, "ro.product.cpu.abi") or "unknown",
            "cores": int(cores) if cores.isdigit() else None,
            "cores_usable": int(cores) if cores.isdigit() else None,
            "memory_mb": int(memory[1]) * 1024 // 10**6 if memory else None,
            "governor": governor if re.fullmatch(r"\w+", governor) else None,
            "phone": " ".join(
                filter(
                    None,
                    (
                        _property(phone, "ro.product.manufacturer"),
                        _property(phone, "ro.product.model"),
                    ),
                )
            )
            or None,
            "thermal_state": THERMAL_STATES[int(status[1])] if status else None,
        }
    )


THERMAL_STATES: Final = (
    "none", "light", "moderate", "severe", "critical", "emergency", "shutdown",
)  # fmt: skip
"""Android's names, by their number."""


def _property(phone: Phone, name: str) -> str | None:
    return phone.shell("getprop", name) or None
