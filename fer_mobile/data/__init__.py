"""Datasets of faces: layouts, protocols and splits, all as one `Dataset`."""

from __future__ import annotations

from fer_mobile.data.dataset import SPLITS, Dataset, DataWarning, Skipped
from fer_mobile.data.loading import data_path, load_dataset
from fer_mobile.data.protocols import OWN, PROTOCOLS, as_protocol

__all__ = [
    "OWN",
    "PROTOCOLS",
    "SPLITS",
    "DataWarning",
    "Dataset",
    "Skipped",
    "as_protocol",
    "data_path",
    "load_dataset",
]
