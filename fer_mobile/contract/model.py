"""The contract's fields, format 3 (docs/contract.md is its specification).

Format 2 had the trainable parameters and their cap, the adjustment and the calibration; 3 has
provenance, what a reader must understand (`requires`), reference outputs by label in a file of
their own, colour space, batch, accelerators and objectives, and limits on every number.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Final, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from fer_mobile import preprocess, zoo
from fer_mobile.contract.provenance import UNKNOWN, Part, Provenance
from fer_mobile.contract.text import Label, Name, Text
from fer_mobile.labels import EMOJI, GROUPS, canonical

FORMAT: Final = "fer-mobile/contract"
FORMAT_VERSION: Final = 3
"""Readers refuse files of a higher version, and read lower ones."""

UNDERSTOOD: Final = frozenset({"levelling", "normalisation", "softmax"})
"""What a contract may require of this reader: "levelling" of faces; "normalisation", another
than pixel/255; "softmax", of outputs that are logits."""

Precision = Literal["float32", "float16", "dynamic", "int8"]
PRECISIONS: Final[tuple[Precision, ...]] = ("float32", "float16", "dynamic", "int8")

OutputValues = Literal["probabilities", "logits"]

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
"""Of 1: an accuracy, a probability."""
Count = Annotated[int, Field(ge=0, le=10**12)]


class Tensor(Part):
    """The model's input or output."""

    name: Text
    shape: tuple[int, ...]
    """For a batch of one."""
    dtype: Literal["float32", "int8", "uint8"]
    scale: float | None = Field(None, gt=0, le=1e6)
    """real = (quantized - zero_point) * scale; None for float."""
    zero_point: int | None = Field(None, ge=-128, le=255)


class Crop(Part):
    """From a detector's box to the square that the model is given; see `preprocess.CropRule`."""

    scale: float = Field(preprocess.CropRule().scale, ge=0.1, le=4)
    shift_y: float = Field(preprocess.CropRule().shift_y, ge=-2, le=2)

    @property
    def rule(self) -> preprocess.CropRule:
        """The rule that `preprocess` applies."""
        return preprocess.CropRule(self.scale, self.shift_y)


class Levelling(Part):
    """Faces whose eyes are not level are turned; see `preprocess.Levelling`."""

    landmarks: Literal["eyes"]
    """What is brought to the level: the line from the person's right eye to the left one."""
    min_tilt: float = Field(ge=0, le=180, description="In degrees, to either side.")

    @property
    def rule(self) -> preprocess.Levelling:
        """The rule that `preprocess` applies."""
        return preprocess.Levelling(self.min_tilt)


LEVELLING: Final = Levelling(landmarks="eyes", min_tilt=preprocess.Levelling().min_tilt)
"""Of models that are trained here."""


class Preprocessing(Part):
    """Which preprocessing the model was trained with; `preprocess` defines each step."""

    version: int = preprocess.VERSION
    colour_space: Literal["sRGB"] = "sRGB"
    detector: Text = "yunet"
    """The detector whose boxes the crop rule is for."""
    box: Literal["x, y, width, height; pixels of the upright photo"] = (
        "x, y, width, height; pixels of the upright photo"
    )
    """What a box is; (x, y) is its top left corner."""
    levelling: Levelling | None = None
    """None: faces are not turned.  Otherwise `requires` has "levelling"."""
    crop: Crop = Crop()
    gray: Literal["bt601-integer-16", "in-graph"] = "bt601-integer-16"
    """(19595 R + 38470 G + 7471 B + 32768) >> 16; "in-graph": the model takes RGB and does it."""
    resize: Literal["triangle-antialiased-22"] = "triangle-antialiased-22"
    """Separable triangle filter in fixed point with 22 bits, rows first, widened to reduce."""
    normalisation: preprocess.Normalisation = "pixel/255"


def requirements(
    normalisation: preprocess.Normalisation = "pixel/255",
    output_values: OutputValues = "probabilities",
    *,
    levelling: bool = False,
) -> tuple[str, ...]:
    """What a reader of such a contract must understand."""
    needed = {
        "levelling": levelling,
        "normalisation": normalisation != "pixel/255",
        "softmax": output_values == "logits",
    }
    return tuple(word for word, is_needed in needed.items() if is_needed)


class LabelFacts(Part):
    """How a consumer may show a label."""

    emoji: str | None = Field(None, max_length=16)
    group: str | None = Field(None, max_length=64)
    """The feeling it stands for: "positive", "negative" or "neutral" for the eight."""

    @classmethod
    def of(cls, labels: Iterable[str]) -> dict[str, Self]:
        """The facts of those among `labels` that spell one of the eight expressions."""
        groups = {name: group for group, names in GROUPS.items() for name in names}
        spelt = {label: name for label in labels if (name := canonical(label))}
        return {label: cls(emoji=EMOJI[n], group=groups[n]) for label, n in spelt.items()}


class Figures(Part):
    """What was measured of the model."""

    precision: Precision
    """Of the file or weights that were measured."""
    protocol: Text
    split: Text
    n: Count
    accuracy: Share
    balanced_accuracy: Share
    recall: dict[Label, Share | None]
    """By label; None where the split has no such face."""


class OutputCalibration(Part):
    """What was folded into the last layer: logits / temperature + offsets.

    The temperature makes the confidence as large as the accuracy (Guo et al., 2017), the
    offsets move the border between common and rare labels (Menon et al., 2021).  A consumer
    has nothing to do: the file gives final probabilities.
    """

    temperature: float = Field(1.0, gt=0, le=1000)
    offsets: dict[Label, Annotated[float, Field(ge=-100, le=100)]] = Field(default_factory=dict)
    """By label; none where nothing was added."""
    origin: Text = Field(description="What the values were taken from.")


Metric = Literal["accuracy", "balanced_accuracy", "recall", "calibration_error"]


class Objective(Part):
    """A figure that was asked of the model, and what it reached."""

    metric: Metric
    """"recall": the least one of all labels."""
    required: Share
    measured: Share
    met: bool
    missed_by: tuple[Label, ...] = Field(
        (), description='Of "recall": the labels whose recall is below what was required.'
    )
    protocol: Text
    split: Text
    n: Count


class Accelerator(Part):
    """How the file behaves on one kind of processor."""

    name: Literal["cpu", "gpu", "npu"]
    verdict: Literal["as-reference", "differs", "unsupported", "unknown"]
    """"as-reference": the reference outputs come out, within the tolerance of its precision."""
    evidence: Text = UNKNOWN
    """What was run and what came out."""


class ModelContract(Part):
    """What a model file needs to be used properly."""

    format: Literal["fer-mobile/contract"] = FORMAT
    format_version: int = FORMAT_VERSION
    requires: tuple[Text, ...] = Field(
        (), description="What a reader must understand; it refuses what it does not know."
    )
    name: Name
    architecture: Text = UNKNOWN
    parameters: Count = Field(description="All weights of the network as trained.")
    trainable_parameters: Count | None = None
    parameter_cap: Count | None = Field(
        zoo.PARAMETER_CAP, description="On the trainable ones; null where it was lifted."
    )
    precision: Precision
    input: Tensor
    output: Tensor
    output_values: OutputValues = Field(
        "probabilities", description="Of logits, the consumer takes the softmax."
    )
    batch: Literal["dynamic", "fixed"] = Field(
        "dynamic", description="Whether the input may be resized to several faces."
    )
    preprocessing: Preprocessing = Preprocessing()
    labels: tuple[Label, ...] = Field(min_length=2, max_length=100)
    label_facts: dict[Label, LabelFacts] = Field(default_factory=dict)
    provenance: Provenance = Provenance()
    output_calibration: OutputCalibration | None = None
    ranges: Text | None = Field(
        None, description="What the activation ranges of an int8 file were taken from, in words."
    )
    figures: tuple[Figures, ...] = Field((), max_length=100)
    objectives: tuple[Objective, ...] = ()
    accelerators: tuple[Accelerator, ...] = ()
    licence: Text = UNKNOWN
    tools: dict[Text, Text] = Field(default_factory=dict, description="Versions that wrote it.")
    model_sha256: str = Field(pattern="^[0-9a-f]{64}$", description="Of the bare model, hex.")
    reference: dict[Label, tuple[Share, ...]] = Field(
        default_factory=dict,
        exclude=True,
        description="By label: probabilities of the float weights for the bundled reference "
        "faces.  Kept in a file of its own in the archive, not in this text.",
    )

    @property
    def emoji(self) -> dict[str, str]:
        """By label, for those that have one."""
        return {label: facts.emoji for label, facts in self.label_facts.items() if facts.emoji}

    @property
    def reference_outputs(self) -> NDArray[np.float32]:
        """`reference` in the order of the labels: [N, labels], N = 0 where there is none."""
        columns = [self.reference.get(label, ()) for label in self.labels]
        return np.array(columns, np.float32).T

    def to_json(self) -> str:
        """The contract as the text that is embedded and written beside the model."""
        return self.model_dump_json(indent=1) + "\n"
