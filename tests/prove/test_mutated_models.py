"""Model files with changed bits, many of them."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from tests.convert.test_forged import read_mutated

GRAPHS = 3000


@pytest.mark.prove
def test_graphs_with_flipped_bits_are_refused_or_run(rounds, record_property):
    """In a process of its own: the runtime is native code, which could end it."""
    outcomes: Counter[str] = Counter()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        for number in rounds(GRAPHS):
            outcomes[pool.submit(read_mutated, number).result()] += 1
    assert outcomes.keys() == {"refused", "ran"}
    record_property("mutated graphs", outcomes.total())
    record_property("refused", outcomes["refused"])
    record_property("that ran", outcomes["ran"])
