"""The shipped files in the app's arm64 library, under emulation, against Python's answers."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import numpy as np
from hosttflite import LIBRARY, arm64_command, arm64_runner, missing_for_arm64
from python_side import golden_script
from steps import OUT, BuildError

from fer_mobile.detect.yunet import shipped_yunet
from fer_mobile.models import shipped_models
from fer_mobile.runtime.classifier import Classifier
from fer_mobile.runtime.interpreter import load_interpreter

ARM64 = OUT / "arm64tflite"
FACES = 16
FEW_FACES = 2
"""Unless `every_face`: emulation takes seconds a face with the largest file."""
INT8 = 1 / 256
"""Largest difference of an int8 file's probabilities on another processor: one level."""
FLOAT = 1e-4


def run_arm64(tensorflow_lite: Path, *, every_face: bool = False) -> None:
    """Run every shipped file; BuildError where one answers otherwise."""
    missing = missing_for_arm64()
    if missing:
        print(f"arm64 is left out; it needs the Debian packages {' '.join(missing)}")
        return
    program = arm64_runner(tensorflow_lite, ARM64)
    models = shipped_models(copies=True).values()
    files = [file for model in models for file in model.files.values()]
    same = [_check_classifier(program, file, every_face) for file in files]
    if not all([*same, _check_yunet(program)]):
        raise BuildError("arm64 code answers otherwise")


def _check_classifier(program: Path, file: Path, every_face: bool) -> bool:
    classifier = Classifier(file)
    quantized = classifier.contract.output.scale is not None
    faces = golden_script().model_pixels(classifier)
    faces = faces[: FACES if every_face else FEW_FACES]
    expected = np.concatenate([classifier.classify(face[None]) for face in faces])
    output = classifier.contract.output
    raw = _outputs(program, file, classifier.prepare(faces), output.dtype)
    found = raw.reshape(expected.shape).astype(np.float32)
    if quantized:
        found = (found - output.zero_point) * np.float32(output.scale)
    differences = np.abs(found - expected)
    same = bool((found.argmax(1) == expected.argmax(1)).all())
    print(
        f"{file.name} on arm64: {len(faces)} faces, labels {'the same' if same else 'DIFFER'}, "
        f"{(differences > FLOAT).sum()} of {differences.size} probabilities differ, "
        f"at most by {differences.max():.2g}"
    )
    return same and differences.max() <= (INT8 if quantized else FLOAT)


def _check_yunet(program: Path) -> bool:
    """A photo in the size that the detector's file opens at."""
    interpreter = load_interpreter(shipped_yunet())
    image = np.zeros(interpreter.get_input_details()[0]["shape"], np.uint8)
    photo = golden_script().pixels("portrait.png")
    image[0, : photo.shape[0], : photo.shape[1]] = photo
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image)
    interpreter.invoke()
    outputs = [interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()]
    expected = np.concatenate([np.ravel(output) for output in outputs])
    found = _outputs(program, shipped_yunet(), image, "float32")
    worst = float(np.abs(found - expected).max())
    print(f"{shipped_yunet().name} on arm64: {found.size} values, largest difference {worst:.2g}")
    return worst <= FLOAT


def _outputs(program: Path, model: Path, inputs: np.ndarray, dtype: str) -> np.ndarray:
    """All outputs of a model, for one input after the other."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "inputs"), Path(folder, "outputs")
        source.write_bytes(inputs.tobytes())
        command = [*arm64_command(ARM64), program, ARM64 / LIBRARY, model, source, target]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        return np.fromfile(target, dtype)
