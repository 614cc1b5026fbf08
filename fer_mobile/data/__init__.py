"""Datasets of faces: sources, protocols and splits, all as one `Dataset`."""

from __future__ import annotations

from fer_mobile.data.dataset import SPLITS, Dataset
from fer_mobile.data.protocols import PROTOCOLS
from fer_mobile.data.sources import data_path, load_dataset

__all__ = ["PROTOCOLS", "SPLITS", "Dataset", "data_path", "load_dataset"]
