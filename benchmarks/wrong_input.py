"""What a wrong guess of an int8 file's input costs.

    FER_MOBILE_DATA=... python -m benchmarks.wrong_input

Result: benchmarks/results/wrong_input.jsonl.

The default int8 file gets the faces of ferplus-strict valid as its contract says (gray − 128), and
as apps have guessed: the gray byte as it is, which wraps around above 127, or halved, or from 0
to 1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.result_files import write_rows
from fer_mobile.data import load_dataset
from fer_mobile.metrics import score
from fer_mobile.models import DEFAULT
from fer_mobile.preprocess import resize
from fer_mobile.runtime.classifier import load_classifier

GUESSES: Final[dict[str, Callable[[NDArray[np.uint8]], NDArray[np.int8]]]] = {
    "gray - 128": lambda gray: (gray.astype(np.int16) - 128).astype(np.int8),
    "gray": lambda gray: gray.view(np.int8),
    "gray / 2": lambda gray: (gray // 2).view(np.int8),
    "gray / 255": lambda gray: np.round(gray / 255).astype(np.int8),
}
"""The bytes of the input, by how they are said to come from gray levels."""


def main() -> None:
    data = load_dataset(protocol="ferplus-strict", split="valid")
    rows = []
    for name in (DEFAULT,):
        classifier = load_classifier(name)
        faces = np.stack([resize(face, classifier.size) for face in data.images])
        right = GUESSES["gray - 128"]
        assert np.array_equal(classifier.prepare(faces[:8])[..., 0], right(faces[:8]))
        for guess, encode in GUESSES.items():
            # The classifier subtracts 128 itself: give it the gray that has these bytes.
            given = (encode(faces).astype(np.int16) + 128).astype(np.uint8)
            batches = np.array_split(given, 50)
            outputs = np.concatenate([classifier.classify(batch) for batch in batches])
            found = score(outputs, data.labels, data.names)
            rows.append(
                {
                    "model": name,
                    "protocol": "ferplus-strict",
                    "split": "valid",
                    "n": len(faces),
                    "byte": guess,
                    "accuracy": round(found.accuracy, 4),
                }
            )
            print(name, guess, f"{found.accuracy:.1%}")
    write_rows("wrong_input", rows)


if __name__ == "__main__":
    main()
