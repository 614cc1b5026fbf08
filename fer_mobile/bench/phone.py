"""The benchmark on a phone: the demo app's benchmark screen, or plain `benchmark_model`."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from fer_mobile import __version__
from fer_mobile.bench import method
from fer_mobile.bench.adb import Phone, find_phone
from fer_mobile.bench.result import (
    SCHEMA,
    SCHEMA_VERSION,
    BenchResult,
    Hardware,
    Settings,
    Software,
    parse_result,
)
from fer_mobile.bench.run import DETECTOR, FACES, check_settings, describe_model
from fer_mobile.bench.stats import stage_stats
from fer_mobile.detect.yunet import shipped_yunet
from fer_mobile.errors import InputError, nearest
from fer_mobile.models import DEFAULT, shipped_models, tflite_file
from fer_mobile.runtime.classifier import load_classifier
from fer_mobile.runtime.interpreter import load_interpreter

APP: Final = "org.fermobile.gallery"
ACTIVITY: Final = f"{APP}/.BenchmarkActivity"
RESULTS: Final = f"/sdcard/Android/data/{APP}/files/bench"
ERROR_SCHEMA: Final = "fer-mobile/bench-error"
TOOL_FOLDER: Final = "/data/local/tmp/fer-mobile"

Progress = Callable[[float, float], None]
"""Called now and then with the seconds waited and the most that are waited."""


def bench_phone(
    serial: str | None = None,
    model: str = DEFAULT,
    *,
    apk: Path | None = None,
    benchmark_binary: Path | None = None,
    threads: int = 1,
    budget: float = 0.5,
    repetitions: int | None = None,
    timeout_s: float = 1800,
    progress: Progress | None = None,
) -> BenchResult:
    """The benchmark on the phone of that serial number, or on the only one.

    By the demo app (see `bench_app`), or by a `benchmark_model` binary where one is given
    (see `bench_tool`).  Raises InputError as they and `adb.find_phone` do.
    """
    phone = find_phone(serial)
    if benchmark_binary is not None:
        return bench_tool(
            phone,
            benchmark_binary,
            model,
            threads=threads,
            budget=budget,
            repetitions=repetitions,
            progress=progress,
        )
    return bench_app(
        phone,
        model,
        apk=apk,
        threads=threads,
        budget=budget,
        repetitions=repetitions,
        timeout_s=timeout_s,
        progress=progress,
    )


def bench_app(
    phone: Phone,
    model: str = DEFAULT,
    *,
    apk: Path | None = None,
    threads: int = 1,
    budget: float = 0.5,
    repetitions: int | None = None,
    timeout_s: float = 1800,
    poll_s: float = 1,
    progress: Progress | None = None,
) -> BenchResult:
    """Have the demo app time its pipeline, and fetch the result.

    Args:
        phone: see `adb.find_phone`.
        model: the name of a model that the app has.
        apk: the app to install first.
        threads: threads of both models.
        budget: seconds that nine photos in ten may take.
        repetitions: timed passes over the photos; None for `method.MOST_PASSES`.
        timeout_s: how long the result is waited for.
        poll_s: seconds between two looks.
        progress: see `Progress`.

    Raises InputError where the phone, the app or its result is not as it should be.
    """
    check_settings(threads, budget, repetitions)
    if model not in shipped_models():
        raise InputError(
            f"model {model!r}",
            expected="a model that the app has",
            found="no such name",
            hint=nearest(model, shipped_models()),
        )
    if apk is not None:
        phone.install(apk)
    if not phone.shell("pm", "path", APP).startswith("package:"):
        raise phone.failure(
            f"the app {APP}", "it is not installed", "Install it with --apk FILE (android_demo/)."
        )
    name = f"{model}.json"
    path = f"{RESULTS}/{name}"
    phone.shell("rm", "-f", path)
    passes = str(repetitions or method.MOST_PASSES)
    started = phone.shell(
        *("am", "start", "-W", "-n", ACTIVITY),
        *("--es", "model", model, "--es", "out", name),
        *("--ei", "repetitions", passes, "--ei", "threads", str(threads)),
        *("--ef", "budget", str(budget)),
    )
    if "Error" in started:
        reason = next(line for line in started.splitlines() if "Error" in line)
        raise phone.failure("the benchmark screen to start", reason)
    content = _wait(phone, path, timeout_s, poll_s, progress)
    return _read(phone, content)


def _wait(
    phone: Phone, path: str, timeout_s: float, poll_s: float, progress: Progress | None
) -> bytes:
    """The result file, as soon as it is there: the app gives it its name when it is whole."""
    start = time.monotonic()
    gone = False
    while (waited := time.monotonic() - start) < timeout_s:
        if progress:
            progress(waited, timeout_s)
        content = phone.read(path)
        if content is not None:
            return content
        running = bool(phone.shell("pidof", APP))
        if gone and not running:  # twice: it may have finished between the two questions
            raise phone.failure(
                "a result of the app", "it ended without one", "See: adb logcat -d -b crash"
            )
        gone = not running
        time.sleep(poll_s)
    raise phone.failure(
        f"a result within {timeout_s:.0f} s",
        "none",
        "Keep the screen on and unlocked, or raise --timeout.",
    )


def _read(phone: Phone, content: bytes) -> BenchResult:
    try:
        row = json.loads(content)
    except ValueError as error:
        raise phone.failure(
            "a result in JSON", f"{len(content)} bytes of something else"
        ) from error
    if isinstance(row, dict) and row.get("schema") == ERROR_SCHEMA:
        raise phone.failure("a result of the app", f"its error: {row.get('error')}")
    return parse_result(content, f"phone {phone.serial}")


ROUNDS: Final = 10
_AVERAGE: Final = re.compile(r"Inference \(avg\): ([0-9.e+]+)")
_DETECTOR_SIZE: Final = (480, 640)
"""Height and width of a 4:3 photo as the detector gets it."""


def bench_tool(
    phone: Phone,
    binary: Path,
    model: str | Path = DEFAULT,
    *,
    threads: int = 1,
    budget: float = 0.5,
    repetitions: int | None = None,
    progress: Progress | None = None,
) -> BenchResult:
    """Time detector and classifier with a `benchmark_model` binary for the phone's processor.

    The two are run in turn, ten times each, for at least `repetitions` inferences and a tenth
    of a second; a run's figure is its average.  There are no photos, so neither decode nor
    total nor a verdict.

    Raises InputError where the phone does not run the binary or it says something else.
    """
    check_settings(threads, budget, repetitions)
    if not binary.is_file():
        raise InputError(binary, expected="a benchmark_model binary", found="no such file")
    classifier = load_classifier(tflite_file(model))
    date = datetime.now(UTC).isoformat(timespec="seconds")
    phone.shell("mkdir", "-p", TOOL_FOLDER)
    for file in (binary, shipped_yunet(), classifier.path):
        phone.push(file, f"{TOOL_FOLDER}/{file.name}")
    tool = f"{TOOL_FOLDER}/{binary.name}"
    phone.shell("chmod", "755", tool)
    common = (
        f"--num_threads={threads}",
        f"--num_runs={repetitions or method.MOST_PASSES}",
        "--min_secs=0.1",
    )
    name = load_interpreter(shipped_yunet()).get_input_details()[0]["name"]
    image = ",".join(map(str, (1, *_DETECTOR_SIZE, 3)))
    commands = {
        "detect": (
            f"--graph={TOOL_FOLDER}/{shipped_yunet().name}",
            f"--input_layer={name}",
            f"--input_layer_shape={image}",
        ),
        "classify": (f"--graph={TOOL_FOLDER}/{classifier.path.name}",),
    }
    runs = []
    for done in range(ROUNDS):
        if progress:
            progress(done, ROUNDS)
        runs.append({s: _average_ms(phone, (tool, *own, *common)) for s, own in commands.items()})
    return BenchResult(
        schema_=SCHEMA,
        schema_version=SCHEMA_VERSION,
        date=date,
        device="benchmark_model",
        model=describe_model(classifier),
        photos=None,
        settings=Settings(
            threads=threads,
            repetitions=repetitions or method.MOST_PASSES,
            budget_s=budget,
            faces=FACES,
            detector=DETECTOR,
        ),
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


def _average_ms(phone: Phone, command: tuple[str, ...]) -> float:
    """Average inference time that `benchmark_model` tells (microseconds, in its last lines)."""
    done = phone.run("shell", f"{' '.join(command)} 2>&1", seconds=300)
    text = done.stdout.decode("utf-8", "replace")
    found = _AVERAGE.search(text)
    if found is None:
        last = (text.strip().splitlines() or ["nothing"])[-1]
        raise phone.failure("the line `Inference timings` of benchmark_model", last)
    return float(found[1]) / 1000


def describe_phone(phone: Phone) -> Hardware:
    """What the phone says of itself; None for what it does not tell."""
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
