"""The TFLite Model Metadata standard: what other tools read from the file.

The metadata is a FlatBuffer ("M001") in a buffer of the model named ``TFLITE_METADATA``;
it describes the input (an image, its normalisation) and the output (probabilities, their
labels in the appended ``labels.txt``).  Slots follow the standard's schema, version 1.5.0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from fer_mobile.model_file import LABELS_NAME
from fer_mobile.runtime.flatbuffer import AlignedBuilder, pack_model, unpack_model

BUFFER_NAME: Final = "TFLITE_METADATA"
_IDENTIFIER: Final = b"M001"
_PARSER_VERSION: Final = "1.0.0"
"""The oldest reader that understands the tables written here."""

_IMAGE_PROPERTIES: Final = 2  # of the union ContentProperties
_FEATURE_PROPERTIES: Final = 1
_NORMALIZATION: Final = 1  # of the union ProcessUnitOptions
_RGB, _GRAYSCALE = 1, 2
_TENSOR_AXIS_LABELS: Final = 2


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """What the metadata says of a model."""

    name: str
    description: str
    version: str
    author: str
    licence: str
    size: int
    """Height and width of the input."""
    channels: int
    """1: gray, 3: RGB."""
    raw_input: bool
    """The model takes pixels as they are (uint8 0-255); otherwise pixel / 255."""


class _Builder(AlignedBuilder):
    """A FlatBuffers builder with tables as lists of (slot, value)."""

    def text(self, text: str) -> _Offset:
        return _Offset(self.CreateString(text))

    def floats(self, *values: float) -> _Offset:
        return _Offset(self.CreateNumpyVector(np.array(values, np.float32)))

    def tables(self, *tables: _Offset) -> _Offset:
        self.StartVector(4, len(tables), 4)
        for table in reversed(tables):
            self.PrependUOffsetTRelative(table.position)
        return _Offset(self.EndVector())

    def table(
        self, *fields: tuple[int, _Offset | int | None], wide: tuple[int, ...] = ()
    ) -> _Offset:
        """A table of offsets and of numbers: uint32 at slots in `wide`, bytes elsewhere."""
        present = [(slot, value) for slot, value in fields if value is not None]
        self.StartObject(max((slot for slot, _ in present), default=-1) + 1)
        for slot, value in present:
            if isinstance(value, _Offset):
                self.PrependUOffsetTRelativeSlot(slot, value.position, 0)
            elif slot in wide:
                self.PrependUint32Slot(slot, value, 0)
            else:
                self.PrependUint8Slot(slot, value, 0)
        return _Offset(self.EndObject())


@dataclass(frozen=True, slots=True)
class _Offset:
    position: int


def _metadata(model: ModelDescription) -> bytes:
    b = _Builder(1024)
    size = b.table((0, model.size), (1, model.size), wide=(0, 1))
    color = _RGB if model.channels == 3 else _GRAYSCALE
    image = b.table((0, _IMAGE_PROPERTIES), (1, b.table((0, color), (1, size))))
    # A model of quantized or raw pixels normalises by its own scale; 0 and 1 leave them alone.
    mean, std = (0.0, 1.0) if model.raw_input else (0.0, 255.0)
    normalisation = b.table((0, b.floats(mean)), (1, b.floats(std)))
    steps = b.tables(b.table((0, _NORMALIZATION), (1, normalisation)))
    low, high = (0.0, 255.0) if model.raw_input else (0.0, 1.0)
    taken = b.table(
        (0, b.text("image")),
        (1, b.text("The face, cut out square as the contract's crop rule says.")),
        (3, image),
        (4, steps),
        (5, b.table((0, b.floats(high)), (1, b.floats(low)))),
    )
    labels = b.table(
        (0, b.text(LABELS_NAME)),
        (1, b.text("The expressions, in the order of the output.")),
        (2, _TENSOR_AXIS_LABELS),
    )
    given = b.table(
        (0, b.text("probabilities")),
        (1, b.text("Probability of each expression; they sum to 1.")),
        (3, b.table((0, _FEATURE_PROPERTIES), (1, b.table()))),
        (5, b.table((0, b.floats(1.0)), (1, b.floats(0.0)))),
        (6, b.tables(labels)),
    )
    graph = b.table((0, b.text(model.name)), (2, b.tables(taken)), (3, b.tables(given)))
    root = b.table(
        (0, b.text(model.name)),
        (1, b.text(model.description)),
        (2, b.text(model.version)),
        (3, b.tables(graph)),
        (4, b.text(model.author)),
        (5, b.text(model.licence)),
        (7, b.text(_PARSER_VERSION)),
    )
    b.Finish(root.position, file_identifier=_IDENTIFIER)
    return bytes(b.Output())


def add_metadata(model: bytes, description: ModelDescription) -> bytes:
    """A bare TFLite model with the metadata in it (replacing any it had)."""
    graph = unpack_model(model)
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(_metadata(description), np.uint8)
    entry = schema.MetadataT()
    entry.name, entry.buffer = BUFFER_NAME, len(graph.buffers)
    kept = [m for m in graph.metadata or [] if m.name not in (BUFFER_NAME, BUFFER_NAME.encode())]
    graph.metadata = [*kept, entry]
    graph.buffers = [*graph.buffers, buffer]
    return pack_model(graph)
