"""Training: recipes and a dataset become run folders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fer_mobile.checkpoint import Checkpoint, RunFolder, import_keras, load_checkpoint
from fer_mobile.data import OWN, Dataset
from fer_mobile.detect.framing import look_at_framing
from fer_mobile.errors import InputError, RecipeError
from fer_mobile.metrics import Scores
from fer_mobile.quiet import quiet
from fer_mobile.training.callbacks import Callback, default_callbacks
from fer_mobile.training.finishing import FINISHING_STEPS
from fer_mobile.training.recipe import CalibrationSection, Recipe, find_recipe, load_recipe
from fer_mobile.training.resumption import check_data, check_folder
from fer_mobile.training.run import Report, Run
from fer_mobile.training.split import training_rows
from fer_mobile.training.unlabelled import load_unlabelled

if TYPE_CHECKING:
    from fer_mobile.contract import DatasetFacts
    from fer_mobile.training.backends import Backend, BackendName
    from fer_mobile.training.batches import LearnedRows
    from fer_mobile.training.distillation import SoftTargets
    from fer_mobile.training.parallel import Parallel
    from fer_mobile.training.teacher_cache import TeacherCache


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """A finished training."""

    recipe: Recipe
    folder: Path
    """The run folder; every command that takes a model takes it."""
    scores: Scores
    """Of the best epoch on valid, with the output calibration, as valid.json has them."""
    measured_on: str
    """Protocol and split of these figures: "ferplus-strict valid"."""
    epochs: int
    """How many were trained."""
    stopped: str | None
    """Why it ended before its recipe's last epoch, if it did."""

    def load_checkpoint(self) -> Checkpoint:
        """The best epoch's weights with what is known of them."""
        return load_checkpoint(self.folder)


def train(
    recipe: Recipe | str | Path,
    out: str | Path,
    *,
    data: str | Path | None = None,
    resume: bool = False,
    backend: BackendName = "keras",
    parallel: Parallel | None = None,
    parameter_cap: bool = True,
    callbacks: Sequence[Callback] = (),
    finish: bool = True,
    throughput: bool = False,
    report: Report = print,
) -> TrainingResult:
    """Train a recipe into the run folder `out`.

    Args:
        recipe: a recipe, or what `find_recipe` takes: a shipped one's name or a file.
        out: the run folder; it is made, and must not hold another run.
        data: the dataset, as for `load_dataset`.
        resume: go on after the last finished epoch of the run in `out`.
        backend: what fits the network, see `BackendName`.
        parallel: train over several devices by the rows of a batch ("data") or by the weights
            ("model"); needs Keras on JAX.
        parameter_cap: refuse networks of more than 10,000,000 trainable parameters.
        callbacks: told of the run's progress after the trainer's own.
        finish: complete the run folder for exports (see `finishing`).
        throughput: report the training's speed at its end, which takes a dozen steps more.
        report: takes the lines that say how it goes.

    Raises:
        RecipeError: a recipe that cannot be used, by this backend, or with the run in `out`; a
            training that diverges.
        DataError: data that cannot be used, or not with the run in `out`.
        ModelError: as the zoo does, and for a damaged file in `out`.
        InputError: as the backend does.
        MissingPackageError: Keras is not installed.
    """
    (result,) = train_side_by_side(
        [recipe],
        [out],
        data=data,
        resume=resume,
        backend=backend,
        parallel=parallel,
        parameter_cap=parameter_cap,
        callbacks=callbacks,
        finish=finish,
        throughput=throughput,
        report=report,
    )
    return result


def train_side_by_side(
    recipes: Sequence[Recipe | str | Path],
    out: Sequence[str | Path],
    *,
    data: str | Path | None = None,
    resume: bool = False,
    backend: BackendName = "device",
    parallel: Parallel | None = None,
    parameter_cap: bool = True,
    callbacks: Sequence[Callback] = (),
    finish: bool = True,
    throughput: bool = False,
    report: Report = print,
) -> tuple[TrainingResult, ...]:
    """Train several recipes on the same batches, each into its run folder of `out`.

    The arguments and errors are those of `train`.  Recipes may differ in their networks,
    optimizers, class weights and when to stop; the backend refuses others with RecipeError.
    """
    import_keras("training", extra="train")
    from fer_mobile.training.backends import load_backend
    from fer_mobile.training.provenance import describe_dataset

    chosen = [_recipe(recipe) for recipe in recipes]
    if not chosen or len(out) != len(chosen) or len({Path(each) for each in out}) != len(chosen):
        raise InputError(
            "out", expected="a run folder of its own for each recipe", found=str(len(out))
        )
    fitting = load_backend(backend, parallel)
    fitting.check(chosen)
    folders = [RunFolder(Path(each)) for each in out]
    for recipe, folder in zip(chosen, folders, strict=True):
        _check(recipe)
        check_folder(recipe, folder, resume, report)
    learn, valid = training_rows(chosen[0], data)
    report_data(learn, valid, report)
    section = chosen[0].distillation
    unlabelled = load_unlabelled(section.unlabelled, learn) if section.unlabelled else None
    if unlabelled and unlabelled.targets is None and not (section.teachers or section.cache):
        raise RecipeError(
            "distillation.unlabelled",
            expected="a file with `targets`, where there are no teachers",
            found=section.unlabelled,
        )
    runs = [
        Run(recipe, folder, learn, valid, (*default_callbacks(), *callbacks), report, unlabelled)
        for recipe, folder in zip(chosen, folders, strict=True)
    ]
    now = describe_dataset(learn, valid)
    datasets = {run: check_data(run, now) for run in runs}
    unfinished = {run: dataset for run, dataset in datasets.items() if not run.finished}
    with fitting.scope(min(chosen[0].training.batch_size, len(learn))):
        if unfinished:
            _fit(unfinished, fitting, backend, parameter_cap, throughput)
        for run in runs:
            run.end()
    if finish:
        for run in runs:
            for step in FINISHING_STEPS.values():
                step(run.folder.path, learn, report)
    return tuple(_result(run) for run in runs)


def _fit(
    datasets: Mapping[Run, DatasetFacts],
    backend: Backend,
    backend_name: str,
    parameter_cap: bool,
    throughput: bool,
) -> None:
    """Build the networks of unfinished runs and train them to their end.

    `datasets` is what each run's provenance says of its faces.
    """
    import keras

    from fer_mobile.training.batches import BatchPlanner, LearnedRows
    from fer_mobile.training.network import Network, start_from
    from fer_mobile.training.provenance import describe_provenance

    runs = [*datasets]
    learn, valid = runs[0].learn, runs[0].valid
    networks = []
    for run in runs:
        with quiet():  # on JAX this imports TensorFlow, which has something to say
            keras.utils.set_random_seed(run.recipe.training.seed + run.epochs_done)
        network = Network(run.recipe, len(learn.names), parameter_cap=parameter_cap)
        networks.append(network)
        if run.recipe.model.start and not run.epochs_done and not network.fine_tuning:
            run.report(start_from(run.recipe.model.start, network.model, learn.names))
    sizes = sorted({network.size for network in networks})
    if len(sizes) > 1:
        raise RecipeError(
            "model.options.size",
            expected="one input size, to be trained side by side",
            found=" and ".join(map(str, sizes)),
        )
    rows = LearnedRows.of(runs[0].recipe, learn, runs[0].unlabelled)
    planner = BatchPlanner(runs[0].recipe, len(rows), networks[0].size)
    soft_targets = _soft_targets(runs[0], rows, networks[0].size, planner.batch_size)
    for run, network in zip(runs, networks, strict=True):
        network.compile(planner.steps)
        if run.epochs_done:
            network.load_checkpoint(run.folder.last_weights)
        run.network = network
    for run in runs:
        # Only now: a recipe that cannot be trained should leave no run behind, nor change one.
        if run.epochs_done:
            run.folder.write_state(run.state)  # before the recipe that tells whether it got longer
        run.folder.write_recipe(run.recipe.model_dump_json(indent=2))
        facts = describe_provenance(
            run.recipe, datasets[run], learn.protocol, backend_name, run.unlabelled
        )
        run.folder.write_provenance(facts)
        extra = f" with {len(run.unlabelled):,} unlabelled" if run.unlabelled else ""
        run.report(
            f"{run.recipe.name}: {len(learn):,} faces train{extra}, {len(valid):,} validate, "
            f"epochs {run.epochs_done + 1} to {run.recipe.training.epochs}"
        )
        if soft_targets and soft_targets.cache and soft_targets.teachers:
            run.callbacks = (_KeepTargets(soft_targets.cache), *run.callbacks)
    backend.fit(runs, soft_targets, throughput)


class _KeepTargets(Callback):
    """Writes the teacher targets of an epoch before the state that counts it."""

    def __init__(self, cache: TeacherCache) -> None:
        self._cache = cache

    def on_epoch_end(self, run: Run, epoch: object) -> None:
        self._cache.save(run.folder.teacher_targets)


def _soft_targets(run: Run, rows: LearnedRows, size: int, batch_size: int) -> SoftTargets | None:
    """The teacher targets of a recipe that names teachers or a cache.

    Nobody is asked where all targets are known.
    """
    section, learn = run.recipe.distillation, run.learn
    if not section.teachers and not section.cache:
        return None
    from fer_mobile.training.distillation import SoftTargets, Teachers
    from fer_mobile.training.teacher_cache import TeacherCache

    cache = None
    if section.views:
        own = run.folder.teacher_targets
        files = [Path(file) for file in section.cache]
        cache = TeacherCache(run.recipe, rows, learn.names, size, batch_size)
        if files:
            cache.load(*files)
            cache.require_all(*files)
        elif run.epochs_done and own.is_file():
            cache.load(own)
        if cache.complete:
            return SoftTargets(None, cache)
    teachers = Teachers(
        section.teachers, learn.names, run.recipe.training.precision, section.value_range
    )
    if not run.epochs_done:
        scores = teachers.score(run.valid, run.recipe.data.preprocessing)
        run.report(
            f"teachers together on {run.valid.protocol} {run.valid.split}: "
            f"accuracy {scores.accuracy:.4f}  balanced {scores.balanced_accuracy:.4f}"
        )
    return SoftTargets(teachers, cache)


def report_data(learn: Dataset, valid: Dataset, report: Report) -> None:
    """Tell what is trained on: labels of the dataset's own, labels without faces, no faces."""
    if learn.protocol == OWN:
        counts = ", ".join(
            f"{name} {count}/{valid.counts()[name]}" for name, count in learn.counts().items()
        )
        report(f"{learn.source}: {learn.kind}; faces to train/validate: {counts}")
    missing = [name for name, count in learn.counts().items() if not count]
    if missing:
        report(
            f"{learn.source}: no face of {', '.join(missing)} to train, so the model will "
            "hardly predict it"
        )
    framing = look_at_framing(learn.images)
    if not framing.is_framed:
        report(
            f"{framing.framed} of {framing.looked_at} images looked at are framed faces; the "
            "model will be used on faces cut out of photos. Cut them out first, with "
            "`crop_faces()`."
        )


def _recipe(recipe: Recipe | str | Path) -> Recipe:
    return recipe if isinstance(recipe, Recipe) else load_recipe(find_recipe(str(recipe)))


def _check(recipe: Recipe) -> None:
    """RecipeError for sections that contradict each other."""
    if recipe.quantization.aware and recipe.calibration != CalibrationSection():
        raise RecipeError(
            "calibration",
            expected="none with quantization.aware, which learns the ranges of the logits",
            found="one",
            hint="Calibrate the run that it starts from.",
        )


def _result(run: Run) -> TrainingResult:
    scores = run.folder.read_scores()
    assert scores is not None  # every training has an epoch
    return TrainingResult(
        recipe=run.recipe,
        folder=run.folder.path,
        scores=scores,
        measured_on=f"{run.valid.protocol} {run.valid.split}",
        epochs=run.epochs_done,
        stopped=run.stopped,
    )
