"""The bundled faces: made of photos that are shipped, and what files are verified by."""

import numpy as np
import pytest

from fer_mobile.convert import verify
from fer_mobile.golden import EXPRESSIVE, golden_faces, reference_faces
from fer_mobile.model_file import attach, read_contract, split
from fer_mobile.models import shipped_models
from fer_mobile.resources import photos_dir
from tools.golden_faces import expressive

SHIPPED = shipped_models()["compact"].files["int8"]


def test_the_golden_faces_come_first():
    faces = reference_faces(64)
    assert len(faces) == 160
    np.testing.assert_array_equal(faces[:128], golden_faces(64))


def test_every_expressive_face_is_of_a_photo_with_a_licence():
    """Made again from the photos; decoders of JPEG differ by a gray value here and there."""
    table = EXPRESSIVE.with_suffix(".csv").read_text(encoding="utf-8")
    photos = {line.partition(",")[0] for line in table.splitlines()[1:]}
    manifest = (photos_dir() / "manifest.csv").read_text(encoding="utf-8")
    licences = {line.split(",")[0]: line for line in manifest.splitlines()}
    assert all("CC0" in licences[photo] for photo in photos)
    made, shipped = np.stack(expressive()).astype(int), reference_faces(64)[128:].astype(int)
    assert np.abs(made - shipped).mean() < 0.5


@pytest.mark.parametrize("name", sorted(shipped_models()))
def test_six_labels_occur_among_the_reference_outputs(name):
    """Of every shipped model of eight labels whose float weights are here."""
    for file in shipped_models()[name].files.values():
        outputs = read_contract(file).reference_outputs
        assert len(outputs) == len(reference_faces(8))
        assert len(set(outputs.argmax(1).tolist())) >= 6


def test_a_copy_keeps_outputs_for_the_golden_faces():
    """compact_fer2013 has no float weights here, which alone could give others."""
    (name,) = shipped_models(copies=True).keys() - shipped_models().keys()
    (file,) = shipped_models(copies=True)[name].files.values()
    assert len(read_contract(file).reference_outputs) == len(golden_faces(8))


@pytest.mark.parametrize(("count", "passed"), [(160, True), (128, True), (127, False), (1, False)])
def test_a_file_is_verified_by_the_faces_of_its_version(tmp_path, count, passed):
    bare, contract = split(SHIPPED.read_bytes())
    cut = {label: column[:count] for label, column in contract.reference.items()}
    file = tmp_path / SHIPPED.name
    file.write_bytes(attach(bare, contract.model_copy(update={"reference": cut})))
    (parity,) = [check for check in verify(file).checks if check.name == "parity"]
    assert parity.passed == passed
    assert f"{count} " in parity.detail
