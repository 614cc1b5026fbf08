"""Asking a recipe's teachers once, for students that train where the teachers are not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fer_mobile.checkpoint import import_keras
from fer_mobile.errors import RecipeError
from fer_mobile.training.recipe import Recipe, find_recipe, load_recipe
from fer_mobile.training.split import training_rows
from fer_mobile.training.unlabelled import load_unlabelled
from fer_mobile.wording import counted

if TYPE_CHECKING:
    from fer_mobile.training.run import Report


def write_teacher_targets(
    recipe: Recipe | str | Path,
    out: str | Path,
    *,
    data: str | Path | None = None,
    report: Report = print,
) -> Path:
    """Write what a recipe's teachers predict for every batch of its views, and train nothing.

    The file, float16 and without an image, is a `distillation.cache` of the same recipe (see
    `teacher_cache`).  Each view is written when it is complete; a call that finds some of them
    in `out` goes on after them.

    Args:
        recipe: a recipe, or what `find_recipe` takes, with `distillation.teachers` and `views`.
        out: the file, .npz.
        data: the dataset, as for `load_dataset`.
        report: takes a line for each view.

    Raises:
        RecipeError: no teachers or no views, or `out` is of other batches.
        DataError, ModelError: as the data and the teachers do.
    """
    import_keras("asking teachers", extra="train")
    from fer_mobile.training.batches import Batches, LearnedRows
    from fer_mobile.training.distillation import SoftTargets, Teachers
    from fer_mobile.training.network import Network
    from fer_mobile.training.teacher_cache import TeacherCache

    out = Path(out)
    if not isinstance(recipe, Recipe):
        recipe = load_recipe(find_recipe(str(recipe)))
    section = recipe.distillation
    if not (section.teachers and section.views):
        raise RecipeError(
            recipe.name,
            expected="`distillation.teachers`, and `distillation.views` of at least 1",
            found=f"{counted(len(section.teachers), 'teacher')}, {counted(section.views, 'view')}",
        )
    learn, _ = training_rows(recipe, data)
    unlabelled = load_unlabelled(section.unlabelled, learn) if section.unlabelled else None
    size = Network(recipe, len(learn.names), parameter_cap=False).size
    rows = LearnedRows.of(recipe, learn, unlabelled)
    cache = TeacherCache(
        recipe, rows, learn.names, size, min(recipe.training.batch_size, len(rows))
    )
    if out.is_file():
        cache.load(out)
    teachers = Teachers(
        section.teachers, learn.names, recipe.training.precision, section.value_range
    )
    batches = Batches(learn, recipe, size, SoftTargets(teachers, cache), unlabelled)
    for view in range(section.views):
        if not cache.knows(view):
            batches.set_epoch(view)
            for index in range(len(batches)):
                batches[index]  # asks them, and the cache keeps it
            cache.save(out)
        report(f"{recipe.name}: targets of view {view + 1} of {section.views} in {out}")
    return out
