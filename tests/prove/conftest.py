"""How long a proof may take: `PROVE_SECONDS` in the environment, or all of its rounds."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

import pytest

from tests.gallery.conftest import large_library, own_cache  # noqa: F401  its fixtures
from tests.gallery.test_kill import undisturbed  # noqa: F401

LONGEST_S = 1200.0


@pytest.fixture
def rounds() -> Callable[[int], Iterator[int]]:
    """`rounds(count)`: the numbers from 0 to before `count`, while there is time for them.

    A proof records how many there were.
    """
    end = time.monotonic() + float(os.environ.get("PROVE_SECONDS", LONGEST_S))

    def get(count: int) -> Iterator[int]:
        for number in range(count):
            if time.monotonic() > end:
                return
            yield number

    return get
