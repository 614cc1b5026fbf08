"""Where a model's weights come from, as data; what nobody knows is called unknown."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from fer_mobile.contract.text import Text

Unknown = Literal["unknown"]
UNKNOWN: Unknown = "unknown"
"""What is not known; never guessed, never filled in."""


class Part(BaseModel):
    """A part of a contract: frozen, all numbers finite; fields it does not know pass."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


class DatasetFacts(Part):
    """The faces that taught the weights."""

    name: Text = UNKNOWN
    kind: Text = UNKNOWN
    """What the source was taken for: "FER2013 images with FER+ votes (npz)"."""
    digest: Text = UNKNOWN
    """SHA-256 of the faces and labels that taught, hex."""
    counts: dict[Text, dict[Text, int]] | Unknown = UNKNOWN
    """Faces by label, then by split."""
    licence: Text = UNKNOWN


class InitialWeights(Part):
    """Weights that a training began with."""

    name: Text
    origin: Text = UNKNOWN
    """Where they were taken from: a package and its version, a paper."""
    licence: Text = UNKNOWN
    trained_on: Text = UNKNOWN


class Teacher(Part):
    """A network whose predictions were part of the targets."""

    name: Text
    parameters: int | Unknown = UNKNOWN
    initial_weights: tuple[InitialWeights, ...] | Unknown = UNKNOWN
    """None of them for a teacher that began from nothing."""
    licence: Text = UNKNOWN
    weight: float | Unknown = UNKNOWN
    """Share of its soft targets in the loss, 0 to 1."""


class Provenance(Part):
    """What the weights come from."""

    dataset: DatasetFacts | Unknown = UNKNOWN
    unlabelled: tuple[DatasetFacts, ...] | Unknown = UNKNOWN
    """Faces that taught by the teachers' predictions alone; none, where only labelled ones did."""
    protocol: Text = UNKNOWN
    """By which the training labels follow from what the dataset says."""
    recipe: Text = UNKNOWN
    """The recipe's name."""
    recipe_sha256: Text = UNKNOWN
    """Of the resolved recipe as JSON, hex."""
    epochs: int | Unknown = Field(UNKNOWN, description="0 for weights that were never trained.")
    seeds: tuple[int, ...] | Unknown = UNKNOWN
    backend: Text = UNKNOWN
    """The software that trained: "keras 3.15.1, tensorflow 2.21.0"."""
    device: Text = UNKNOWN
    """What it really ran on: "NVIDIA H100", "AMD EPYC, 2 cores"."""
    initial_weights: tuple[InitialWeights, ...] | Unknown = UNKNOWN
    """None of them for weights that began from nothing."""
    teachers: tuple[Teacher, ...] | Unknown = UNKNOWN

    @property
    def trained(self) -> bool:
        """Whether the weights were trained, as far as is known."""
        return self.epochs != 0


UNTRAINED = Provenance(
    dataset=UNKNOWN, epochs=0, initial_weights=(), teachers=(), recipe="none: fresh weights"
)
"""Of fresh weights."""
