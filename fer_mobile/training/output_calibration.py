"""Output calibration: a temperature for honest confidence, class priors for rare labels."""

from __future__ import annotations

from typing import Final

import numpy as np

from fer_mobile.contract import OutputCalibration
from fer_mobile.data import Dataset
from fer_mobile.metrics import score

_RANGE: Final = (0.2, 5.0)
"""Temperatures that are tried."""


def calibrated(
    probabilities: np.ndarray, calibration: OutputCalibration, names: tuple[str, ...]
) -> np.ndarray:
    """Probabilities float [N, C] as the model gives them once `calibration` is folded in."""
    offsets = np.array([calibration.offsets.get(name, 0.0) for name in names])
    logits = np.log(np.maximum(probabilities, 1e-12)) / calibration.temperature + offsets
    exponents = np.exp(logits - logits.max(1, keepdims=True))
    softmax: np.ndarray = (exponents / exponents.sum(1, keepdims=True)).astype(np.float32)
    return softmax


def prior_offsets(shares: np.ndarray, strength: float, names: tuple[str, ...]) -> dict[str, float]:
    """What logit adjustment adds: -strength · log(share of the training rows), of mean 0."""
    offsets = -strength * np.log(np.maximum(shares.astype(float), 1e-6))
    return dict(zip(names, np.round(offsets - offsets.mean(), 4).tolist(), strict=True))


def fit_temperature(
    probabilities: np.ndarray, labels: np.ndarray, names: tuple[str, ...], start: OutputCalibration
) -> OutputCalibration:
    """`start` with the temperature that makes labels int [N] likeliest (Guo et al., 2017)."""

    def loss(log_temperature: float) -> float:
        tried = start.model_copy(update={"temperature": float(np.exp(log_temperature))})
        right = calibrated(probabilities, tried, names)[np.arange(len(labels)), labels]
        return float(-np.log(np.maximum(right, 1e-12)).mean())

    low, high = np.log(_RANGE)
    ratio = (np.sqrt(5) - 1) / 2  # golden section: the loss has one minimum
    while high - low > 1e-3:
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if loss(left) < loss(right):
            high = right
        else:
            low = left
    return start.model_copy(update={"temperature": round(float(np.exp((low + high) / 2)), 3)})


def fit_output_calibration(
    probabilities: np.ndarray, valid: Dataset, offsets: dict[str, float] | None = None
) -> OutputCalibration:
    """The temperature for a dataset's probabilities float [N, C], and where it is from.

    Its origin states the calibration error that each half of the faces has with the temperature of
    the other half, which no fitting flatters.
    """
    start = OutputCalibration(offsets=offsets or {}, origin="")
    halves = cross_fitted(probabilities, valid.labels, valid.names, start)
    error = score(halves, valid.labels, valid.names).calibration_error
    origin = (
        f"temperature from {valid.protocol} {valid.split}, n={len(valid):,} "
        f"(from one half of it, the other half's calibration error is {error:.4f})"
    )
    fitted = fit_temperature(probabilities, valid.labels, valid.names, start)
    return fitted.model_copy(update={"origin": origin})


def cross_fitted(
    probabilities: np.ndarray, labels: np.ndarray, names: tuple[str, ...], start: OutputCalibration
) -> np.ndarray:
    """Each half of the faces with the temperature of the other: the honest measure of it."""
    crossed = np.empty(probabilities.shape, np.float32)
    halves = np.arange(len(labels)) % 2 == 0
    for half in (halves, ~halves):
        fitted = fit_temperature(probabilities[~half], labels[~half], names, start)
        crossed[half] = calibrated(probabilities[half], fitted, names)
    return crossed
