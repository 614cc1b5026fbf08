"""Images with changed bytes, many of them."""

from __future__ import annotations

import resource

import pytest

from tests.test_mutated_images import read_mutated

IMAGES = 100_000


@pytest.mark.prove
def test_mutated_images_are_photos_or_errors(rounds, record_property, capfd):
    counts = read_mutated(rounds(IMAGES), capfd)
    record_property("mutated images", counts.photos + counts.errors)
    record_property("forms", counts.forms)
    record_property("photos", counts.photos)
    record_property("errors", counts.errors)
    record_property("longest image, s", round(counts.longest_s, 2))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    record_property("peak memory, MB", round(peak / 1024))
