"""The eleven models of study 002: four classes at 48 px, tested on 128 faces.

Batches of 32, early stopping and a decaying rate are its; their numbers are our reading.
"""

from __future__ import annotations

from typing import Any, Final

from fer_mobile.studies.suite import Run, Suite, make_recipe
from fer_mobile.studies.suites.transfer import lite_runs, transfer_run

_DEFAULTS: Final[dict[str, dict[str, Any]]] = {
    "data": {"protocol": "fer2013-4"},
    "training": {"epochs": 30, "batch_size": 32, "patience": 5},
    "optimizer": {
        "name": "adam", "learning_rate": 1e-3, "schedule": "exponential", "decay": 0.95,
    },
    "augmentation": {"flip": 0.0},
}  # fmt: skip


def _printed(*figures: float) -> dict[str, float]:
    return dict(zip(("precision", "recall", "f1", "accuracy"), figures, strict=True))


def _own(
    row: str, architecture: str, figures: dict[str, float], sampling: str = "all", **options: int
) -> Run:
    recipe = make_recipe(
        f"emotion-{row.replace('_', '-')}",
        architecture,
        options,
        _DEFAULTS,
        data={"sampling": sampling},
    )
    return Run(row, recipe, figures)


def _transfer(
    row: str, base: str, train: str | None, figures: dict[str, float] | None = None
) -> Run:
    return transfer_run(f"emotion-{row.replace('_', '-')}", row, base, train, _DEFAULTS, figures)


SUITES: Final = (
    Suite(
        "emotion-11",
        "Eleven models for four emotions",
        "study 002, metrics for selected models",
        {
            "data": "four classes: 15,109 train, 4,977 valid, 128 test",
            "size": "48 px",
            "epochs": "not printed; early stopping",
            "processor": "not printed",
        },
        ("parameters", "precision", "recall", "f1", "accuracy"),
        (
            _own("simple_cnn_grayscale", "simple_cnn",
                 _printed(0.433609, 0.468750, 0.443772, 0.468750)),
            _own("simple_cnn_rgb", "simple_cnn",
                 _printed(0.543023, 0.539062, 0.519088, 0.539062), channels=3),
            _own("simple_cnn_rgb_2x2", "simple_cnn", {}, channels=3, kernel=2),
            _own("simple_cnn_rgb_2x2_under", "simple_cnn",
                 _printed(0.470770, 0.484375, 0.415837, 0.484375), "under", channels=3, kernel=2),
            _own("simple_cnn_rgb_2x2_over", "simple_cnn",
                 _printed(0.581464, 0.585938, 0.580455, 0.585938), "over", channels=3, kernel=2),
            _own("larger_cnn_rgb", "larger_cnn",
                 _printed(0.523568, 0.531250, 0.503369, 0.531250)),
            _transfer("vgg16_tl", "vgg16", "head",
                      _printed(0.347253, 0.304688, 0.298498, 0.304688)),
            _transfer("vgg16_tl_trainable", "vgg16", "all",
                      _printed(0.634939, 0.609375, 0.601130, 0.609375)),
            _transfer("vgg16_scratch", "vgg16", None),
            _transfer("resnetV2_tl", "resnet50_v2", "head",
                      _printed(0.312992, 0.257812, 0.115780, 0.257812)),
            _transfer("resnetV2_tl_trainable", "resnet50_v2", "all",
                      _printed(0.127091, 0.203125, 0.129640, 0.203125)),
            _transfer("resnetV2_scratch", "resnet50_v2", None),
            _transfer("efficientnet_tl", "efficientnet_b0", "head",
                      _printed(0.063492, 0.0, 0.101266, 0.25)),
            _transfer("efficientnet_scratch", "efficientnet_b0", None),
            *lite_runs("emotion-efficientnet-lite0", _DEFAULTS),
            _own("resnet_like", "resnet_like",
                 _printed(0.689200, 0.679688, 0.673484, 0.679688)),
        ),
        "RGB is the gray face given thrice: the dataset has no colours. The source does not say "
        "which ResNetV2 and EfficientNet: ResNet50V2 and B0 here. "
        "simple_cnn_rgb_2x2 shows the kernel without another sampling.",
    ),
)  # fmt: skip
