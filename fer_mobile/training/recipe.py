"""A training recipe: typed, from TOML, with single values overridable by ``key=value``."""

from __future__ import annotations

import tomllib
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from fer_mobile.data.augmentation import Augmentation
from fer_mobile.data.steps import STEPS
from fer_mobile.errors import RecipeError, did_you_mean, nearest
from fer_mobile.resources import recipes_dir
from fer_mobile.types import ValueRange


def _known_step(name: str) -> str:
    if name not in STEPS:
        raise ValueError(f"a known step ({nearest(name, STEPS)})")
    return name


StepName = Annotated[str, AfterValidator(_known_step)]
"""A name of `data.steps.STEPS`."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ModelSection(_Section):
    """Which architecture is trained."""

    architecture: str = Field(description="A registered architecture's name.")
    options: dict[str, Any] = Field(default_factory=dict, description="Arguments of its builder.")
    start: str | None = Field(
        None,
        description="Weights to start from: a shipped name, a .keras file or a run folder; or "
        "none. Layers of another shape, and the head for other labels, start fresh.",
    )

    @field_validator("start")
    @classmethod
    def _none(cls, start: str | None) -> str | None:
        return None if start in ("none", "") else start


class DataSection(_Section):
    """Which rows are learned, and which protocol the model is selected and reported by."""

    protocol: str = Field("ferplus-strict", description="Which labels valid is measured by.")
    labels: tuple[str, ...] | None = Field(
        None,
        description="Protocol own: the labels in the order of the model's outputs; default: the "
        "dataset's classes in the order of the alphabet.",
    )
    train_protocol: str | None = Field(None, description="Rows to learn from; default: protocol.")
    folds: int = Field(
        0, ge=0, description="Cross-validation: the training rows in so many parts; 0: none."
    )
    fold: int = Field(
        0, ge=0, description="The part that takes valid's place, of `folds` counted from 0."
    )
    preprocessing: tuple[StepName, ...] = Field(
        (), description="Named steps before the network (see `data.steps`); export refuses them."
    )
    sampling: Literal["all", "under", "over"] = Field(
        "all",
        description="Rows to learn from: all, as many of each class as the rarest has, or as the "
        "most frequent has (rarer ones repeated).",
    )

    @field_validator("folds")
    @classmethod
    def _more_than_one(cls, folds: int) -> int:
        if folds == 1:
            raise ValueError("at least 2, or 0 for none")
        return folds

    @field_validator("fold")
    @classmethod
    def _of_the_folds(cls, fold: int, info: ValidationInfo) -> int:
        folds = info.data.get("folds")  # none where they are wrong themselves
        if fold and folds is not None and fold >= folds:
            raise ValueError(
                f"0 to {folds - 1}, of {folds} `folds`" if folds else "0 without `folds`"
            )
        return fold


class OptimizerSection(_Section):
    """How the weights are changed; the learning rate follows `schedule.learning_rates`."""

    name: Literal["adamw", "muon", "adam", "adagrad", "adadelta", "sgd"] = Field(
        "adamw", description="muon: AdamW for what is no kernel, and for the logits."
    )
    learning_rate: float = Field(2e-3, gt=0, description="At its peak.")
    schedule: Literal["cosine", "exponential", "constant"] = Field(
        "cosine", description="How the rate falls: after a warm-up, or by decay each epoch."
    )
    decay: float = Field(
        0.95, gt=0, le=1, description="What exponential multiplies the rate with each epoch."
    )
    weight_decay: float = Field(0.02, ge=0, description="Of adamw, muon and sgd.")
    momentum: float = Field(0.9, ge=0, lt=1, description="Nesterov momentum of sgd.")
    warmup_epochs: float = Field(1.0, ge=0, description="Of cosine: linearly from 0.")
    ema: float = Field(0.0, ge=0, lt=1, description="Momentum of the averaged weights; 0: none.")
    clip_norm: float | None = Field(None, gt=0, description="Largest norm of a gradient.")


class TrainingSection(_Section):
    """How long, how much at a time, from which seed."""

    epochs: int = Field(ge=1, description="Passes over the training rows.")
    batch_size: int = Field(128, ge=1, description="Faces of a step.")
    seed: int = Field(0, ge=0, description="Of first weights, order and augmentation.")
    precision: Literal["float32", "mixed_bfloat16"] = Field(
        "float32", description="mixed_bfloat16: bfloat16 but for weights, logits and losses."
    )
    fraction: float = Field(1.0, gt=0, le=1, description="Share of the training rows used.")
    valid_fraction: float = Field(1.0, gt=0, le=1, description="Share of valid's rows used.")
    patience: int | None = Field(
        None,
        ge=1,
        description="Stop after so many epochs without a better score or a lower valid loss.",
    )
    stop_accuracy: float | None = Field(
        None, gt=0, le=1, description="Stop at this accuracy on the training batches."
    )
    label_smoothing: float = Field(
        0.0, ge=0, lt=1, description="The share of every target that all labels divide."
    )
    mixup: float = Field(0.0, ge=0, description="Alpha of mixup's beta distribution; 0: none.")
    balance: float = Field(
        0.0, ge=0, le=1, description="Weight of a class ~ count**-balance (1: fully balanced)."
    )


class DistillationSection(_Section):
    """Teachers whose predictions are learned together with the labels (see `distillation`)."""

    teachers: tuple[str, ...] = Field(
        (), description="Shipped names, .keras files or run folders; their mean is learned."
    )
    value_range: ValueRange | None = Field(
        None,
        description="Of teachers that are .keras files: what their input's values stand for, where "
        "their first layers do not say it.",
    )
    weight: float = Field(0.7, ge=0, le=1, description="The teachers' share of the target.")
    views: int = Field(
        0,
        ge=0,
        description="After so many epochs their batches come again, with the teacher targets "
        "that the run folder keeps, mirrored every other time unless augmentation.flip is 0; "
        "0: no batch comes twice, teachers are always asked.",
    )
    cache: tuple[str, ...] = Field(
        (),
        description="Files of teacher targets for all views (see `teacher_cache`), of which the "
        "mean is learned: teachers are not asked and need not be there.",
    )
    unlabelled: str = Field(
        "",
        description="An npz file of faces without labels (see `unlabelled`): their targets are "
        "the teachers', or the file's own.",
    )
    unlabelled_weight: float = Field(
        0.0, ge=0, le=1, description="The share of the targets that the file of faces holds."
    )

    @property
    def repeated_views(self) -> int:
        """After how many epochs batches come again; 0 for never."""
        return self.views if self.teachers or self.cache else 0

    @field_validator("cache", mode="before")
    @classmethod
    def _one_cache(cls, cache: Any) -> Any:
        return ((cache,) if cache else ()) if isinstance(cache, str) else cache

    @model_validator(mode="before")
    @classmethod
    def _former_names(cls, values: Any) -> Any:
        """Take `answers` of version 0.1.0 where it says nothing."""
        if not isinstance(values, dict) or "answers" not in values:
            return values
        if values["answers"]:
            raise ValueError("`cache`, a file of teacher targets; `answers` of 0.1.0 is not read")
        return {key: value for key, value in values.items() if key != "answers"}

    @model_validator(mode="after")
    def _cache_has_views(self) -> Self:
        if self.cache and not self.views:
            raise ValueError("`views` of at least 1 with a `cache`, as the run that made it had")
        return self

    @model_validator(mode="after")
    def _unlabelled_have_teachers(self) -> Self:
        if self.unlabelled and not (self.teachers or self.cache) and self.unlabelled_weight < 1:
            raise ValueError(
                "`teachers` or a `cache` for the `unlabelled` faces, or an `unlabelled_weight` of "
                "1, which leaves them to the targets of their file"
            )
        return self


class CalibrationSection(_Section):
    """What is folded into the last layer after training (see `contract.OutputCalibration`)."""

    temperature: bool = Field(False, description="Fit one on valid, for honest confidence.")
    prior: float = Field(
        0.0, ge=0, le=2, description="Offsets -prior · log(class share), for the rare labels."
    )


class QuantizationSection(_Section):
    """Quantization-aware fine-tuning of `model.start` (see `quantize_aware`)."""

    aware: bool = Field(
        False, description="Fine-tune model.start with the rounding of its int8 file."
    )


class Recipe(_Section):
    """Everything that decides a training, except the data itself."""

    name: str = Field(
        pattern=r"^\w[\w.-]*$", description="Also that of the run folder and of exported files."
    )
    model: ModelSection
    data: DataSection = DataSection()
    training: TrainingSection
    optimizer: OptimizerSection = OptimizerSection()
    augmentation: Augmentation = Augmentation()
    distillation: DistillationSection = DistillationSection()
    calibration: CalibrationSection = CalibrationSection()
    quantization: QuantizationSection = QuantizationSection()

    @model_validator(mode="before")
    @classmethod
    def _former_names(cls, values: Any, info: ValidationInfo) -> Any:
        """Take the names of version 0.1.0, too; without a warning from a run folder."""
        if not isinstance(values, dict) or "adjustment" not in values:
            return values
        if "calibration" in values:
            raise ValueError("[calibration] alone, without its former name [adjustment]")
        if info.mode != "json":
            text = "the recipe section [adjustment] is now [calibration]"
            warnings.warn(text, DeprecationWarning, stacklevel=2)
        return {("calibration" if k == "adjustment" else k): v for k, v in values.items()}


FORMER_RECIPES: Final = {
    "compact_distilled": "compact",
    "xcao_two_stream_distilled": "xcao_two_stream",
}
"""What the contracts of the shipped models call the recipes that made them."""


def find_recipe(name: str) -> Path:
    """The file of a recipe given by path, or by the name (or former name) of a shipped one."""
    path = Path(name)
    if path.is_file():
        return path
    path = path.with_name(FORMER_RECIPES.get(path.name, path.name))
    shipped = recipes_dir() / f"{path.name.removesuffix('.toml')}.toml"
    if path.parent in (Path(), Path("recipes")) and shipped.is_file():
        return shipped
    raise RecipeError(
        f"recipe {name!r}",
        expected="a .toml file or a shipped recipe's name",
        found="no such file or name",
        hint=nearest(shipped.stem, sorted(p.stem for p in recipes_dir().glob("*.toml"))),
    )


def load_recipe(path: str | Path, overrides: Iterable[str] = ()) -> Recipe:
    """Read and check a recipe; each override is ``section.key=value`` in TOML's notation.

    Raises RecipeError for an unreadable file, an unknown key (naming the nearest known
    one) or a value out of its range.
    """
    path = Path(path)
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RecipeError(path, expected="a readable TOML file", found=str(error)) from error
    return _checked(values, overrides, path)


def override(recipe: Recipe, overrides: Iterable[str]) -> Recipe:
    """`recipe` with single values changed, as `load_recipe` changes them; RecipeError likewise."""
    return _checked(recipe.model_dump(), overrides, recipe.name)


def _checked(values: dict[str, Any], overrides: Iterable[str], subject: Path | str) -> Recipe:
    for change in overrides:
        _change(values, change)
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        raise recipe_error(subject, error) from error


def _change(values: dict[str, Any], change: str) -> None:
    key, equals, text = (part.strip() for part in change.partition("="))
    sections = [name for name, field in Recipe.model_fields.items() if _fields(field.annotation)]
    if equals and "." not in key and key not in Recipe.model_fields:
        homes = [s for s in sections if key in _fields(Recipe.model_fields[s].annotation)]
        if len(homes) == 1:
            key = f"{homes[0]}.{key}"
    if not equals or not key:
        raise RecipeError("overrides", expected="key=value", found=repr(change))
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text  # a bare word is a string
    *parents, last = key.split(".")
    for parent in parents:
        inner = values.setdefault(parent, {})
        if not isinstance(inner, dict):
            raise RecipeError("overrides", expected="the name of a section", found=repr(parent))
        values = inner
    values[last] = value


def _fields(annotation: Any) -> dict[str, Any]:
    return dict(getattr(annotation, "model_fields", {}))


_IN_TOML: Final = {
    "dict_type": "a table, such as {size = 48}",
    "model_type": "a section of keys",
    "tuple_type": 'a list, such as ["a", "b"]',
}
"""What pydantic says in the words of Python, by its types of errors."""


def recipe_error(subject: Path | str, error: ValidationError) -> RecipeError:
    """What is wrong with a recipe's values, in TOML's words."""
    # An unknown key first: a required one that is missing may just be misspelt.
    first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
    place = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        fields: dict[str, Any] = dict(Recipe.model_fields)
        for part in first["loc"][:-1]:
            fields = _fields(fields[str(part)].annotation)
        places = [*fields]
        if len(first["loc"]) == 1:  # a key may be given without its section
            for section, field in Recipe.model_fields.items():
                places += [f"{section}.{key}" for key in _fields(field.annotation)]
        word = str(first["loc"][-1])
        return RecipeError(
            subject,
            expected="only known keys",
            found=f"{place!r}",
            hint=did_you_mean(word, places) or nearest(word, fields),
        )
    found = "nothing" if first["type"] == "missing" else repr(first["input"])
    reason = first["msg"].removeprefix("Value error, ")
    expected = _IN_TOML.get(first["type"], f"{reason[:1].lower()}{reason[1:]}")
    return RecipeError(subject, expected=f"{place}: {expected}" if place else expected, found=found)
