"""Whether a run may begin in a folder, or go on there: with this recipe, with these faces."""

from __future__ import annotations

from pydantic import ValidationError

from fer_mobile.checkpoint import RunFolder
from fer_mobile.contract import UNKNOWN, DatasetFacts
from fer_mobile.errors import DataError, RecipeError
from fer_mobile.training.recipe import Recipe, recipe_error
from fer_mobile.training.run import Report, Run
from fer_mobile.wording import counted


def check_folder(recipe: Recipe, folder: RunFolder, resume: bool, report: Report) -> None:
    """RecipeError where a run is in the way, or is not one of this recipe to go on with.

    A run may go on for more epochs than its recipe had; what changed is reported.  ModelError
    where the run's recipe.json is damaged.
    """
    if not folder.exists:
        return
    if not resume:
        raise RecipeError(
            folder.path,
            expected="an empty folder for a new run",
            found="a run",
            hint="Give another `out`, or go on with `resume=True`.",
        )
    stored = _read_recipe(folder)
    before, epochs = stored.training.epochs, recipe.training.epochs
    if stored != recipe and epochs > before:
        longer = stored.training.model_copy(update={"epochs": epochs})
        stored = stored.model_copy(update={"training": longer})
        if stored == recipe:
            told = f"{recipe.name}: {counted(epochs, 'epoch')}, not {before}"
            anew = "" if recipe.training.patience is None else ", patience counts anew"
            report(f"{told}; the rate follows the longer run{anew}")
    if stored != recipe:
        raise RecipeError(
            folder.path,
            expected="a run of the same recipe to resume",
            found="one with other values",
            hint=f"Compare it with {folder.recipe_json}.",
        )


def _read_recipe(folder: RunFolder) -> Recipe:
    folder.read_recipe()  # which says it where the file is damaged
    try:
        return Recipe.model_validate_json(folder.recipe_json.read_bytes())
    except ValidationError as error:
        raise recipe_error(folder.recipe_json, error) from error


def check_data(run: Run, dataset: DatasetFacts) -> DatasetFacts:
    """What the provenance of a run is to say of its faces, `dataset` being those of now.

    Faces may have come or gone since its last epoch: that is reported, and the facts say it.
    Raises DataError for other labels, and for other faces where there is nothing left to train.
    """
    if not run.epochs_done:
        return dataset
    labels, labels_now = run.folder.read_figures().recall, [*dataset.counts]
    if [*labels] != labels_now:
        raise DataError(
            dataset.name,
            expected=f"the labels of the run to resume, {', '.join(labels)}",
            found=", ".join(labels_now),
            hint="Give another `out`.",
        )
    stored = run.folder.read_provenance().dataset
    if stored == UNKNOWN:  # in a run of version 0.1.0
        return dataset
    if run.same_valid and (stored.digest, stored.counts) == (dataset.digest, dataset.counts):
        return stored
    faces = f"{_totals(stored)}; now {_totals(dataset)}"
    if run.finished:
        raise DataError(
            dataset.name,
            expected="the faces of the run to resume, which is finished",
            found=f"others ({faces})",
            hint="Give another `out`, or more training.epochs.",
        )
    run.report(
        f"{run.recipe.name}: {counted(run.epochs_done, 'epoch')} so far of other faces ({faces}); "
        "figures before and after do not compare"
    )
    told = f"; before, {counted(run.epochs_done, 'epoch')} of other faces"
    return dataset.model_copy(update={"kind": f"{dataset.kind}{told}"})


def _totals(dataset: DatasetFacts) -> str:
    """How many faces there are in all."""
    if dataset.counts == UNKNOWN:
        return UNKNOWN
    train, valid = (
        sum(split.get(name, 0) for split in dataset.counts.values()) for name in ("train", "valid")
    )
    return f"{train:,} train, {valid:,} validate"
