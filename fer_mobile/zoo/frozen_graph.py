"""Reading the constants of a frozen TensorFlow graph."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fer_mobile.errors import ModelError


def read_constants(path: Path) -> dict[str, np.ndarray]:
    """Every constant by the name of its node.

    Raises ModelError for a file that is no graph.
    """
    import tensorflow as tf
    from google.protobuf.message import DecodeError

    try:
        graph = tf.compat.v1.GraphDef.FromString(path.read_bytes())
    except (OSError, DecodeError) as error:
        raise ModelError(
            str(path), expected="a frozen TensorFlow graph", found=str(error)
        ) from error
    return {
        node.name: tf.make_ndarray(node.attr["value"].tensor)
        for node in graph.node
        if node.op == "Const"
    }
