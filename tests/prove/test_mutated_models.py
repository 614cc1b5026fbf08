"""Model files with changed bits and changed contracts, many of them: refused, or used as they say.

They are read in a process of its own: the runtime is native code, which could end it.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from fer_mobile.contract import LARGEST_SIDE
from fer_mobile.errors import ModelError
from fer_mobile.model_file import split
from fer_mobile.runtime.classifier import Classifier
from tests.convert.test_forged import CONTENT, CONTRACT, read_mutated, some_faces, with_fields

pytestmark = pytest.mark.prove

GRAPHS = 6000
CONTRACTS = 3400  # of which some make no file
FILES = 1000

ODD = [
    None, True, "", "x" * 100_000, "\x1b[2J", "\u202e", "\ud800", "../../etc/passwd", "nan", "0",
    0, -1, 2**31, 2**63, 10**40, 0.5, 1e308, -1e308, math.nan, math.inf, -math.inf,
    [], {}, [[]], [0] * 1000, {"": None}, [1, 10**6, 10**6, 1],
]  # fmt: skip


def places(part: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place of a JSON document, containers too."""
    found = [path] if path else []
    items: Iterable[tuple[Any, Any]] = ()
    if isinstance(part, dict):
        items = part.items()
    elif isinstance(part, list):
        items = enumerate(part)
    return found + [place for key, value in items for place in places(value, (*path, key))]


PLACES = [place for place in places(json.loads(CONTRACT.to_json())) if place[0] != "reference"]


def read_contract(seed: int) -> str:
    """What becomes of the shipped file under a contract with one to three odd values."""
    random = Random(seed)

    def change(fields: dict[str, Any]) -> None:
        for _ in range(random.choice([1, 1, 2, 3])):
            *path, last = random.choice(PLACES)
            part: Any = fields
            try:
                for key in path:
                    part = part[key]
                if random.random() < 0.2:
                    del part[last]
                else:
                    part[last] = random.choice(ODD)
            except (KeyError, IndexError, TypeError):  # an earlier change took it out
                continue

    try:
        content = with_fields(change)
    except (KeyError, TypeError):  # without labels, or with what is no list of them
        return "no file"
    return outcome(content)


def read_file(seed: int) -> str:
    """What becomes of the shipped file with some bytes changed anywhere, or its end cut off."""
    random = Random(seed)
    content = bytearray(CONTENT)
    for _ in range(random.choice([1, 2, 8])):
        # Half of them in what was appended to the graph: contract, labels, directory.
        start = random.choice([0, len(content) - 8000])
        content[random.randrange(start, len(content))] = random.randrange(256)
    if random.random() < 0.2:
        del content[random.randrange(len(content)) :]
    result = outcome(bytes(content))
    if result == "ran":  # what was changed says nothing, or names the reference outputs otherwise
        graph, contract = split(bytes(content))
        if (graph, contract.model_copy(update={"reference": CONTRACT.reference})) != split(CONTENT):
            return "another graph or contract was used"
    return result


def outcome(content: bytes) -> str:
    """Whether a file is refused in one line, or runs within what its contract may say."""
    try:
        classifier = Classifier(Path("mutated.tflite"), content=content)
        probabilities = classifier.classify(some_faces(classifier.size))
    except ModelError as error:
        return "refused" if str(error).isprintable() else str(error)
    rule = classifier.contract.preprocessing.crop
    sane = 0.1 <= rule.scale <= 4 and abs(rule.shift_y) <= 2 and classifier.size <= LARGEST_SIDE
    sane = sane and all(label.isprintable() for label in classifier.labels)
    return "ran" if sane and np.isfinite(probabilities).all() else "ran out of its limits"


@pytest.mark.parametrize(
    ("read", "count"),
    [(read_mutated, GRAPHS), (read_contract, CONTRACTS), (read_file, FILES)],
    ids=["graphs", "contracts", "files"],
)
def test_refused_or_run(rounds, record_property, read: Callable[[int], str], count: int):
    outcomes: Counter[str] = Counter()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        for number in rounds(count):
            outcomes[pool.submit(read, number).result()] += 1
    outcomes.pop("no file", None)
    assert outcomes["refused"]
    assert outcomes.keys() <= {"refused", "ran"}
    record_property("mutated models and contracts", outcomes.total())
    record_property("refused", outcomes["refused"])
    record_property("that ran", outcomes["ran"])
