"""The standard metadata in exported files, read by what others wrote."""

import json
import subprocess
import venv
import zipfile
from pathlib import Path

import flatbuffers
import numpy as np
import pytest

from fer_mobile.convert import export
from fer_mobile.convert.metadata import BUFFER_NAME, ModelDescription, add_metadata
from fer_mobile.golden import golden_faces
from fer_mobile.labels import LABELS
from fer_mobile.model_file import split
from fer_mobile.models import shipped_models, tflite_file
from fer_mobile.runtime.interpreter import load_interpreter

ROOT = Path(__file__).resolve().parents[2]
GRAY = ModelDescription("a name", "a text", "1", "an author", "a licence", 56, 1, False)


def metadata_of(model: bytes) -> bytes:
    from ai_edge_litert import schema_py_generated as schema

    graph = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(model, 0))
    buffers = [m.buffer for m in graph.metadata if m.name.decode() == BUFFER_NAME]
    assert len(buffers) == 1
    return bytes(graph.buffers[buffers[0]].data)


def text_at(table: flatbuffers.table.Table, slot: int) -> str:
    return table.String(table.Offset(4 + 2 * slot) + table.Pos).decode()


def root_of(data: bytes) -> flatbuffers.table.Table:
    assert flatbuffers.util.BufferHasIdentifier(data, 0, b"M001")
    position = flatbuffers.encode.Get(flatbuffers.packer.uoffset, data, 0)
    return flatbuffers.table.Table(data, position)


def test_the_metadata_holds_what_the_description_says():
    bare, _ = split(tflite_file("xcao_two_stream").read_bytes())
    root = root_of(metadata_of(add_metadata(bare, GRAY)))
    assert [text_at(root, slot) for slot in (0, 1, 2, 4, 5)] == [
        "a name",
        "a text",
        "1",
        "an author",
        "a licence",
    ]


def test_adding_metadata_changes_no_output_and_replaces_what_was_there():
    bare, _ = split(tflite_file("xcao_two_stream").read_bytes())
    once = add_metadata(bare, GRAY)
    again = add_metadata(once, GRAY)
    assert metadata_of(once) == metadata_of(again)
    image = golden_faces(56)[0].astype(np.int16) - 128
    outputs = []
    for model in (bare, once, again):
        interpreter = load_interpreter(model)
        index = interpreter.get_input_details()[0]["index"]
        interpreter.set_tensor(index, image.astype(np.int8)[None, ..., None])
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]).copy())
    assert (outputs[0] == outputs[1]).all()
    assert (outputs[0] == outputs[2]).all()


def test_a_zip_tool_lists_the_appended_files():
    with zipfile.ZipFile(tflite_file("xcao_two_stream")) as archive:
        assert archive.namelist() == ["labels.txt", "contract.json", "reference.json"]
        assert archive.read("labels.txt").decode().split() == list(LABELS)
        assert all(entry.compress_type == zipfile.ZIP_STORED for entry in archive.infolist())


@pytest.mark.prove
def test_mediapipe_tasks_reads_the_rgb_export(tmp_path):
    """MediaPipe's ImageClassifier, in an environment of its own: it brings another OpenCV."""
    models = [
        export(name, quantize=quantize, color="rgb", out=tmp_path).path
        for name in sorted(shipped_models())
        for quantize in ("none", "float16", "dynamic", "int8")
    ]
    home = tmp_path / "venv"
    venv.create(home, with_pip=True)
    runtime = ["ai-edge-litert==2.3.0", "pillow==13.0.0", "pydantic", "typer"]
    install = [home / "bin/pip", "install", "-q", "mediapipe==1.2.2", *runtime]
    subprocess.run(install, check=True)
    rows = ROOT / "benchmarks" / "results" / "mediapipe_client.jsonl"
    command = [home / "bin/python", "-m", "benchmarks.mediapipe_client", *models]
    subprocess.run(command, check=True, cwd=ROOT, env={"PYTHONPATH": str(ROOT)})
    found = [json.loads(line) for line in rows.read_text().splitlines()]
    assert [row["model"] for row in found] == [path.name for path in models]
    assert all(row["faces"] == len(golden_faces(56)) for row in found)
