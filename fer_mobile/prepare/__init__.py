"""Your own data made ready for training: faces cut out of photos, and a look at a dataset."""

from __future__ import annotations

from fer_mobile.prepare.crop import CropReport, crop_faces
from fer_mobile.prepare.inspection import Inspection, inspect_dataset

__all__ = ["CropReport", "Inspection", "crop_faces", "inspect_dataset"]
