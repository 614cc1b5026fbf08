"""Teachers' answers as a file: a student learns from it where its teachers are not at hand.

The file holds what they said of every batch of a recipe's views, in steps of 1/255, and what
decided those batches; the student's recipe must decide the same.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from functools import reduce
from pathlib import Path
from typing import Any, Final

import numpy as np

from fer_mobile.data import Dataset
from fer_mobile.errors import RecipeError
from fer_mobile.files import write_bytes
from fer_mobile.training.recipe import Recipe

STEPS: Final = 255


def answers_file(folder: Path, epoch: int) -> Path:
    """Where a run folder keeps what teachers said of an epoch's batches.

    An array float32 [B, N, classes] of probabilities.
    """
    return folder / f"teachers_{epoch}.npy"


def pack_answers(run: Path, recipe: Recipe, dataset: Dataset, size: int, file: Path) -> None:
    """Write the answers that the run of a student with `views` kept to one file.

    Faces of `dataset` had `size` px there.  Raises RecipeError where the run has not all.
    """
    files = [answers_file(run, epoch) for epoch in range(recipe.distillation.views)]
    missing = [each.name for each in files if not each.is_file()]
    if missing or not files:
        raise RecipeError(
            run,
            expected="a run with the answers of all its views",
            found=f"none of {missing[0]}" if missing else "no distillation.views",
            hint="Go on with --resume until it has done as many epochs.",
        )
    answers = np.round(np.stack([np.load(each) for each in files]) * STEPS).astype(np.uint8)
    buffer = io.BytesIO()
    about = json.dumps(_deciding(recipe, dataset, size))
    np.savez_compressed(buffer, answers=answers, about=np.array(about))
    write_bytes(file, buffer.getvalue())


def unpack_answers(recipe: Recipe, dataset: Dataset, size: int, run: Path) -> None:
    """Put the answers that a recipe names where a run in `run` finds them.

    Raises RecipeError for a file that cannot be read, and for one of other batches.
    """
    path = Path(recipe.distillation.answers)
    try:
        with np.load(path) as content:
            answers, about = content["answers"], json.loads(str(content["about"]))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise RecipeError(
            "distillation.answers",
            expected="a file of teachers' answers",
            found=f"{path}: {error}",
        ) from error
    own = _deciding(recipe, dataset, size)
    different = [key for key in own if own[key] != about.get(key)]
    if different:
        key = different[0]
        raise RecipeError(
            f"{key} of {recipe.name}",
            expected=f"{about.get(key)}, as teachers saw the batches of {path.name}",
            found=str(own[key]),
            hint='Set it so, or ask teachers: distillation.answers="".',
        )
    for epoch, said in enumerate(answers.astype(np.float32)):
        buffer = io.BytesIO()
        np.save(buffer, said / said.sum(-1, keepdims=True))
        write_bytes(answers_file(run, epoch), buffer.getvalue())


def _deciding(recipe: Recipe, dataset: Dataset, size: int) -> dict[str, Any]:
    """What the answers are to: the faces that teachers see (noise comes after them), and labels."""
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
        "labels": list(dataset.names),
        "rows": len(dataset),
        "data.preprocessing": values["data"]["preprocessing"],
        **{f"training.{key}": value for key, value in training.items()},
        **augmentation,
        "faces' checksum": reduce(lambda sum_, face: zlib.crc32(face, sum_), dataset.images, 0),
    }
