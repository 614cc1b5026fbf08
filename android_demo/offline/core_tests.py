#!/usr/bin/env python3
"""Tests of :core: by itself, with the app's interpreter on this machine, and as arm64 code.

    core_tests.py [--no-arm64]

Its answers are held against Python's, which tests/golden/ has for every shipped model and for
every step before it.  Files of kinds that are not shipped (float32, dynamic, RGB) are exported
for the test where TensorFlow is installed, and kept in the build folder.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType

import numpy as np
from build import CORE, MAIN, OUT, ROOT, Libraries, core, join_path, kotlinc, step
from hosttflite import LIBRARY, arm64_command, arm64_runner, host_library, missing_for_arm64

from fer_mobile.convert import export
from fer_mobile.detect.yunet import shipped_yunet
from fer_mobile.images import find_photos, load_photo
from fer_mobile.models import shipped_models
from fer_mobile.pipeline import load_pipeline
from fer_mobile.resources import photos_dir
from fer_mobile.runtime.classifier import Classifier
from fer_mobile.runtime.interpreter import load_interpreter

HOST = OUT / "hosttflite"
ARM64 = OUT / "arm64tflite"
TESTS = OUT / "core-tests"
EXPORTS = OUT / "exports"
PHOTOS = OUT / "photos"
NOT_SHIPPED = (
    {"quantize": "none"},
    {"quantize": "dynamic"},
    {"quantize": "int8", "color": "rgb"},
)
TOLD = ("bundled photos:", "OK (")
RUNTIME_CHATTER = ("VERBOSE:", "INFO:", "WARNING:")

ARM64_FACES = 16
ARM64_INT8 = 1 / 256
"""Largest difference of an int8 file's probabilities on another processor: one level."""
ARM64_FLOAT = 1e-4


def main() -> int:
    """Run them all; 0 if everything passed."""
    libraries = Libraries()
    core(libraries)
    native = libraries.folder / "tensorflow-lite"
    step("host library", lambda: host_library(native, HOST))
    step("exports", exports)
    step("photos", photos)
    passed = step("core tests", lambda: run_tests(libraries))
    if "--no-arm64" not in sys.argv:
        passed &= step("arm64", lambda: arm64(native))
    return 0 if passed else 1


def run_tests(libraries: Libraries) -> bool:
    """Compile and run the JUnit tests; what they print is shown only if they fail."""
    path = [CORE, *libraries.jars, *libraries.test_jars]
    sources = [
        ROOT / "core/src/test/kotlin",
        ROOT / "offline/tests",
        MAIN / "kotlin/org/fermobile/gallery/engine/LiteRtModel.kt",
    ]
    kotlinc(libraries, sources, path, TESTS)
    names = sorted(
        ".".join(file.relative_to(TESTS).with_suffix("").parts)
        for file in TESTS.rglob("*Test.class")
    )
    done = subprocess.run(
        ["java", f"-Djava.library.path={HOST}", f"-Dfermobile.exports={EXPORTS}",
         f"-Dfermobile.photos={PHOTOS}",
         "-cp", join_path([TESTS, *path]), "org.junit.runner.JUnitCore", *names],
        env=os.environ | {"LD_LIBRARY_PATH": str(HOST)},
        cwd=ROOT,
        text=True,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )  # fmt: skip
    lines = [line.lstrip(".") for line in done.stdout.splitlines()]
    lines = [line for line in lines if not line.startswith(RUNTIME_CHATTER)]
    told = [line for line in lines if line.startswith(TOLD) or ".tflite: " in line]
    print("\n".join(lines if done.returncode else told))
    return done.returncode == 0


def exports() -> None:
    """Files as they are not shipped, with Python's answers; again when a source is newer."""
    if not importlib.util.find_spec("tensorflow"):
        print("float32, dynamic and RGB files are left out: TensorFlow is not installed")
        return
    vectors = EXPORTS / "vectors.json"
    sources = [model.checkpoint for model in shipped_models().values()]
    made = vectors.stat().st_mtime if vectors.exists() else 0.0
    if all(source.stat().st_mtime < made for source in sources):
        return
    paths = [
        export(name, out=EXPORTS, **options).path
        for name in shipped_models()
        for options in NOT_SHIPPED
    ]
    script = golden_script()
    answers = {path.name: script.model_vector(path) for path in paths}
    vectors.write_text(json.dumps(answers), encoding="utf-8")


def photos() -> None:
    """The bundled photos as pixels, so that nothing depends on a decoder, with Python's answers."""
    script, pipeline = golden_script(), load_pipeline()
    PHOTOS.mkdir(exist_ok=True)
    cases = []
    for path in find_photos(photos_dir()):
        rgb = load_photo(path).rgb
        (PHOTOS / path.name).with_suffix(".rgb").write_bytes(rgb.tobytes())
        case = script.photo_case(pipeline, path.stem, rgb)
        cases.append({**case, "size": [rgb.shape[1], rgb.shape[0]]})
    (PHOTOS / "photos.json").write_text(json.dumps({"photos": cases}), encoding="utf-8")


def golden_script() -> ModuleType:
    """The module of tools/golden_vectors.py."""
    path = ROOT.parent / "tools/golden_vectors.py"
    spec = importlib.util.spec_from_file_location("golden_vectors", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def arm64(native: Path) -> bool:
    """Every shipped file in the arm64 library under emulation against Python's answers."""
    missing = missing_for_arm64()
    if missing:
        print(f"arm64 is left out; it needs the Debian packages {' '.join(missing)}")
        return True
    program = arm64_runner(native, ARM64)
    models = shipped_models(copies=True).values()
    files = [file for model in models for file in model.files.values()]
    return all([classifier_on_arm64(program, file) for file in files] + [yunet_on_arm64(program)])


def classifier_on_arm64(program: Path, file: Path) -> bool:
    """Whether a classifier says the same."""
    classifier = Classifier(file)
    faces = golden_script().model_pixels(classifier)[:ARM64_FACES]
    expected = np.concatenate([classifier.classify(face[None]) for face in faces])
    output = classifier.contract.output
    raw = run_on_arm64(program, file, classifier.prepare(faces), output.dtype)
    found = raw.reshape(expected.shape).astype(np.float32)
    if output.scale is not None:
        found = (found - output.zero_point) * np.float32(output.scale)
    differences = np.abs(found - expected)
    same = bool((found.argmax(1) == expected.argmax(1)).all())
    print(
        f"{file.name} on arm64: {len(faces)} faces, labels {'the same' if same else 'DIFFER'}, "
        f"{(differences > ARM64_FLOAT).sum()} of {differences.size} probabilities differ, "
        f"at most by {differences.max():.2g}"
    )
    return same and differences.max() <= (ARM64_FLOAT if output.scale is None else ARM64_INT8)


def yunet_on_arm64(program: Path) -> bool:
    """Whether the detector gives the same for a photo, in the size its file opens at."""
    interpreter = load_interpreter(shipped_yunet())
    image = np.zeros(interpreter.get_input_details()[0]["shape"], np.uint8)
    photo = golden_script().pixels("portrait.png")
    image[0, : photo.shape[0], : photo.shape[1]] = photo
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image)
    interpreter.invoke()
    outputs = [interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()]
    expected = np.concatenate([np.ravel(output) for output in outputs])
    found = run_on_arm64(program, shipped_yunet(), image, "float32")
    worst = float(np.abs(found - expected).max())
    print(f"{shipped_yunet().name} on arm64: {found.size} values, largest difference {worst:.2g}")
    return worst <= ARM64_FLOAT


def run_on_arm64(program: Path, model: Path, inputs: np.ndarray, dtype: str) -> np.ndarray:
    """All outputs of a model, for one input after the other."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "inputs"), Path(folder, "outputs")
        source.write_bytes(inputs.tobytes())
        command = [*arm64_command(ARM64), program, ARM64 / LIBRARY, model, source, target]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        return np.fromfile(target, dtype)


if __name__ == "__main__":
    sys.exit(main())
