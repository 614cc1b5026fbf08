"""The comparisons of studies 000 and 004: happy, neutral, sad and surprise at 48 px."""

from __future__ import annotations

from typing import Any, Final

from fer_mobile.studies.suite import Run, Suite, make_recipe
from fer_mobile.studies.suites.transfer import lite_runs, transfer_run

_ADAM: Final[dict[str, dict[str, Any]]] = {
    "data": {"protocol": "fer2013-4"},
    "training": {"epochs": 20, "batch_size": 32},
    "optimizer": {"name": "adam", "learning_rate": 1e-3, "schedule": "constant"},
    "augmentation": {"flip": 0.0},
}
_SGD: Final = _ADAM | {
    "optimizer": {
        "name": "sgd", "learning_rate": 0.05, "momentum": 0.0, "weight_decay": 0.0,
        "schedule": "constant",
    },
}  # fmt: skip
"""Study 000's optimizer."""


def _shares(train: float, valid: float, test: float) -> dict[str, float]:
    return {"train_accuracy": train, "valid_accuracy": valid, "accuracy": test}


def _own(
    name: str,
    row: str,
    architecture: str,
    printed: dict[str, float],
    defaults: Any = _ADAM,
    **options: int,
) -> Run:
    return Run(row, make_recipe(f"four-{name}", architecture, options, defaults), printed)


_SETUP: Final = {
    "data": "four classes of FER2013: 15,109 train, 4,977 valid, 128 test",
    "size": "48 px",
    "epochs": "not printed",
    "processor": "not printed",
}
_FINAL: Final = _own(
    "final-rgb", "004: final model (RGB)", "five_block_leaky",
    _shares(0.9243, 0.9356, 0.9331) | {"parameters": 4_146_820},
)  # fmt: skip
_VGG16: Final = transfer_run("four-vgg16-scratch", "VGG16, from scratch", "vgg16", None, _ADAM)


def _transfer(row: str, base: str, train: str, *figures: float) -> Run:
    name = f"four-{base.replace('_', '-')}-{train}"
    return transfer_run(name, row, base, train, _ADAM, _shares(*figures))


def _scratch(row: str, base: str, **options: Any) -> Run:
    start = options.get("start", "scratch")
    name = f"four-{base.replace('_', '-')}-{start}"
    return transfer_run(name, f"{row}, from scratch", base, None, _ADAM, **options)


SUITES: Final = (
    Suite(
        "four-class-cnn",
        "Networks of their own for four emotions",
        "studies 000 (figure 1, appendices) and 004 (six models)",
        _SETUP,
        ("parameters", "train_accuracy", "valid_accuracy", "accuracy", "loss"),
        (
            _own("five-block", "000: chosen CNN, gray", "five_block_cnn",
                 {"parameters": 4_146_244, "valid_accuracy": 0.72, "accuracy": 0.83, "loss": 0.68},
                 _SGD),
            _own("five-block-rgb", "000: chosen CNN, RGB", "five_block_cnn", {}, _SGD, channels=3),
            _own("simpler", "000: simpler CNN", "simpler_cnn", {"parameters": 605_924}, _SGD),
            _own("model-1", "004: model 1", "capstone_model_1", _shares(0.654, 0.661, 0.695)),
            _own("model-2", "004: model 2", "capstone_model_2", _shares(0.735, 0.694, 0.688)),
            _FINAL,
            _own("final-gray", "004: final model (gray)", "five_block_leaky", {}, channels=1),
            _transfer("004: vggmodel", "vgg16", "last", 0.538, 0.521, 0.51),
            _VGG16,
        ),
        "RGB is the gray face given thrice: the dataset has no colours.",
    ),
    Suite(
        "transfer-6",
        "Published networks for four emotions, frozen and unfrozen",
        "study 004, summary of new findings",
        _SETUP,
        ("parameters", "train_accuracy", "valid_accuracy", "accuracy"),
        (
            _transfer("Final layer of VGG16 + new FC", "vgg16", "last", 0.538, 0.52, 0.51),
            _transfer("Frozen VGG16 + new FC", "vgg16", "head", 0.6583, 0.6205, 0.6250),
            _transfer("UN-frozen VGG16 + new FC", "vgg16", "all", 0.6367, 0.7758, 0.7891),
            _VGG16,
            _transfer("Final layer of ResNet + new FC", "resnet101", "last", 0.306, 0.334, 0.305),
            _transfer("Frozen ResNet101 + new FC", "resnet101", "head", 0.4959, 0.3351, 0.4375),
            _transfer("UN-frozen ResNet101 + new FC", "resnet101", "all", 0.9240, 0.7655, 0.7969),
            _scratch("ResNet101", "resnet101"),
            _transfer("Final layer of EfficientNet + new FC", "efficientnet_b2", "last",
                      0.263, 0.244, 0.25),
            _transfer("Frozen EfficientNet B2 + new FC", "efficientnet_b2", "head",
                      0.2621, 0.2443, 0.25),
            _transfer("UN-frozen EfficientNet B2 + new FC", "efficientnet_b2", "all",
                      0.7742, 0.2489, 0.2812),
            _scratch("EfficientNet B2", "efficientnet_b2"),
            *lite_runs("four-efficientnet-lite0", _ADAM),
            _scratch("EfficientNet B2 with a Yilmaz-Poli head", "efficientnet_b2",
                     start="yilmaz-poli"),
            _scratch("Inception-ResNet v2 at 80 px", "inception_resnet_v2", size=80),
            _FINAL,
        ),
        "The study says both that the unfrozen networks went on from trained weights and that "
        "VGG16 and ResNet101 were best without them; each row has a neighbour from scratch.",
    ),
)  # fmt: skip
