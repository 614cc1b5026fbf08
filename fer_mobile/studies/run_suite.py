"""Running a suite: one run after another, past those that fail, and again from where it was.

The folder that is written holds::

    runs/NAME/    a run folder (see `checkpoint.run_folder`) for each, with test.json,
                  classification_report.json, confusion.png and row.json
    SUITE.csv     a row a run
    SUITE.json    the same with the printed figures, histories and recalls
    SUITE.html    the printed figures next to ours

Suites in one folder share the runs that they have in common.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Literal

from fer_mobile.data import data_path
from fer_mobile.errors import InputError, RecipeError, check_choice, choose
from fer_mobile.studies.attempt import Attempt, read_row, train_and_measure
from fer_mobile.studies.duration import estimate_duration
from fer_mobile.studies.suite import Run, Suite
from fer_mobile.studies.tables import read_rows, write_tables
from fer_mobile.training.recipe import Recipe, override
from fer_mobile.training.split import training_rows
from fer_mobile.wording import counted

Engine = Literal["sequential", "ray"]
"""How runs are done: one after another in this process, or next to each other by Ray."""
ENGINES: Final[tuple[Engine, ...]] = ("sequential", "ray")

QUICK: Final = ("training.fraction=0.02", "training.valid_fraction=0.1", "training.epochs=2")
"""What makes a suite a matter of minutes, with `QUICK_SIZE`."""
QUICK_SIZE: Final = 112
"""Input of the networks that have 224 px, in a quick run."""

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class SuiteOptions:
    """How a suite is run.  Raises InputError for an unknown engine."""

    overrides: Sequence[str] = ()
    """``section.key=value`` for every recipe."""
    only: Collection[str] = ()
    """Names of the runs to train; the others keep the rows that they have.  Empty: all."""
    rows: Path | None = None
    """A SUITE.json of an earlier run, here or elsewhere: its rows of the same recipes are kept."""
    quick: bool = False
    """Few faces, two epochs and small inputs: shows that everything works, in minutes."""
    engine: Engine = "sequential"
    cores: int = 1
    """With the engine "ray": cores of each run."""

    def __post_init__(self) -> None:
        check_choice("engine", self.engine, ENGINES)

    def recipe(self, run: Run) -> Recipe:
        """The recipe of a run with what is changed in it; RecipeError for what does not fit."""
        return self.change(run.recipe)

    def change(self, recipe: Recipe) -> Recipe:
        """A recipe with what is changed in every one; RecipeError for what does not fit."""
        changes = list(QUICK) if self.quick else []
        if self.quick and recipe.model.options.get("size", 0) > QUICK_SIZE:
            changes.append(f"model.options.size={QUICK_SIZE}")
        return override(recipe, [*changes, *self.overrides])


def run_suite(
    suite: Suite,
    out: Path,
    options: SuiteOptions | None = None,
    *,
    data: str | Path | None = None,
    report: Report = print,
) -> list[dict[str, Any]]:
    """Train and measure a suite's runs in `out`; returns a row for each, in the suite's order.

    How long it may take is reported first, unless it is quick or on a cluster.  Finished runs are
    not repeated and a run in progress goes on after its last epoch.  One that fails has a row with
    the reason, and is tried again next time.  The tables and the page are written after every run.

    Raises:
        InputError: an unknown name in `only`, a cluster that cannot be reached, rows of
            another schema, or a row in `out` of other faces than those of `data`.
        MissingPackageError: an engine that is not installed.
        RecipeError: an override that fits no recipe, or a run in `out` that has other values.
        DataError: data that is not there or lacks what a run is trained on.
    """
    options = options or SuiteOptions()
    runs = {run.name: run for run in suite.runs}
    for name in options.only:
        choose(f"run of {suite.name}", name, runs)
    recipes = {name: options.recipe(run) for name, run in runs.items()}
    chosen = [name for name in runs if not options.only or name in options.only]
    data_path(data)
    for name in chosen:
        _check_same(recipes[name], out / "runs" / name)
    rows = {name: read_row(out / "runs" / name) for name in runs}
    digests = _Digests(data)
    for name, row in rows.items():
        if not digests.fit(row):
            raise InputError(
                out / "runs" / name,
                expected=f"a row of the faces in {data_path(data)}",
                found="one of other faces",
                hint="Give the same `data`, another `out`, or remove the folder.",
            )
    if options.rows:
        rows |= _earlier_rows(options.rows, recipes, rows, digests, report)
    attempts = [
        Attempt(name, recipes[name], out / "runs" / name, data)
        for name in chosen
        if "error" in rows[name]
    ]
    _check_data(attempts)

    def write() -> list[dict[str, Any]]:
        complete = [_with_source(run, rows[run.name]) for run in suite.runs]
        write_tables(suite, complete, out)
        return complete

    def tell(line: str) -> None:
        report(f"{suite.name}: {line}")

    if attempts and not options.quick and options.engine == "sequential":
        tell(estimate_duration(attempts))
    started = time.monotonic()
    for count, (name, row) in enumerate(_done(attempts, options, tell), 1):
        rows[name] = row
        write()
        if count < len(attempts):
            tell(_progress(count, len(attempts), time.monotonic() - started))
    return write()


class _Digests:
    """Digests of the faces that recipes learn from, each computed once."""

    def __init__(self, data: str | Path | None) -> None:
        self._data = data
        self._known: dict[str, str] = {}

    def fit(self, row: Mapping[str, Any]) -> bool:
        """Whether a row is of these faces, as far as it says; earlier versions' rows do not."""
        if "data_sha256" not in row:
            return True
        recipe = Recipe.model_validate(row["recipe"])
        training = recipe.training
        key = f"{recipe.data.model_dump_json()} {training.fraction} {training.seed}"
        if key not in self._known:
            self._known[key] = training_rows(recipe, self._data)[0].digest()
        return bool(self._known[key] == row["data_sha256"])


def _earlier_rows(
    file: Path,
    recipes: Mapping[str, Recipe],
    rows: Mapping[str, dict[str, Any]],
    digests: _Digests,
    report: Report,
) -> dict[str, dict[str, Any]]:
    """The rows of a SUITE.json for runs that have none here; reports how many are not used."""
    kept: dict[str, dict[str, Any]] = {}
    earlier = [row for row in read_rows(file) if "error" not in row]
    for row in earlier:
        recipe = recipes.get(row["run"])
        if recipe and row.get("recipe") == recipe.model_dump(mode="json") and digests.fit(row):
            kept[row["run"]] = {k: v for k, v in row.items() if k not in ("run", "row", "printed")}
    others = len(earlier) - len(kept)
    report(f"{file}: {counted(len(kept), 'row')} kept, {others} of other recipes or faces left out")
    return {name: row for name, row in kept.items() if "error" in rows[name]}


def _done(
    attempts: Sequence[Attempt], options: SuiteOptions, report: Report
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and row of every attempt, as they come."""
    if options.engine == "ray" and attempts:
        from fer_mobile.studies.ray_engine import in_ray

        yield from in_ray(attempts, options.cores, report)
        return
    for number, attempt in enumerate(attempts, 1):
        report(f"{attempt.name} ({number} of {len(attempts)})")
        yield attempt.name, train_and_measure(attempt, report)


def _progress(done: int, runs: int, seconds: float) -> str:
    """How far a suite is, and the time left if the other runs take as long as those that ended."""
    taken, left = (timedelta(seconds=round(s)) for s in (seconds, seconds / done * (runs - done)))
    return f"{done} of {runs} runs ended after {taken}, about {left} left"


def _check_data(attempts: Sequence[Attempt]) -> None:
    """Raise DataError before anything is trained if a run's faces are not in the data."""
    checked: set[tuple[str, str | None]] = set()
    for attempt in attempts:
        section = attempt.recipe.data
        if (section.protocol, section.train_protocol) not in checked:
            training_rows(attempt.recipe, attempt.data)
            checked.add((section.protocol, section.train_protocol))


def _check_same(recipe: Recipe, folder: Path) -> None:
    file = folder / "recipe.json"
    if file.exists() and Recipe.model_validate_json(file.read_bytes()) != recipe:
        raise RecipeError(
            folder,
            expected="no run, or one of the same recipe",
            found="one with other values",
            hint="Give the same options as before, another `out`, or remove the folder.",
        )


def _with_source(run: Run, row: dict[str, Any]) -> dict[str, Any]:
    """A row with its names and the printed figures that it is compared with."""
    complete = dict(row)
    if run.epoch_faces and "step_ms" in complete:
        batch = run.recipe.training.batch_size
        complete["epoch_s"] = round(complete["step_ms"] / 1000 * run.epoch_faces / batch, 1)
    return {"run": run.name, "row": run.row, **complete, "printed": dict(run.printed)}
