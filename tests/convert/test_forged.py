"""Model files from strangers: consistent with their checksum, and wrong.

Each is refused with a reason by everything that reads a file, before it is run.
"""

import io
import json
import math
import zipfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fer_mobile.contract import LARGEST_SIDE
from fer_mobile.convert import verify
from fer_mobile.errors import ModelError
from fer_mobile.golden import golden_faces
from fer_mobile.model_file import (
    CONTRACT_NAME,
    LABELS_NAME,
    attach,
    contract_file,
    model_checksum,
    read_contract,
    split,
)
from fer_mobile.models import shipped_models
from fer_mobile.pipeline import load_pipeline
from fer_mobile.predictor import load_predictor
from fer_mobile.runtime.classifier import Classifier, load_classifier
from fer_mobile.runtime.flatbuffer import pack_model, unpack_model

CONTENT = shipped_models()["compact"].files["int8"].read_bytes()
BARE, CONTRACT = split(CONTENT)


def packed(bare, entries):
    out = io.BytesIO(bare)
    out.seek(0, io.SEEK_END)
    with zipfile.ZipFile(out, "a") as archive:
        for name, text in entries:
            archive.writestr(name, text)
    return out.getvalue()


def with_fields(change):
    """The shipped file under a changed contract, labels.txt and all."""
    fields = json.loads(CONTRACT.to_json())
    change(fields)
    labels = [label for label in fields["labels"] if isinstance(label, str)]
    return packed(
        BARE,
        [
            (LABELS_NAME, "\n".join(labels).encode("utf-8", "replace")),
            (CONTRACT_NAME, json.dumps(fields)),
        ],
    )


def with_graph(change):
    """A changed graph under a contract that vouches for it."""
    flat = unpack_model(BARE)
    change(flat.subgraphs[0])
    bare = pack_model(flat)
    return attach(bare, CONTRACT.model_copy(update={"model_sha256": model_checksum(bare)}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f["preprocessing"]["crop"].update(scale=math.nan), "crop.scale"),
        (lambda f: f["preprocessing"]["crop"].update(scale=1e9), "crop.scale"),
        (lambda f: f["preprocessing"]["crop"].update(scale=0), "crop.scale"),
        (lambda f: f["preprocessing"]["crop"].update(shift_y=-math.inf), "crop.shift_y"),
        (lambda f: f["input"].update(scale=math.inf), "input.scale"),
        (lambda f: f["input"].update(zero_point=10**30), "input.zero_point"),
        (lambda f: f["input"].update(shape=[1, 10**6, 10**6, 1]), f"1 to {LARGEST_SIDE} px"),
        (lambda f: f.update(parameters=-1), "parameters"),
        (lambda f: f["figures"][0].update(accuracy=7), "figures.0.accuracy"),
        (lambda f: f["output_calibration"].update(temperature=math.nan), "temperature"),
        (lambda f: f["provenance"].update(seeds="one"), "provenance.seeds"),
        (lambda f: f["provenance"].update(device="\x1b[2J"), "provenance.device"),
        (lambda f: f.update(name="../../weights"), "name: .*is no plain name"),
        (lambda f: f.update(name="a\x1b[2Jb"), "control characters"),
        (lambda f: f.update(licence="MIT\u202e"), "control characters"),
        (lambda f: f["labels"].__setitem__(0, "neu\ntral"), "control characters"),
        (lambda f: f.update(model_sha256="none"), "model_sha256"),
        (lambda f: f["label_facts"].update({"\x1b[31mred": {}}), "control characters"),
        (lambda f: f.update(requires=["\u202elevelling"]), "control characters"),
        (lambda f: f["labels"].reverse(), "the contract's labels .* in the model's metadata"),
    ],
)  # fmt: skip
def test_a_contract_out_of_its_limits(tmp_path, change, message):
    path = tmp_path / "forged.tflite"
    path.write_bytes(with_fields(change))
    for read in (verify, load_classifier, read_contract):
        with pytest.raises(ModelError, match=message) as raised:
            read(path)
        assert str(raised.value).isprintable()


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([(LABELS_NAME, "\n".join(CONTRACT.labels[::-1]))], "found contempt, .* in labels.txt"),
        ([(LABELS_NAME, b"\xff\xfe")], "an embedded contract"),
        ([(CONTRACT_NAME, "{}")], "an embedded contract"),  # two of them
    ],
    ids=["reversed", "no UTF-8", "two contracts"],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_archive_that_contradicts_itself(tmp_path, entries, message):
    path = tmp_path / "forged.tflite"
    path.write_bytes(packed(BARE, [*entries, (CONTRACT_NAME, CONTRACT.to_json())]))
    for read in (verify, load_classifier, read_contract):
        with pytest.raises(ModelError, match=message):
            read(path)


def test_what_follows_the_model_is_not_run(tmp_path):
    """The checksum covers the model alone, so that the runtime is given no more."""
    path = tmp_path / "more.tflite"
    content = packed(BARE, [("weights.bin", "x" * 1000), (CONTRACT_NAME, CONTRACT.to_json())])
    path.write_bytes(content)
    assert load_classifier(path).contract == CONTRACT.model_copy(update={"reference": {}})


def rename(graph):
    graph.tensors[0].name = b"\xff\xfe"


def rename_inner(graph):
    graph.tensors[5].name = b"\xff\xfe"


def enlarge(graph):
    graph.tensors[int(graph.operators[0].outputs[0])].shape = [1, 200_000, 200_000, 4]


def unfit(graph):
    """The second convolution gets the kernel of the first."""
    first, second = [op for op in graph.operators if len(op.inputs) == 3][:2]
    second.inputs = [second.inputs[0], first.inputs[1], second.inputs[2]]


def misplace(graph):
    graph.operators[0].inputs = [
        int(graph.operators[-1].outputs[0]),
        *graph.operators[0].inputs[1:],
    ]


def damaged(contract):
    """A kernel that was turned around, in a graph that runs, under a contract that vouches."""
    flat = unpack_model(BARE)
    kernel = max(flat.buffers, key=lambda buffer: 0 if buffer.data is None else len(buffer.data))
    kernel.data = kernel.data[::-1]
    bare = pack_model(flat)
    return attach(bare, contract.model_copy(update={"model_sha256": model_checksum(bare)}))


def test_a_graph_that_gives_something_else_is_refused_by_all_who_load_it(tmp_path, fer_mobile):
    path = tmp_path / "damaged.tflite"
    path.write_bytes(damaged(CONTRACT))
    line = fer_mobile.refused("predict", "--model", path, "photo.jpg")
    assert "expected what its float model gave for 4 faces, which the file holds, found" in line
    for load in (load_classifier, load_predictor, load_pipeline):
        with pytest.raises(
            ModelError, match=r"damaged\.tflite: expected what its float model gave"
        ):
            load(path)
    failed = {check.name for check in verify(path).checks if not check.passed}
    assert "parity" in failed
    path.write_bytes(damaged(CONTRACT.model_copy(update={"reference": {}})))
    assert load_classifier(path).labels == CONTRACT.labels  # nothing says what it should give


@pytest.mark.parametrize("change", [rename, rename_inner, enlarge, unfit, misplace])
def test_a_graph_that_cannot_be_run(tmp_path, fer_mobile, change):
    path = tmp_path / "forged.tflite"
    path.write_bytes(with_graph(change))
    assert not contract_file(path).exists()
    with pytest.raises(ModelError, match=r"forged\.tflite") as raised:
        load_classifier(path)
    assert "\n" not in str(raised.value)
    failed = {check.name for check in verify(path).checks if not check.passed}
    assert failed == {"contract and graph"}


@cache
def some_faces(size):
    return golden_faces(size)[:4]


def read_mutated(seed):
    """What becomes of the shipped graph with some bits flipped, under a contract that vouches."""
    random = Random(seed)
    graph = bytearray(BARE)
    for _ in range(random.choice([1, 1, 2, 4])):
        place = random.randrange(24_000)  # the tables lie at both ends, the weights between
        graph[random.choice([place, -1 - place])] ^= 1 << random.randrange(8)
    contract = CONTRACT.model_copy(update={"model_sha256": model_checksum(bytes(graph))})
    try:
        classifier = Classifier(Path("mutated.tflite"), content=attach(bytes(graph), contract))
        classifier.classify(some_faces(classifier.size))
    except ModelError as error:
        return "refused" if str(error).isprintable() else str(error)
    return "ran"


def test_graphs_with_flipped_bits_are_refused_or_run():
    """In a process of its own: the runtime is native code, which could end it."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        outcomes = Counter(pool.map(read_mutated, range(30), chunksize=10))
    assert outcomes.keys() == {"refused", "ran"}


def test_the_command_line_refuses_it_in_one_line(tmp_path, fer_mobile):
    path = tmp_path / "forged.tflite"
    path.write_bytes(with_graph(rename))
    line = fer_mobile.refused("predict", "--model", path, "photo.jpg")
    assert "forged.tflite: expected" in line


NUMBERS = st.one_of(
    st.floats(), st.integers(), st.sampled_from([1e308, -1e308, 2**63, 10**40, -1, 0]), st.none()
)


def places(fields, path=()):
    """Where a contract has numbers."""
    for key, value in fields.items() if isinstance(fields, dict) else enumerate(fields):
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))
        elif isinstance(value, int | float) and path[:1] != ("reference",):
            yield (*path, key)


PLACES = sorted(places(json.loads(CONTRACT.to_json())), key=str)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.sampled_from(PLACES), NUMBERS)
def test_any_number_anywhere_is_used_or_refused(place, value):
    fields = json.loads(CONTRACT.to_json())
    part = fields
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = value
    content = packed(BARE, [(CONTRACT_NAME, json.dumps(fields))])
    error = None
    try:
        contract = split(content)[1]
    except ModelError as refused:
        error = refused
    if error:
        assert "\n" not in str(error)
        return
    crop = contract.preprocessing.crop
    assert 0.1 <= crop.scale <= 4
    assert abs(crop.shift_y) <= 2
    assert 1 <= contract.input.shape[1] <= LARGEST_SIDE
    assert split(attach(BARE, contract))[1] == contract  # it can be written again
