"""The benchmark screen of the demo app, started and read over adb."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from fer_mobile.bench import method
from fer_mobile.bench.adb import Phone
from fer_mobile.bench.options import DEFAULTS, BenchOptions
from fer_mobile.bench.result import BenchResult, parse_result
from fer_mobile.errors import InputError, nearest
from fer_mobile.models import shipped_models
from fer_mobile.wording import counted

APP: Final = "org.fermobile.gallery"
ACTIVITY: Final = f"{APP}/.BenchmarkActivity"
RESULTS: Final = f"/sdcard/Android/data/{APP}/files/bench"
ERROR_SCHEMA: Final = "fer-mobile/bench-error"

Progress = Callable[[float, float], None]
"""Called now and then with the seconds waited and the most that are waited."""


def bench_app(
    phone: Phone,
    options: BenchOptions = DEFAULTS,
    *,
    apk: Path | None = None,
    timeout_s: float = 1800,
    poll_s: float = 1,
    progress: Progress | None = None,
) -> BenchResult:
    """Have the demo app time its pipeline, and fetch the result.

    Args:
        phone: see `adb.find_phone`.
        options: the model is the name of one that the app has; `repetitions` None stands for
            `method.MOST_PASSES`.
        apk: the app to install first.
        timeout_s: how long the result is waited for.
        poll_s: seconds between two looks.
        progress: see `Progress`.

    Raises InputError where the phone, the app or its result is not as it should be.
    """
    model = str(options.model)
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
            f"the app {APP}",
            "it is not installed",
            "Name its file with `apk` (android_demo/ builds one).",
        )
    name = f"{model}.json"
    path = f"{RESULTS}/{name}"
    phone.shell("rm", "-f", path)
    _start(phone, model, name, options)
    return _parse(phone, _wait(phone, path, timeout_s, poll_s, progress))


def _start(phone: Phone, model: str, out: str, options: BenchOptions) -> None:
    passes = options.repetitions or method.MOST_PASSES
    started = phone.shell(
        *("am", "start", "-W", "-n", ACTIVITY),
        *("--es", "model", model, "--es", "out", out),
        *("--ei", "repetitions", str(passes), "--ei", "threads", str(options.threads)),
        *("--ef", "budget", str(options.budget)),
    )
    if "Error" in started:
        reason = next(line for line in started.splitlines() if "Error" in line)
        raise phone.failure("the benchmark screen to start", reason)


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
        "Keep the screen on and unlocked, or raise `timeout_s`.",
    )


def _parse(phone: Phone, content: bytes) -> BenchResult:
    try:
        row = json.loads(content)
    except ValueError as error:
        raise phone.failure(
            "a result in JSON", f"{counted(len(content), 'byte')} of something else"
        ) from error
    if isinstance(row, dict) and row.get("schema") == ERROR_SCHEMA:
        raise phone.failure("a result of the app", f"its error: {row.get('error')}")
    return parse_result(content, f"phone {phone.serial}")
