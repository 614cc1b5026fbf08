"""fer-mobile: train, export, verify and run small facial-expression models.

    pipeline = fer_mobile.load_pipeline()
    result = pipeline("photo.jpg")

Photos: `load_pipeline` makes a `Pipeline`, which gives a `PhotoResult` with a `Face` for every
face of a photo; `classify_faces` takes faces that are cut out already; `scan_library` reads a
folder of photos.

Models: `train`, `export` and `verify` make files for phones; `load_dataset` reads faces and
`evaluate` measures a model on them; `list_models` names what there is.  `to_pandas` makes data
frames of results.

Errors: all are `FerMobileError`s; those of the caller are `InputError`s.

Nothing is imported before it is used.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Final

from fer_mobile._deprecated import OldModules
from fer_mobile._version import __version__

if TYPE_CHECKING:
    from fer_mobile.convert import Exported as Exported
    from fer_mobile.convert import ExportOptions as ExportOptions
    from fer_mobile.convert import Verification as Verification
    from fer_mobile.convert import export as export
    from fer_mobile.convert import verify as verify
    from fer_mobile.data import Dataset as Dataset
    from fer_mobile.data import load_dataset as load_dataset
    from fer_mobile.detect import load_detector as load_detector
    from fer_mobile.detect.boxes import PrecomputedBoxes as PrecomputedBoxes
    from fer_mobile.errors import DataError as DataError
    from fer_mobile.errors import FerMobileError as FerMobileError
    from fer_mobile.errors import InputError as InputError
    from fer_mobile.errors import MissingPackageError as MissingPackageError
    from fer_mobile.errors import ModelError as ModelError
    from fer_mobile.errors import PhotoError as PhotoError
    from fer_mobile.errors import RecipeError as RecipeError
    from fer_mobile.errors import UnsupportedLayerError as UnsupportedLayerError
    from fer_mobile.evaluation import Evaluation as Evaluation
    from fer_mobile.evaluation import evaluate as evaluate
    from fer_mobile.gallery.options import ScanOptions as ScanOptions
    from fer_mobile.gallery.scan import LibraryScan as LibraryScan
    from fer_mobile.gallery.scan import scan_library as scan_library
    from fer_mobile.models import list_models as list_models
    from fer_mobile.pipeline import Pipeline as Pipeline
    from fer_mobile.pipeline import load_pipeline as load_pipeline
    from fer_mobile.predictor import Predictions as Predictions
    from fer_mobile.predictor import Predictor as Predictor
    from fer_mobile.predictor import classify_faces as classify_faces
    from fer_mobile.predictor import load_predictor as load_predictor
    from fer_mobile.tables import to_pandas as to_pandas
    from fer_mobile.training import Recipe as Recipe
    from fer_mobile.training import TrainingResult as TrainingResult
    from fer_mobile.training import load_recipe as load_recipe
    from fer_mobile.training import train as train
    from fer_mobile.types import Box as Box
    from fer_mobile.types import Face as Face
    from fer_mobile.types import PhotoResult as PhotoResult

_MODULE: Final = {
    "Box": "types",
    "DataError": "errors",
    "Dataset": "data",
    "Evaluation": "evaluation",
    "ExportOptions": "convert",
    "Exported": "convert",
    "Face": "types",
    "FerMobileError": "errors",
    "InputError": "errors",
    "LibraryScan": "gallery.scan",
    "MissingPackageError": "errors",
    "ModelError": "errors",
    "PhotoError": "errors",
    "PhotoResult": "types",
    "Pipeline": "pipeline",
    "PrecomputedBoxes": "detect.boxes",
    "Predictions": "predictor",
    "Predictor": "predictor",
    "Recipe": "training",
    "RecipeError": "errors",
    "ScanOptions": "gallery.options",
    "TrainingResult": "training",
    "UnsupportedLayerError": "errors",
    "Verification": "convert",
    "classify_faces": "predictor",
    "evaluate": "evaluation",
    "export": "convert",
    "list_models": "models",
    "load_dataset": "data",
    "load_detector": "detect",
    "load_pipeline": "pipeline",
    "load_predictor": "predictor",
    "load_recipe": "training",
    "scan_library": "gallery.scan",
    "to_pandas": "tables",
    "train": "training",
    "verify": "convert",
}
"""The module that each public name is imported from when it is first used."""

__all__ = ["__version__", *_MODULE]

sys.meta_path.append(OldModules())


def __getattr__(name: str) -> object:
    if name not in _MODULE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULE[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
