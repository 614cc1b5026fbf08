"""A run folder: what a training leaves, read and written in this one place.

It holds::

    recipe.json          the resolved recipe
    provenance.json      what the weights come from: data, first weights, teachers, software
    state.json           how many epochs are done, written after their checkpoint
    last.keras           weights and optimizer after the last epoch
    best.keras           float32 weights of the best epoch (averaged, if the recipe says so)
    valid.json           its figures on valid, calibrated once the training is done
    calibration.json     temperature and offsets for it, which every reader folds in
    ranges.json          its activation ranges for int8 exports
    teacher_targets.npz  soft targets of the teachers, for a recipe whose batches come again
    history.csv          a row an epoch; curves.png draws it
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, NonNegativeInt, TypeAdapter, ValidationError

from fer_mobile.contract import Figures, OutputCalibration, Provenance
from fer_mobile.contract.text import printable
from fer_mobile.errors import ModelError
from fer_mobile.files import replace_file, write_text
from fer_mobile.metrics import Scores
from fer_mobile.wording import counted

HISTORY_COLUMNS: Final = (
    "epoch", "loss", "accuracy", "balanced_accuracy", "valid_loss", "seconds",
    "train_accuracy", "step_ms",
)  # fmt: skip
"""Of history.csv.  Accuracies and loss of valid are of the weights that best.keras keeps; loss,
train_accuracy and step_ms (the wait for batches included) are of the training batches."""

HISTORY_DIGITS: Final = 5
"""After the point, of the values in history.csv."""

T = TypeVar("T")

CALIBRATION_JSON: Final = "calibration.json"
FORMER_CALIBRATION_JSON: Final = "adjustment.json"
"""The name of calibration.json in run folders of version 0.1.0, which are still read."""


@dataclass(frozen=True, slots=True)
class RunState:
    """How far a run is."""

    epochs_done: NonNegativeInt
    stopped: str | None = None
    """Why it ended before its recipe's last epoch, if it did."""
    extended_at: NonNegativeInt = 0
    """Epochs that were done when its recipe last got more of them: patience counts from there."""
    valid_digest: str | None = None
    """SHA-256 of the faces and labels that the last epoch was evaluated on, hex."""


class _Model(BaseModel):
    architecture: str
    options: dict[str, Any]


class _Data(BaseModel):
    protocol: str
    train_protocol: str | None = None
    preprocessing: tuple[str, ...] = ()


class _Training(BaseModel):
    epochs: int
    seed: int


class RunRecipe(BaseModel):
    """What a reader of weights has to know of the recipe that made them."""

    name: str
    model: _Model
    data: _Data
    training: _Training


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The files of a run by what they hold.

    What reads one raises ModelError, which names the file, where it is damaged.
    """

    path: Path

    @property
    def recipe_json(self) -> Path:
        """The resolved recipe."""
        return self.path / "recipe.json"

    @property
    def last_weights(self) -> Path:
        """Weights and optimizer after the last epoch."""
        return self.path / "last.keras"

    @property
    def best_weights(self) -> Path:
        """Float32 weights of the best epoch, as trained: the calibration is not folded in."""
        return self.path / "best.keras"

    @property
    def valid_json(self) -> Path:
        """The best epoch's figures on valid."""
        return self.path / "valid.json"

    @property
    def history_csv(self) -> Path:
        """A row an epoch, with `HISTORY_COLUMNS`."""
        return self.path / "history.csv"

    @property
    def curves_png(self) -> Path:
        """The picture of history.csv."""
        return self.path / "curves.png"

    @property
    def teacher_targets(self) -> Path:
        """Soft targets of the teachers."""
        return self.path / "teacher_targets.npz"

    @property
    def state_json(self) -> Path:
        """How many epochs are done."""
        return self.path / "state.json"

    @property
    def provenance_json(self) -> Path:
        """What the weights come from."""
        return self.path / "provenance.json"

    @property
    def exists(self) -> bool:
        """Whether a run was begun here."""
        return self.recipe_json.is_file() or self.state_json.is_file()

    @property
    def has_weights(self) -> bool:
        """Whether a run here has finished an epoch, so that there are weights with figures."""
        return all(
            file.is_file() for file in (self.best_weights, self.recipe_json, self.valid_json)
        )

    def read_recipe(self) -> RunRecipe:
        """The recipe, as far as a reader of the weights needs it."""
        return _read_json(self.recipe_json, RunRecipe)

    def write_recipe(self, recipe: str) -> None:
        """Keep a resolved recipe, given as JSON."""
        write_text(self.recipe_json, recipe)

    def read_state(self) -> RunState:
        """How far the run is; of none, at its beginning."""
        return _read_json(self.state_json, RunState) if self.state_json.is_file() else RunState(0)

    def write_state(self, state: RunState) -> None:
        """Say how far the run is: last of what an epoch writes, so that none is half done."""
        facts: dict[str, Any] = {"epochs_done": state.epochs_done}
        if state.stopped is not None:
            facts["stopped"] = state.stopped
        if state.extended_at:
            facts["extended_at"] = state.extended_at
        if state.valid_digest is not None:
            facts["valid_digest"] = state.valid_digest
        write_text(self.state_json, json.dumps(facts))

    def write_best(self, save: Callable[[Path], object]) -> None:
        """Keep the weights that `save` writes to the path it is given."""
        replace_file(self.best_weights, save)

    def read_figures(self) -> Figures:
        """Figures of the best weights with their protocol and split, as a contract states them."""
        stored = _read_json(self.valid_json, dict[str, Any])
        return _checked(self.valid_json, Figures, stored | {"precision": "float32"})

    def write_scores(self, protocol: str, split: str, scores: Scores) -> None:
        """Keep the figures of the best weights, and the rows that they are of."""
        facts = {"protocol": protocol, "split": split, **scores.as_dict()}
        write_text(self.valid_json, json.dumps(facts, indent=2))

    def read_scores(self) -> Scores | None:
        """The figures of the best weights; None where there are none yet."""
        return _read_json(self.valid_json, Scores) if self.valid_json.is_file() else None

    def read_calibration(self) -> OutputCalibration | None:
        """What readers fold into the best weights' last layer, if anything."""
        for name in (CALIBRATION_JSON, FORMER_CALIBRATION_JSON):
            if (self.path / name).is_file():
                return _read_json(self.path / name, OutputCalibration)
        return None

    def write_calibration(self, calibration: OutputCalibration | None) -> None:
        """Keep what readers are to fold in, if anything."""
        if calibration is not None:
            write_text(self.path / CALIBRATION_JSON, calibration.model_dump_json(indent=2))
            return
        for name in (CALIBRATION_JSON, FORMER_CALIBRATION_JSON):
            (self.path / name).unlink(missing_ok=True)

    def read_history(self) -> list[dict[str, float]]:
        """The epochs so far, by the names in `HISTORY_COLUMNS`."""
        done = self.read_state().epochs_done
        if not done and not self.history_csv.is_file():
            return []
        try:
            with self.history_csv.open(newline="", encoding="utf-8") as file:
                lines = list(csv.DictReader(file, strict=True))
            rows = [{name: float(line[name]) for name in HISTORY_COLUMNS} for line in lines]
        except KeyError as error:
            raise _damaged(self.history_csv, f"no column {error}") from error
        except OSError as error:
            raise _damaged(self.history_csv, error.strerror or "unreadable") from error
        except (ValueError, TypeError, csv.Error) as error:
            raise _damaged(self.history_csv, str(error)) from error
        if len(rows) < done or not all(math.isfinite(row["epoch"]) for row in rows):
            raise _damaged(self.history_csv, f"{len(rows)} of {counted(done, 'epoch')}")
        return rows

    def write_history(self, rows: Sequence[Mapping[str, float]]) -> None:
        """Keep the epochs so far."""
        lines = [",".join(HISTORY_COLUMNS)]
        for row in rows:
            values = [f"{row[column]:.{HISTORY_DIGITS}f}" for column in HISTORY_COLUMNS[1:]]
            lines.append(",".join([str(int(row["epoch"])), *values]))
        write_text(self.history_csv, "\n".join(lines) + "\n")

    def read_provenance(self) -> Provenance:
        """What the weights come from; of a run that says nothing, what its recipe says."""
        recipe = self.read_recipe()
        # It may have stopped before its recipe's last one.
        epochs = self.read_state().epochs_done or recipe.training.epochs
        if self.provenance_json.is_file():
            stated = _read_json(self.provenance_json, Provenance)
            return stated.model_copy(update={"epochs": epochs})
        return Provenance(
            protocol=recipe.data.train_protocol or recipe.data.protocol,
            recipe=recipe.name,
            epochs=epochs,
            seeds=(recipe.training.seed,),
        )

    def write_provenance(self, provenance: Provenance) -> None:
        """Say what the weights come from."""
        write_text(self.provenance_json, provenance.model_dump_json(indent=1) + "\n")


def _read_json(path: Path, kind: type[T]) -> T:
    """The content of a JSON file; ModelError where it is not what a training writes there."""
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise _damaged(path, error.strerror or "unreadable") from error
    except (ValueError, RecursionError) as error:
        raise _damaged(path, str(error)) from error
    return _checked(path, kind, content)


def _checked(path: Path, kind: type[T], content: object) -> T:
    try:
        return TypeAdapter(kind).validate_python(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        reason = f"{first['msg'][:1].lower()}{first['msg'][1:]}"
        raise _damaged(path, f"{place}: {reason}" if place else reason) from error


def _damaged(path: Path, reason: str) -> ModelError:
    return ModelError(
        path,
        expected="a file as a training writes it",
        found=f"a damaged one ({printable(reason)})",
        hint="Restore it from a copy, or train again into another folder.",
    )
