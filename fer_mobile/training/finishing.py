"""What completes a run folder once the training is done.

An int8 export needs activation ranges, which only the converter can observe.  The converter
stands above the training, so it registers here what is to be done (`Registry` imports it when
somebody looks): every way to train, from Python or the command line, leaves the same files.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from fer_mobile.data import Dataset
from fer_mobile.registry import Registry

FinishingStep = Callable[[Path, Dataset, Callable[[str], None]], None]
"""Gets the run folder, the training rows and what takes lines for whoever watches."""

FINISHING_STEPS: Final = Registry[FinishingStep](
    "finishing step", "fer_mobile.convert.training_ranges"
)
"""Every step by name."""
