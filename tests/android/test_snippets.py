"""The snippet for MediaPipe Tasks, run as a user would (verify.sh runs the other two)."""

import json
import sys

import pytest

from fer_mobile.android import snippet
from fer_mobile.images import find_photos
from fer_mobile.pipeline import load_pipeline
from fer_mobile.resources import photos_dir
from tests.test_installs import install, run

USER = """
import json, sys
from pathlib import Path
from PIL import Image, ImageOps
from expression_classifier import classify

labels = []
for path, box in json.loads(Path(sys.argv[1]).read_text()):
    scores = classify(ImageOps.exif_transpose(Image.open(path)).convert("RGB"), *box)
    labels.append(max(scores, key=scores.get))
print(json.dumps(labels))
"""


@pytest.mark.prove
def test_mediapipe_gives_the_labels_of_predict(tmp_path):
    from fer_mobile.convert import export

    export(color="rgb", out=tmp_path)
    (tmp_path / "expression_classifier.py").write_text(snippet("mediapipe"), "utf-8")
    (tmp_path / "user.py").write_text(USER, "utf-8")
    pipeline = load_pipeline()
    faces = [(path, face) for path in find_photos(photos_dir()) for face in pipeline(path).faces]
    boxes = [(str(path), list(face.box)) for path, face in faces]
    (tmp_path / "faces.json").write_text(json.dumps(boxes), "utf-8")
    python = install(tmp_path / "venv", sys.executable, "constraints.txt", "mediapipe") / "python"
    printed = run(python, "user.py", "faces.json", cwd=tmp_path).splitlines()[-1]
    same = sum(a == face.label for a, (_, face) in zip(json.loads(printed), faces, strict=True))
    # Pillow resizes otherwise: a face on the edge may change sides.
    assert same >= len(faces) - 1
