import shutil

import numpy as np
from PIL import Image

from fer_mobile.bench.large_photos import make_large_photos
from fer_mobile.files import MARKER
from fer_mobile.pipeline import load_pipeline
from fer_mobile.resources import photos_dir

FACE = "astronaut-smile.jpg"


def test_photos_are_enlarged_with_noise_and_their_faces_stay(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    shutil.copy(photos_dir() / FACE, source)
    gray = Image.new("RGB", (60, 40), (128, 128, 128))
    gray.save(source / "wide.png")
    made = tmp_path / "cache" / "12mp"
    make_large_photos(made, source)
    make_large_photos(made, source)  # there already: the first one stays
    assert sorted(p.name for p in made.parent.rglob("*")) == [MARKER, "12mp", FACE, "wide.jpg"]
    with Image.open(made / "wide.jpg") as wide, Image.open(made / FACE) as upright:
        assert wide.size == (4000, 3000)
        assert sorted(upright.size) == [3000, 4000]
        levels = np.asarray(wide.convert("L"), np.float32)
    assert abs(levels.mean() - 128) < 1
    assert 1 < levels.std() < 6  # sqrt(2² + 0.1 · 128) = 4.1 a channel
    pipeline = load_pipeline()
    small, large = pipeline(source / FACE), pipeline(made / FACE)
    assert large.label == small.label
    assert len(large.faces) == len(small.faces) == 1
