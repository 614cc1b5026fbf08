"""Which file should I take?  Every shipped file, in every runtime, by numbers of threads.

Each combination is timed in a process of its own, so that the memory is its alone.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any, Final

from fer_mobile.bench.options import DEFAULTS, BenchOptions
from fer_mobile.bench.photos import load_photo_set
from fer_mobile.bench.result import BenchResult
from fer_mobile.model_file import read_contract
from fer_mobile.models import shipped_models

_PROCESS: Final = """
import json
import sys
from fer_mobile.bench.options import BenchOptions
from fer_mobile.bench.run import run_bench
from fer_mobile.runtime.interpreter import choose_runtime
runtime, photos, options = json.loads(sys.argv[1])
choose_runtime(runtime)
print(json.dumps(run_bench(BenchOptions(**options), photos=photos).as_dict()))
"""

NOISE: Final = 0.01
"""Accuracies that are closer are taken for equal: half a 95% interval of 3,199 faces."""


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One file in one runtime on so many threads."""

    model: str
    precision: str
    runtime: str
    """The package."""
    threads: int
    bytes: int
    accuracy: float | None = None
    """Share of 1, as the file's contract states it; None where it states none."""
    balanced_accuracy: float | None = None
    gpu: str = "unknown"
    """The contract's verdict on a GPU."""
    p90_ms: float | None = None
    """Milliseconds that nine photos in ten take at most, from file to label."""
    classify_ms: float | None = None
    """Mean milliseconds that the classifier takes for the faces of a photo."""
    memory_mb: float | None = None
    error: str | None = None
    """Why it could not be timed."""

    def as_dict(self) -> dict[str, Any]:
        """The row as `fer-mobile bench --matrix --json` prints it."""
        return asdict(self)


def measure_matrix(
    files: Sequence[Path],
    runtimes: Sequence[str],
    threads: Sequence[int],
    *,
    options: BenchOptions = DEFAULTS,
    photos: str = "affective-25",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Iterator[tuple[MatrixRow, BenchResult | None]]:
    """Time every combination; one that fails is a row with its reason.

    Args:
        files: models with contracts.
        runtimes: packages, of `runtime.interpreter.RUNTIMES`.
        threads: numbers of threads.
        options: budget and repetitions; model and threads are those of the combination.
        photos: a photo set's name or a folder.
        progress: called with the combinations done and all of them.

    Raises InputError, before anything is timed, where there are no such photos.
    """
    load_photo_set(photos)
    combinations = list(product(files, runtimes, threads))
    for number, (file, runtime, count) in enumerate(combinations):
        progress(number, len(combinations))
        yield _measure(file, runtime, photos, replace(options, model=str(file), threads=count))
    progress(len(combinations), len(combinations))


def _measure(
    file: Path, runtime: str, photos: str, options: BenchOptions
) -> tuple[MatrixRow, BenchResult | None]:
    row = _row(file, runtime, options.threads)
    done = subprocess.run(
        [sys.executable, "-c", _PROCESS, json.dumps([runtime, photos, asdict(options)])],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return replace(
            row, error=(done.stderr.strip().splitlines() or ["no reason given"])[-1]
        ), None
    result = BenchResult.model_validate_json(done.stdout)
    classify = result.stages.get("classify")
    timed = replace(
        row,
        p90_ms=result.stages["total"].p90_ms,
        classify_ms=classify.mean_ms if classify else None,
        memory_mb=result.peak_memory_mb,
    )
    return timed, result


def _row(file: Path, runtime: str, threads: int) -> MatrixRow:
    contract = read_contract(file)
    figures = [each for each in contract.figures if each.precision == contract.precision]
    verdicts = {each.name: each.verdict for each in contract.accelerators}
    return MatrixRow(
        contract.name,
        contract.precision,
        runtime,
        threads,
        file.stat().st_size,
        figures[0].accuracy if figures else None,
        figures[0].balanced_accuracy if figures else None,
        verdicts.get("gpu", "unknown"),
    )


def recommend(rows: Sequence[MatrixRow], budget_s: float) -> MatrixRow | None:
    """The row to take: accurate within the budget, then small, then on few threads and quick.

    None where no row is within the budget.  Files whose accuracy is within `NOISE` of the best
    count as equally accurate.
    """
    fit = [row for row in rows if row.p90_ms is not None and row.p90_ms <= 1000 * budget_s]
    if not fit:
        return None
    best = max(row.accuracy or 0.0 for row in fit)
    good = [row for row in fit if (row.accuracy or 0.0) >= best - NOISE]
    return min(good, key=lambda row: (row.bytes, row.threads, row.p90_ms))


def shipped_files() -> list[Path]:
    """Every file that is shipped for the default labels."""
    return [path for model in shipped_models().values() for path in model.files.values()]
