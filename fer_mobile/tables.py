"""Results as data frames, for pandas (extra `tables`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from fer_mobile.errors import MissingPackageError
from fer_mobile.evaluation import Evaluation
from fer_mobile.predictor import Predictions
from fer_mobile.types import Face, PhotoResult

if TYPE_CHECKING:
    import pandas


def to_pandas(
    results: PhotoResult | Iterable[PhotoResult] | Predictions | Evaluation,
) -> pandas.DataFrame:
    """A data frame of results.

    Args:
        results: photos, of which every face is a row with its box in pixels and its
            probabilities 0 to 1 (a photo without a face is one row without them);
            `Predictions`, a row for each face; or an `Evaluation`, a row for each label.

    Raises MissingPackageError where pandas is not installed.
    """
    try:
        import pandas
    except ImportError as error:
        raise MissingPackageError("to_pandas", package="pandas", extra="tables") from error
    if isinstance(results, Predictions):
        frame = pandas.DataFrame(results.as_dicts(), columns=list(results.labels))
        return frame.assign(label=results.best, confidence=results.confidences)
    if isinstance(results, Evaluation):
        scores = results.scores
        columns = {"faces": scores.counts, "recall": scores.recall, "precision": scores.precision}
        return pandas.DataFrame(columns).rename_axis("label")
    photos = [results] if isinstance(results, PhotoResult) else results
    return pandas.DataFrame([row for photo in photos for row in _rows(photo)])


def _rows(photo: PhotoResult) -> list[Mapping[str, object]]:
    head = {"path": photo.path, "photo_label": photo.label, "error": photo.error}
    if not photo.faces:
        return [head]
    return [head | _face(number, face) for number, face in enumerate(photo.faces)]


def _face(number: int, face: Face) -> dict[str, object]:
    return {
        "face": number,
        "label": face.label,
        "confidence": face.confidence,
        **face.box._asdict(),
        "score": face.score,
        "quality": face.quality,
        **{f"p_{name}": share for name, share in face.probabilities.items()},
    }
