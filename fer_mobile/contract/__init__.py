"""The contract: all that a consumer needs to use a model file properly.

`model_file` says where it lies.  A consumer that meets a newer format, a requirement it does
not know, no contract or a contradiction says which and stops.  Every text and number has
limits, because a contract may come from anywhere.  docs/contract.schema.json is its schema.
"""

from __future__ import annotations

from fer_mobile.contract.model import (
    FORMAT,
    FORMAT_VERSION,
    LEVELLING,
    PRECISIONS,
    Accelerator,
    Crop,
    Figures,
    LabelFacts,
    Levelling,
    Metric,
    ModelContract,
    Objective,
    OutputCalibration,
    OutputValues,
    Precision,
    Preprocessing,
    Tensor,
    requirements,
)
from fer_mobile.contract.parsing import LARGEST_SIDE, malformed, parse_contract
from fer_mobile.contract.provenance import (
    UNKNOWN,
    UNTRAINED,
    DatasetFacts,
    InitialWeights,
    Provenance,
    Teacher,
)
from fer_mobile.contract.tensors import check_tensor, describe_tensor
from fer_mobile.contract.text import printable

__all__ = [
    "FORMAT",
    "FORMAT_VERSION",
    "LARGEST_SIDE",
    "LEVELLING",
    "PRECISIONS",
    "UNKNOWN",
    "UNTRAINED",
    "Accelerator",
    "Crop",
    "DatasetFacts",
    "Figures",
    "InitialWeights",
    "LabelFacts",
    "Levelling",
    "Metric",
    "ModelContract",
    "Objective",
    "OutputCalibration",
    "OutputValues",
    "Precision",
    "Preprocessing",
    "Provenance",
    "Teacher",
    "Tensor",
    "check_tensor",
    "describe_tensor",
    "malformed",
    "parse_contract",
    "printable",
    "requirements",
]
