"""The golden vectors, which Kotlin is held against, are what the code gives."""

import json
from pathlib import Path

import pytest

from fer_mobile.bench.result import parse_result
from tools import golden_vectors

HERE = Path(__file__).parent
AGAIN = "Run: python -m tools.golden_vectors"


@pytest.fixture(scope="module")
def vectors():
    found, blob = golden_vectors.vectors()
    return json.loads(json.dumps(found)), blob


def committed():
    return json.loads((HERE / "vectors.json").read_text(encoding="utf-8"))


def test_bytes_are_those_committed(vectors):
    """Crops, reductions and the detector's made-up outputs, to the bit."""
    found, blob = vectors
    assert blob == (HERE / "vectors.bin").read_bytes(), AGAIN
    for part in (
        "preprocessing", "labels", "crops", "shrinks", "model_faces", "default_model", "photo_set",
        "stage_stats", "qualities",
    ):  # fmt: skip
        assert found[part] == committed()[part], AGAIN


def test_every_shipped_model_is_in_them(vectors):
    found, expected = vectors[0]["models"], committed()["models"]
    assert found.keys() == expected.keys(), AGAIN
    for path, model in found.items():
        for key in ("precision", "sha256", "inputs_sha256"):
            assert model[key] == expected[path][key], f"{path} {key}. {AGAIN}"
        exact = model["precision"] == "int8"
        for face, says in zip(model["probabilities"], expected[path]["probabilities"], strict=True):
            assert face == (says if exact else pytest.approx(says, abs=1e-5)), f"{path}. {AGAIN}"


def test_photos_and_detections_are_those_committed(vectors):
    """Boxes pass through exp and a network, whose last digits depend on the processor."""
    found, expected = vectors[0], committed()
    for photo, says in zip(found["photos"], expected["photos"], strict=True):
        for key in ("image", "orientation", "turn", "label", "confidence"):
            assert photo[key] == says[key]
        for face, other in zip(photo["faces"], says["faces"], strict=True):
            assert face["box"] == pytest.approx(other["box"], abs=0.01)
            assert face["confidence"] == other["confidence"]
            assert face["quality"] == pytest.approx(other["quality"], abs=1e-3)
    faces, others = found["detection"]["faces"], expected["detection"]["faces"]
    assert [face["score"] for face in faces] == [face["score"] for face in others]
    for face, other in zip(faces, others, strict=True):
        assert face["box"] == pytest.approx(other["box"], abs=1e-4)
    for part in ("hints", "squares"):
        squares, others = found["detection"][part], expected["detection"][part]
        assert [each["square"] for each in squares] == [each["square"] for each in others]


def test_they_cover_what_can_go_wrong():
    """At least: every orientation, boxes off each side, one pixel, enlarging and reducing."""
    assert {orientation for _, orientation, *_ in golden_vectors.CROPS} == set(range(1, 9))
    crops = committed()["crops"]
    assert len(crops) >= 50
    squares = [case["square"] for case in crops]
    assert any(left < 0 for left, _, _ in squares)
    assert any(top < 0 for _, top, _ in squares)
    assert any(side == 1 for *_, side in squares)
    assert any(side > 1000 for *_, side in squares)
    sides = [(case["square"][2], case["size"]) for case in crops]
    assert any(side < size for side, size in sides)
    assert any(side == size for side, size in sides)
    assert any(side > size for side, size in sides)
    assert {photo["turn"] for photo in committed()["photos"]} == {0, 90, 180, 270}


def test_the_apps_benchmark_result_is_one():
    """Kotlin's tests hold what the app writes against the same file."""
    text = (HERE / "benchmark_result.json").read_text(encoding="utf-8")
    result = parse_result(text, "benchmark_result.json")
    assert result.device == "android"
    assert result.as_dict() == json.loads(text)


def test_they_are_small():
    assert sum(file.stat().st_size for file in HERE.iterdir() if file.is_file()) < 1_500_000
