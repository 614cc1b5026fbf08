"""Packs mosaics of unlabelled faces into the one file that `distillation.unlabelled` names.

A folder holds the mosaics, `index.csv` (mosaic, tile, ...; 64 tiles of 64 px a row), and in
`densenet.npz` the predictions of another network for its faces in the order of the index: logits
of FER2013's seven labels, and probabilities of FER+'s eight.
Faces on which shipped models are unsure are packed twice, to be drawn twice as often.  The file
is for training alone: its pictures are not ours to give away.

    python -m tools.unlabelled_faces FOLDER OUT.npz --without fmem utk1
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fer_mobile.checkpoint import load_checkpoint
from fer_mobile.labels import FER2013, LABELS_7
from fer_mobile.predictor import predict_faces
from fer_mobile.preprocess import resize

TILE: Final = 64
"""Side of a tile in px, and tiles in a row of a mosaic."""

SIDE: Final = 48
"""Side of the packed faces in px: that of FER2013."""

UNSURE_BELOW: Final = 0.7
"""Top probability of the models' mean under which a face is packed twice."""


def read_mosaics(
    folder: Path, without: Sequence[str]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Faces uint8 [N, SIDE, SIDE] of the sets that are wanted, and their rows in the index."""
    with (folder / "index.csv").open(encoding="utf-8", newline="") as file:
        index = [(row["mosaic"], int(row["tile"])) for row in csv.DictReader(file)]
    wanted = [i for i, (mosaic, _) in enumerate(index) if mosaic.split("_")[0] not in without]
    return np.stack(list(_faces(folder, [index[i] for i in wanted]))), np.array(wanted)


def _faces(folder: Path, tiles: Sequence[tuple[str, int]]) -> Iterator[NDArray[np.uint8]]:
    name, pixels = "", np.empty((0, 0), np.uint8)
    for mosaic, tile in tiles:
        if mosaic != name:
            name, pixels = mosaic, np.asarray(Image.open(folder / mosaic).convert("L"))
        top, left = TILE * (tile // TILE), TILE * (tile % TILE)
        yield resize(pixels[top : top + TILE, left : left + TILE], SIDE)


def of_fer2013(logits: NDArray[np.float16]) -> NDArray[np.float16]:
    """Probabilities [N, 7] in the order of `LABELS_7`, of logits in FER2013's."""
    chances = np.exp(logits.astype(np.float32) - logits.max(1, keepdims=True))
    chances /= chances.sum(1, keepdims=True)
    ordered: NDArray[np.float16] = chances[:, [FER2013.index(label) for label in LABELS_7]].astype(
        np.float16
    )
    return ordered


def main() -> None:
    """Pack one file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument(
        "--protocol", choices=("ferplus", "fer2013"), default="ferplus", help="of the targets"
    )
    parser.add_argument("--without", nargs="*", default=(), help="sets to leave out")
    parser.add_argument("--models", nargs="*", default=("compact", "xcao_two_stream"))
    options = parser.parse_args()
    images, rows = read_mosaics(options.folder, options.without)
    with np.load(options.folder / "densenet.npz") as content:
        if options.protocol == "fer2013":
            targets = of_fer2013(content["logits"][rows])
        else:
            targets = content["probabilities"][rows]
    models = [load_checkpoint(name).model for name in options.models]
    mean = np.mean([predict_faces(model, images) for model in models], axis=0)
    unsure = np.flatnonzero(mean.max(1) < UNSURE_BELOW)
    packed = np.concatenate([np.arange(len(images)), unsure])
    np.savez_compressed(options.out, images=images[packed], targets=targets[packed])
    print(f"{len(images):,} faces, {len(unsure):,} of them twice: {options.out}")


if __name__ == "__main__":
    main()
