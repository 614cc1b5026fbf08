"""Teacher targets as one small file: a student learns from it where its teachers are not.

The file holds the soft targets for every batch of a recipe's views, in float16 and without an
image, the recipe that asked for them, and what decided those batches.  A student's recipe must
decide the same; backend and machine may be others.
"""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from fer_mobile.arrays import NPZ_ERRORS, open_npz
from fer_mobile.errors import RecipeError
from fer_mobile.files import write_bytes
from fer_mobile.training.recipe import Recipe
from fer_mobile.wording import counted

if TYPE_CHECKING:
    from fer_mobile.training.batches import LearnedRows

FORMAT: Final = "fer-mobile/teacher-targets"
FORMAT_VERSION: Final = 1


class TeacherCache:
    """Soft targets by view and batch; what is put in comes back as the file has it."""

    def __init__(
        self, recipe: Recipe, rows: LearnedRows, names: Sequence[str], size: int, batch_size: int
    ) -> None:
        """An empty cache of the targets for `names` of a recipe's views, whose batches of faces
        are of `size` pixels."""
        self._batch_size = batch_size
        self._saved: dict[Path, int] = {}
        steps, views = len(rows) // batch_size, recipe.distillation.views
        shape = (views, steps * batch_size, len(names))
        self._targets = np.zeros(shape, np.float16)
        self._known = np.zeros((views, steps), bool)
        self._about: dict[str, Any] = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "batches": _batches(recipe, rows, names, size),
            "recipe": recipe.model_dump(mode="json"),
        }
        self._recipe_name = recipe.name

    @property
    def complete(self) -> bool:
        """Whether every batch of every view is known."""
        return bool(self._known.all())

    def knows(self, view: int) -> bool:
        """Whether every batch of a view is known."""
        return bool(self._known[view].all())

    def get(self, view: int, index: int) -> NDArray[np.float32] | None:
        """The targets float32 [N, labels] of a batch; None where they are not known."""
        if not self._known[view, index]:
            return None
        known: NDArray[np.float32] = as_probabilities(self._targets[self._place(view, index)])
        return known

    def put(self, view: int, index: int, predicted: NDArray[np.float32]) -> NDArray[np.float32]:
        """Keep a batch's targets float32 [N, labels]; returns them as `get` will."""
        self._targets[self._place(view, index)] = predicted
        self._known[view, index] = True
        known: NDArray[np.float32] = as_probabilities(self._targets[self._place(view, index)])
        return known

    def save(self, path: Path) -> None:
        """Write the views that are complete, in order; of others nothing is kept."""
        done = int(self._known.all(1).cumprod().sum())
        if done == self._saved.get(path, 0):
            return
        buffer = io.BytesIO()
        about = np.array(json.dumps(self._about))
        np.savez_compressed(buffer, targets=self._targets[:done], about=about)
        write_bytes(path, buffer.getvalue())
        self._saved[path] = done

    def load(self, *paths: Path) -> None:
        """Take up the views of a file, or the mean of several files' over those that all have.

        Raises RecipeError for a file that cannot be read, or that is of other batches.
        """
        found = [self._targets_of(path) for path in paths]
        views = min(len(targets) for targets in found)
        mean = np.mean([targets[:views].astype(np.float32) for targets in found], axis=0)
        self._targets[:views] = mean if len(found) > 1 else found[0][:views]
        self._known[:views] = True

    def _targets_of(self, path: Path) -> NDArray[np.float16]:
        targets, about = _read(path)
        own, theirs = self._about["batches"], about["batches"]
        for key in own:
            if own[key] != theirs.get(key):
                raise RecipeError(
                    f"{key} of {self._recipe_name}",
                    expected=f"{theirs.get(key)}, as the teachers saw the batches of {path.name}",
                    found=str(own[key]),
                    hint='Set it so, or ask the teachers: distillation.cache="".',
                )
        if targets.shape[1:] != self._targets.shape[1:] or len(targets) > len(self._targets):
            raise RecipeError(
                path,
                expected=f"teacher targets of shape {list(self._targets.shape)}",
                found=f"{list(targets.shape)}",
            )
        return targets

    def require_all(self, *paths: Path) -> None:
        """Raise RecipeError unless every view is known; `paths` is where they should have been."""
        if not self.complete:
            raise RecipeError(
                "distillation.cache",
                expected=f"the targets of {counted(len(self._known), 'view')} in "
                + " and ".join(map(str, paths)),
                found=f"those of {int(self._known.all(1).sum())}",
                hint="Resume the run that asks the teachers until it has done as many epochs.",
            )

    def _place(self, view: int, index: int) -> tuple[int, slice]:
        return view, slice(index * self._batch_size, (index + 1) * self._batch_size)


def as_probabilities(stored: Any) -> Any:
    """Float16 targets [..., labels] as float32 that sum to 1 (NumPy's or JAX's)."""
    exact = stored.astype(np.float32)
    return exact / exact.sum(-1, keepdims=True)


def _read(path: Path) -> tuple[NDArray[np.float16], Mapping[str, Any]]:
    try:
        with open_npz(path) as content:
            targets, about = content["targets"], json.loads(str(content["about"]))
        if (about["format"], about["format_version"]) != (FORMAT, FORMAT_VERSION):
            raise ValueError(f"{about['format']} {about['format_version']}")
        if (
            targets.dtype != np.float16
            or targets.ndim != 3
            or not isinstance(about["batches"], dict)
        ):
            raise ValueError(f"an array {targets.dtype} of {targets.ndim} axes")
    except NPZ_ERRORS as error:
        raise RecipeError(
            "distillation.cache",
            expected=f"a file of teacher targets ({FORMAT} {FORMAT_VERSION})",
            found=f"{path}: {str(error) or type(error).__name__}",
        ) from error
    return targets, about


def _batches(recipe: Recipe, rows: LearnedRows, names: Sequence[str], size: int) -> dict[str, Any]:
    """What decides the faces that teachers see (noise comes after them), and their labels."""
    values = recipe.model_dump(mode="json")
    training = {key: values["training"][key] for key in ("batch_size", "seed", "mixup")}
    augmentation = {
        f"augmentation.{key}": value
        for key, value in values["augmentation"].items()
        if key != "noise"
    }
    return {
        "distillation.views": recipe.distillation.views,
        "input size": size,
        "labels": list(names),
        "rows": len(rows),
        "data.preprocessing": values["data"]["preprocessing"],
        **{f"training.{key}": value for key, value in training.items()},
        **augmentation,
        "faces' checksum": reduce(lambda sum_, face: zlib.crc32(face, sum_), rows.images, 0),
    }
