"""A model file: a TFLite model with its contract behind it, and the same text as ``.json``.

A zip archive appended to the model holds ``labels.txt``, ``contract.json`` and, where there are
reference outputs, ``reference.json``; TFLite readers ignore what follows the model.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fer_mobile.contract import FORMAT, ModelContract, parse_contract, printable
from fer_mobile.errors import InputError, ModelError
from fer_mobile.files import check_output, open_regular, replacing

CONTRACT_NAME: Final = "contract.json"
LABELS_NAME: Final = "labels.txt"
REFERENCE_NAME: Final = "reference.json"
"""Reference outputs: for each label, its probability for every reference face."""
TFLITE_IDENTIFIER: Final = b"TFL3"
"""Bytes 4 to 7 of every TFLite file."""
_LARGEST_CONTRACT: Final = 1_000_000
"""Bytes; a longer one is not ours and is not read."""
_DESCRIPTION_START: Final = b"Probabilities of "
_DESCRIPTION: Final = re.compile(
    re.escape(_DESCRIPTION_START) + rb"([^\0]{1,10000}?) for one face", re.DOTALL
)
"""What `describe_labels` writes, in the bytes of a model."""


def attach(model: bytes, contract: ModelContract) -> bytes:
    """Append the archive with labels, contract and reference outputs to a bare TFLite model.

    The archive is stored uncompressed and has fixed dates, so equal inputs give equal files.
    """
    out = io.BytesIO(model)
    out.seek(0, io.SEEK_END)
    members = {LABELS_NAME: "\n".join(contract.labels) + "\n", CONTRACT_NAME: contract.to_json()}
    if contract.reference:
        members[REFERENCE_NAME] = json.dumps(contract.reference, ensure_ascii=False) + "\n"
    with zipfile.ZipFile(out, "a", zipfile.ZIP_STORED) as archive:
        for name, text in members.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return out.getvalue()


def contract_file(model: Path) -> Path:
    """Where the contract of a model file lies as text: x.tflite → x.json, x.onnx → x.onnx.json."""
    return model.with_suffix(".json") if model.suffix == ".tflite" else Path(f"{model}.json")


def model_checksum(model: bytes) -> str:
    """SHA-256 of a bare model, hex, as the contract records it."""
    return hashlib.sha256(model).hexdigest()


def split(
    content: bytes, name: object = "the model", *, check: bool = True
) -> tuple[bytes, ModelContract]:
    """The bare model and the contract of a ``.tflite`` file's content.

    Raises ModelError when there is no contract, it is of a newer format, malformed, names other
    labels than the rest of the file, or (unless `check` is off) its checksum is not that of the
    model.
    """
    archive = open_archive(content, name)
    bare, contract = archive.model, parse_contract(archive.contract, name, archive.reference)
    _check_labels(archive, contract, name)
    checksum = model_checksum(bare)
    if check and checksum != contract.model_sha256:
        raise ModelError(
            name,
            expected=f"a model with the checksum {contract.model_sha256[:12]}… of its contract",
            found=f"{checksum[:12]}…",
            hint="The file was changed or damaged: export it again.",
        )
    return bare, contract


def read_model(path: Path) -> bytes:
    """The content of a ``.tflite`` file; ModelError where it cannot be read."""
    try:
        with open_regular(path) as file:
            return file.read()
    except OSError as error:
        raise ModelError(path, expected="a .tflite file", found=error.strerror or "none") from error


def write_model(path: Path, content: bytes, contract_json: bytes) -> None:
    """Write a model file, and the contract as ``.json`` beside it: both, or neither.

    Raises InputError where either cannot be written, or another ``.json`` than a contract has its
    name; what was there before is then still there.
    """
    beside = contract_file(path)
    for output in (path, beside):
        check_output(output)
    if beside.is_file() and not _begins_as_contract(beside):
        raise InputError(
            beside,
            expected="no file, or an earlier contract, where the contract goes",
            found="a file of something else",
            hint="Move it, or write the model to another place.",
        )
    with replacing(beside) as text, replacing(path) as model:
        text.write_bytes(contract_json)
        model.write_bytes(content)


def _begins_as_contract(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return FORMAT.encode() in file.read(1000)
    except OSError:
        return False


def read_contract(path: Path) -> ModelContract:
    """The contract embedded in a ``.tflite`` file; ModelError as for `split`."""
    return split(read_model(path), path)[1]


def check_tflite(content: bytes, name: object) -> None:
    """Raise ModelError unless a content begins as a TFLite model does."""
    if content[4:8] != TFLITE_IDENTIFIER:
        found = "something else" if content else "an empty file"
        raise ModelError(name, expected="a TensorFlow Lite model", found=found)


def has_contract(content: bytes) -> bool:
    """Whether a ``.tflite`` file has a contract, readable or not."""
    try:
        open_archive(content)
    except ModelError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Archive:
    """What a ``.tflite`` file with a contract consists of, unchecked."""

    model: bytes
    """The bare model."""
    contract: str
    labels: str | None
    """The content of labels.txt, by which other tools name the outputs."""
    reference: str | None
    """The content of reference.json."""


def open_archive(content: bytes, name: object = "the model") -> Archive:
    """The parts of a file; ModelError where it is no TFLite model or there is no contract."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            if len(set(names)) != len(names):  # readers differ in which they take
                raise zipfile.BadZipFile("the same name twice")
            text = _read_entry(archive, CONTRACT_NAME)
            labels, reference = (
                _read_entry(archive, member) if member in names else None
                for member in (LABELS_NAME, REFERENCE_NAME)
            )
            end = min(info.header_offset for info in archive.infolist())
    # What zipfile raises for damage: RuntimeError for encryption, the rest for wrong offsets.
    except (zipfile.BadZipFile, KeyError, ValueError, RuntimeError, EOFError, OSError) as error:
        check_tflite(content, name)
        raise ModelError(
            name,
            expected="a model with an embedded contract",
            found="none in it",
            hint="If this toolkit exported it, it is cut off: copy it again. To any other model, "
            "attach a contract.",
        ) from error
    return Archive(content[:end], text, labels, reference)


def _read_entry(archive: zipfile.ZipFile, name: str) -> str:
    entry = archive.getinfo(name)
    if entry.file_size > _LARGEST_CONTRACT:
        raise KeyError(name)
    if entry.compress_type != zipfile.ZIP_STORED:
        raise zipfile.BadZipFile("compressed")
    return archive.read(entry).decode("utf-8")


def describe_labels(labels: Sequence[str]) -> str:
    """The line about the output in the metadata of a model, which its checksum covers."""
    return f"Probabilities of {', '.join(labels)} for one face"


def _check_labels(archive: Archive, contract: ModelContract, name: object) -> None:
    """Refuse a contract whose labels are not those that the rest of the file names.

    Whoever changes them everywhere is not found out by this: only a signature could.
    """
    stated = ", ".join(contract.labels)
    if archive.labels is not None and archive.labels.splitlines() != list(contract.labels):
        others = printable(", ".join(archive.labels.splitlines()))
        raise ModelError(
            name, expected=f"the contract's labels ({stated})", found=f"{others} in {LABELS_NAME}"
        )
    start = archive.model.find(_DESCRIPTION_START)
    line = _DESCRIPTION.match(archive.model, start) if start >= 0 else None
    if line and line[0] != describe_labels(contract.labels).encode():
        raise ModelError(
            name,
            expected=f"the contract's labels ({stated})",
            found=printable(line[1].decode("utf-8", "replace")) + " in the model's metadata",
        )
