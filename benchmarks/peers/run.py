"""Packages that name the expression of faces, side by side: the same faces, the same photos.

    FER_MOBILE_DATA=... python -m benchmarks.peers.run [--environments DIR] [--only NAME ...]

Result: benchmarks/results/peers.jsonl and results/peers.md.

Each peer is installed into an environment of its own (in DIR, where it is kept, or in a
temporary folder) from the package registries, and works through its own interface with what
its package brings: no other host is asked for weights, and one that needs such says so in its
row.  All run on the same core, one after the other.

* faces: all of valid (ferplus-strict), 48×48 gray, given to the classifier without detection;
* photos: the 25 bundled ones, from file to labels, the median of three passes a photo;
* cold start: from the start of the process to the result for a first photo.

Times are the processor's (see job.py).

`fer-mobile` with its default model runs first and last; how its time a face changed in between
tells how steady the machine was.  Writes benchmarks/results/peers.jsonl and peers.md.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import tempfile
import time
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.result_files import RESULTS, write_rows
from fer_mobile.bench.method import pinned
from fer_mobile.bench.photos import load_photo_set
from fer_mobile.data import load_dataset
from fer_mobile.environment import describe_hardware
from fer_mobile.files import write_text
from fer_mobile.labels import FER2013
from fer_mobile.models import DEFAULT, shipped_models
from fer_mobile.resources import photos_dir

HERE = Path(__file__).resolve().parent
PROTOCOL: Final = "ferplus-strict"
SECONDS = 3600
"""The most that a peer may take."""


@dataclass(frozen=True)
class Peer:
    """A package, its worker, and its weights that this benchmark uses."""

    name: str
    worker: str
    install: tuple[str, ...]
    """What to install; the first is the peer itself."""
    weights: tuple[str, ...] = ()
    """Patterns below the packages' folder."""
    helpers: tuple[str, ...] = ()
    """Folders that only this benchmark needs, not counted as the peer's."""
    note: str = ""
    model: str = ""
    """Of several that the package brings."""

    @property
    def title(self) -> str:
        return f"{self.name} {self.model}".strip()

    @property
    def javascript(self) -> bool:
        return self.worker.endswith(".mjs")


OURS = tuple(
    Peer(
        "fer-mobile",
        "worker_fer_mobile.py",
        (str(HERE.parent.parent),),
        (
            f"fer_mobile/_models/{model}/{model}_int8.tflite",
            "fer_mobile/_models/yunet/face_detection_yunet.tflite",
        ),
        model=model,
    )
    for model in (DEFAULT, *(name for name in shipped_models() if name != DEFAULT))
)
WASM = ("@tensorflow/tfjs", "@tensorflow/tfjs-backend-wasm", "sharp")
WASM_NOTE = "WebAssembly: the faster tfjs-node fetches its library from another host"
PEERS = (
    *OURS,
    Peer(
        "fer",
        "worker_fer.py",
        ("fer", "setuptools<81"),
        ("fer/data/emotion_model_quantized.tflite", "fer/data/haarcascade_*.xml"),
        note="Haar cascade and the TFLite file, its defaults",
    ),
    Peer(
        "py-feat",
        "worker_py_feat.py",
        ("py-feat",),
        note="weights come from another host at first use",
    ),
    Peer(
        "mediapipe",
        "worker_mediapipe.py",
        ("mediapipe==0.10.21",),
        ("mediapipe/modules/face_detection/face_detection_full_range_sparse.tflite",),
        note="detector only, full range; later versions bring no weights",
    ),
    Peer(
        "@vladmandic/human",
        "worker_human.mjs",
        ("@vladmandic/human", *WASM),
        tuple(
            f"@vladmandic/human/models/{name}.bin" for name in ("blazeface", "facemesh", "emotion")
        ),
        ("sharp", "@img"),
        WASM_NOTE,
    ),
    Peer(
        "@vladmandic/face-api",
        "worker_face_api.mjs",
        ("@vladmandic/face-api", *WASM),
        tuple(
            f"@vladmandic/face-api/model/{name}_model.bin"
            for name in ("ssd_mobilenetv1", "face_expression")
        ),
        ("sharp", "@img"),
        WASM_NOTE,
    ),
)


def known_faces() -> dict[str, tuple[int, str]]:
    """Number of faces and, of a single one, the expression of each bundled photo."""
    with (photos_dir() / "manifest.csv").open(newline="", encoding="utf-8") as stream:
        return {r["file"]: (int(r["faces"]), r["expression"]) for r in csv.DictReader(stream)}


def environment(peer: Peer, folder: Path) -> Path:
    """The folder of the peer's environment, made and filled if need be."""
    home = folder / peer.worker.partition(".")[0].removeprefix("worker_")
    # Ours may have changed: it is installed anew, by the first that needs it.
    if (home / "ready").is_file() and peer is not OURS[0]:
        return home
    if peer.javascript:
        home.mkdir(parents=True, exist_ok=True)
        write_text(home / "package.json", "{}")
        subprocess.run(["npm", "install", "--silent", *peer.install], cwd=home, check=True)
    else:
        venv.create(home, with_pip=True, clear=True)
        python: list[str | Path] = [home / "bin" / "python", "-m", "pip"]
        pip = [*python, "install", "--quiet", *peer.install]
        subprocess.run(pip, check=True)
    (home / "ready").touch()
    return home


def packages(peer: Peer, home: Path) -> Path:
    """Where the environment keeps its packages."""
    return home / "node_modules" if peer.javascript else next(home.glob("lib/*/site-packages"))


def size(folder: Path, without: tuple[str, ...] = ()) -> int:
    """Bytes of all files below."""
    left_out = [folder / name for name in without]
    return sum(
        path.lstat().st_size
        for path in folder.rglob("*")
        if path.is_file() and not any(path.is_relative_to(other) for other in left_out)
    )


def version(peer: Peer, home: Path) -> str:
    """Of the peer itself."""
    if peer.javascript:
        manifest = packages(peer, home) / peer.name / "package.json"
        return str(json.loads(manifest.read_text(encoding="utf-8"))["version"])
    code = f"from importlib.metadata import version; print(version({peer.name!r}))"
    done = subprocess.run([home / "bin" / "python", "-c", code], capture_output=True, check=True)
    return done.stdout.decode().strip()


def run(peer: Peer, home: Path, job: dict[str, Any], folder: Path) -> dict[str, Any] | str:
    """The worker's result, or the last error that it printed."""
    file = folder / "answer.json"
    file.unlink(missing_ok=True)
    script = folder / "job.json"
    # The clock as text: its 63 bits are more than JavaScript's numbers hold.
    task = job | {"answer": str(file), "started": str(time.monotonic_ns())}
    write_text(script, json.dumps(task))
    program = "node" if peer.javascript else str(home / "bin" / "python")
    done = subprocess.run(
        [program, str(HERE / peer.worker), str(script)],
        cwd=home,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        env=os.environ | {"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"},
        check=False,
    )
    if file.is_file():
        result: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return result
    printed = done.stderr.replace(str(home), "").splitlines()
    errors = [line.strip() for line in printed if "Error" in line.partition(":")[0]]
    return errors[-1].partition(". ")[0] if errors else f"exit code {done.returncode}"


def scores(predicted: list[str], truth: list[str], names: tuple[str, ...]) -> dict[str, float]:
    """Accuracy over all faces and mean recall of the labels `names`, in percent."""
    pairs = list(zip(truth, predicted, strict=True))
    recalls = [np.mean([label == name for name, label in pairs if name == each]) for each in names]
    return {
        "accuracy": round(float(np.mean([a == b for a, b in pairs])), 4),
        "balanced_accuracy": round(float(np.mean(recalls)), 4),
        "balanced_accuracy_7": round(
            float(np.mean([r for r, each in zip(recalls, names, strict=True) if each in FER2013])),
            4,
        ),
    }


def figures(
    result: dict[str, Any], truth: list[str], names: tuple[str, ...], known: list[tuple[int, str]]
) -> dict[str, Any]:
    """What the table shows of a result; `known` has each photo's faces and its expression."""
    faces, photos = result["face_ms"], result["photo_ms"]
    pairs = list(zip(result["photos"], known, strict=True))
    row: dict[str, Any] = {
        "photos": len(photos),
        "photo_ms_mean": round(float(np.mean(photos)), 2),
        "photo_ms_p90": round(float(np.percentile(photos, 90)), 2),
        "faces_known": sum(count for count, _ in known),
        "faces_found": sum(min(len(labels), count) for labels, (count, _) in pairs),
        "false_faces": sum(max(0, len(labels) - count) for labels, (count, _) in pairs),
        "cold_start_ms": round(result["cold_start"]["cpu_ms"]),
        "cold_start_wall_ms": round(result["cold_start"]["wall_ms"]),
    }
    if faces:
        right = [found == [label] for found, (_, label) in pairs if label]
        row |= {
            "protocol": PROTOCOL,
            "split": "valid",
            "n": len(truth),
            **scores(result["labels"], truth, names),
            "face_ms_median": round(float(np.median(faces)), 3),
            "photos_labelled": len(right),
            "photos_right": sum(right),
        }
    return row


def measure(names: list[str], folder: Path) -> list[dict[str, Any]]:
    """A row for every peer."""
    data = load_dataset(None, protocol=PROTOCOL, split="valid")
    truth = [data.names[label] for label in data.labels]
    photos = load_photo_set("affective-25").paths
    by_name = known_faces()
    known = [by_name[path.name] for path in photos]
    single = next(path for path, (count, _) in zip(photos, known, strict=True) if count == 1)
    rows = []
    with tempfile.TemporaryDirectory() as work, pinned(1):
        faces, one_face = Path(work) / "faces.bin", Path(work) / "face.bin"
        images = np.asarray(data.images)
        images.tofile(faces)
        images[:1].tofile(one_face)
        job = {
            "faces": str(faces),
            "side": data.images.shape[1],
            "photos": list(map(str, photos)),
            "first_photo": str(single),
        }
        chosen = [peer for peer in PEERS if peer.title in names]
        homes = {peer.title: environment(peer, folder) for peer in chosen}
        for peer in chosen:
            home = homes[peer.title]
            little = {"photos": [], "faces": str(one_face)}
            own = job | {"model": peer.model}
            run(peer, home, own | little, Path(work))  # its files are in memory from here on
            result = run(peer, home, own, Path(work))
            row: dict[str, Any] = {
                "peer": peer.title,
                "version": version(peer, home),
                "note": peer.note,
                "install_bytes": size(packages(peer, home), peer.helpers),
            }
            if isinstance(result, str):
                row["reason"] = result
            else:
                weights = [f for p in peer.weights for f in packages(peer, home).glob(p)]
                row |= {"weight_bytes": sum(f.stat().st_size for f in weights)}
                row |= figures(result, truth, data.names, known)
            rows.append(row)
            print(json.dumps(row), flush=True)
        if OURS[0] in chosen:
            own = job | {"model": OURS[0].model}
            again = run(OURS[0], homes[OURS[0].title], own, Path(work))
            if not isinstance(again, str):
                rows[0]["face_ms_median_at_the_end"] = round(float(np.median(again["face_ms"])), 3)
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as Markdown."""
    heads = (
        "package", "accuracy", "balanced", "balanced, 7 labels", "ms a face", "ms a photo (p90)",
        "faces found", "false", "photos right", "weights, MB", "install, MB", "cold start, s",
    )  # fmt: skip
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for row in rows:
        lines.append("| " + " | ".join(_cells(row)) + " |")
    n = next((row["n"] for row in rows if "n" in row), 0)
    notes = [f"* {r['peer']}: {_remark(r)}." for r in rows if r["note"]]
    return "\n".join(
        [
            f"Made by `benchmarks/peers/run.py`. Accuracy on {PROTOCOL} valid ({n:,} faces, given",
            "without detection); photos: the 25 bundled ones. Processor time on one core of an",
            f"{describe_hardware()['cpu']}, the same for all.",
            "",
            *lines,
            "",
            *notes,
            "* 7 labels: without contempt, which the other packages do not know and which is 0% in",
            "  their balanced accuracy of 8.",
            "* Which faces the other networks were trained on is not known; mini-XCEPTION, which",
            "  fer and human carry, was trained on FER2013 and may have seen these.",
            "",
        ]
    )


def _remark(row: dict[str, Any]) -> str:
    return f"{row['note']} (`{row['reason']}`)" if "reason" in row else str(row["note"])


def _cells(row: dict[str, Any]) -> list[str]:
    def cell(key: str, form: str, factor: float = 1) -> str:
        return format(row[key] * factor, form) if key in row else "–"

    both = "photos_right" in row
    return [
        f"{row['peer']} {row['version']}",
        cell("accuracy", ".1%"),
        cell("balanced_accuracy", ".1%"),
        cell("balanced_accuracy_7", ".1%"),
        cell("face_ms_median", ".2f"),
        f"{cell('photo_ms_mean', '.0f')} ({cell('photo_ms_p90', '.0f')})",
        f"{row['faces_found']} of {row['faces_known']}" if "faces_found" in row else "–",
        cell("false_faces", "d"),
        f"{row['photos_right']} of {row['photos_labelled']}" if both else "–",
        cell("weight_bytes", ".2f", 1e-6),
        cell("install_bytes", ",.0f", 1e-6),
        cell("cold_start_ms", ".1f", 1e-3),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--environments", type=Path, help="keep the environments here")
    names = [peer.title for peer in PEERS]
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (arguments.environments or Path(temporary)).resolve()
        rows = measure(arguments.only, folder)
    if arguments.only == names:
        write_rows("peers", rows)
        write_text(RESULTS / "peers.md", table(rows))


if __name__ == "__main__":
    main()
