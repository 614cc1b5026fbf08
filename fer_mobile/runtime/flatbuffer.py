"""TFLite files as objects of their schema, and back to bytes."""

from __future__ import annotations

from typing import Any

import flatbuffers
from ai_edge_litert import schema_py_generated as schema

from fer_mobile.model_file import TFLITE_IDENTIFIER


class AlignedBuilder(flatbuffers.Builder):  # type: ignore[misc]
    """A FlatBuffers builder that keeps the alignment that TFLite's schema asks of buffers."""

    def StartVector(self, element: int, count: int, alignment: int) -> Any:  # noqa: N802
        """Begin a vector; byte vectors start at multiples of 16."""
        return super().StartVector(element, count, 16 if element == 1 else alignment)


def unpack_model(model: bytes) -> Any:
    """A bare TFLite model as the schema's ``ModelT``, which can be changed."""
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(model, 0))


def pack_model(model: Any) -> bytes:
    """The bytes of a ``ModelT``."""
    builder = AlignedBuilder(1024)
    builder.Finish(model.Pack(builder), file_identifier=TFLITE_IDENTIFIER)
    return bytes(builder.Output())
