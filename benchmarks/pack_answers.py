"""Packs what teachers said of a run's views, so that its recipe needs them no more.

    FER_MOBILE_DATA=... python -m benchmarks.pack_answers RUN FILE.npz

The recipe then says `answers = "FILE.npz"` under [distillation].
"""

from __future__ import annotations

import argparse
from pathlib import Path

from fer_mobile.checkpoint import load_checkpoint
from fer_mobile.training.answers import pack_answers
from fer_mobile.training.recipe import Recipe
from fer_mobile.training.split import training_rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("file", type=Path)
    arguments = parser.parse_args()
    recipe = Recipe.model_validate_json((arguments.run / "recipe.json").read_bytes())
    size = int(load_checkpoint(arguments.run).model.input_shape[1])
    learn, _ = training_rows(recipe)
    pack_answers(arguments.run, recipe, learn, size, arguments.file)
    print(f"{arguments.file}: {arguments.file.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
