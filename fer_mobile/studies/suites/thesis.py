"""The comparisons of the thesis (003): tables 3 to 7 and figure 26.

Its settings are Keras's defaults of Adam and 10 epochs, on faces divided by 255 and not
augmented (sections 3.2.1 and 3.3).  The batch size is not printed: Keras's default, 32.
"""

from __future__ import annotations

from typing import Any, Final

from fer_mobile.studies.suite import Run, Suite, make_recipe

_KAGGLE: Final[dict[str, dict[str, Any]]] = {
    "data": {"protocol": "fer2013"},
    "training": {"epochs": 10, "batch_size": 32},
    "optimizer": {"name": "adam", "learning_rate": 1e-3, "schedule": "constant"},
    "augmentation": {"flip": 0.0},
}
_AFFECTNET: Final = _KAGGLE | {"data": {"protocol": "ferplus-strict"}}
"""Eight labels, as AffectNet has after pruning."""
_PROCESSOR: Final = "one Tesla K80 (FloydHub); ms per prediction on an Intel i5"
_REDUCED: Final = {
    "data": "AffectNet's 8 expressions; trained on a tenth, tested on 25,000 of the whole",
    "size": "224 px (its GoogleNet and MobileNet too)",
    "epochs": "10",
    "processor": _PROCESSOR,
}


def _network(name: str, architecture: str, row: str, *figures: float, note: str = "") -> Run:
    recipe = make_recipe(name, architecture, {"size": 224}, _AFFECTNET)
    keys = ("accuracy", "loss", "parameters", "ms")
    return Run(row, recipe, dict(zip(keys, figures, strict=True)), note)


_NETWORKS: Final = (
    _network(
        "thesis-baseline", "baseline", "Baseline", 0.6276, 3.0361, 102_839_056, 11.7,
        note="The printed number of parameters has a wrong digit (docs/studies.md).",
    ),
    _network(
        "thesis-googlenet", "googlenet", "GoogleNet", 0.6893, 1.3067, 23_851_784, 14.1,
        note="Printed with its 1000 classes; here the head has 8.",
    ),
    _network(
        "thesis-mobilenet", "mobilenet", "MobileNet", 0.4730, 1.4600, 4_253_864, 10.0,
        note="Printed with its 1000 classes; here the head has 8.",
    ),
    _network(
        "thesis-baseline-enhanced", "baseline_enhanced", "Baseline enhanced",
        0.6300, 1.3137, 102_830_856, 15.2,
    ),
    _network("thesis-xcao", "xcao", "XCao adapted to 224x224", 0.6861, 0.9185, 6_970_728, 7.2),
    _network(
        "thesis-xcao-two-stream", "xcao_two_stream", "X.Cao with 2 streams",
        0.7540, 0.6863, 7_509_672, 13.1,
    ),
    _network(
        "thesis-fractal", "fractal", "Fractal with batch norm. and dropout",
        0.6923, 0.991, 26_399_016, 28.0,
        note="Rebuilt from its figures 19 and 20; 3,888 parameters fewer.",
    ),
)  # fmt: skip

_FULL: Final = Run(
    "X.Cao with 2 streams, all data",
    make_recipe(
        "thesis-xcao-two-stream-all",
        "xcao_two_stream",
        {"size": 224},
        _AFFECTNET,
        training={"epochs": 5},
    ),
    {"accuracy": 0.7510, "loss": 0.7051, "parameters": 7_509_672},
    printed_epochs=(
        (0.7212, 0.8129),
        (0.7347, 0.7653),
        (0.7287, 0.7446),
        (0.7347, 0.7307),
        (0.7427, 0.7180),
    ),
    printed_recall={
        "neutral": 5274 / 6498,
        "happiness": 10808 / 11759,
        "sadness": 1041 / 2144,
        "surprise": 385 / 1171,
        "fear": 181 / 528,
        "disgust": 60 / 349,
        "anger": 1127 / 2235,
        "contempt": 0 / 317,
    },
)
_FULL_SETUP: Final = {
    "data": "AffectNet's 8 expressions: 258,000 train, 28,000 test, 2,800 of these for validation",
    "size": "224 px",
    "epochs": "5",
    "processor": _PROCESSOR,
}


def _preprocessing(name: str, row: str, accuracy: float, loss: float, *steps: str) -> Run:
    recipe = make_recipe(
        f"thesis-preprocessing-{name}",
        "baseline",
        {"size": 98 if "resize-98" in steps else 48},
        _KAGGLE,
        data={"preprocessing": steps},
    )
    return Run(row, recipe, {"accuracy": accuracy, "loss": loss})


def _timing(name: str, row: str, size: int, seconds: float, faces: int, base: Any) -> Run:
    recipe = make_recipe(f"thesis-timing-{name}", "baseline", {"size": size}, base)
    return Run(row, recipe, {"epoch_s": seconds}, epoch_faces=faces)


SUITES: Final = (
    Suite(
        "thesis-table3",
        "Seconds per epoch of the baseline",
        "thesis (003), table 3",
        {
            "data": "Kaggle's FER2013 (35,887 faces) and AffectNet (414,798)",
            "size": "48 px; AffectNet 224 px",
            "epochs": "the mean of one",
            "processor": "Intel Core i5, 2.7 GHz, 8 GB; Tesla K80: 29 s and 4,200 s",
        },
        ("parameters", "step_ms", "epoch_s"),
        (
            _timing("kaggle", "Kaggle dataset, Core i5", 48, 265, 35_887, _KAGGLE),
            _timing("affectnet", "AffectNet, Core i5", 224, 15 * 3600, 414_798, _AFFECTNET),
        ),
        "Ours is the time of the last epoch's steps, for as many faces as theirs. FER2013's faces "
        "are enlarged to 224 px in the place of AffectNet's.",
    ),
    Suite(
        "thesis-table4",
        "Preprocessing before the baseline",
        "thesis (003), table 4",
        {
            "data": "Kaggle's FER2013, 7 labels",
            "size": "48 px",
            "epochs": "not printed; 10 in general",
            "processor": "not printed",
        },
        ("accuracy", "balanced_accuracy", "loss"),
        (
            _preprocessing("none", "No preprocessing", 0.575, 1.148),
            _preprocessing("equalize", "Equalization", 0.5649, 1.20, "equalize"),
            _preprocessing("dog", "DoG", 0.24, 1.957, "dog"),
            _preprocessing("gamma", "Gamma correction, γ = 0.75", 0.549, 1.187, "gamma-0.75"),
            _preprocessing("resize", "Resize to 98x98", 0.5291, 1.391, "resize-98"),
        ),
        "The two blurs of its difference of Gaussians are not printed: 1 and 2 px here.",
    ),
    Suite(
        "thesis-table5",
        "The thesis's networks",
        "thesis (003), table 5",
        _REDUCED,
        ("parameters", "accuracy", "balanced_accuracy", "loss", "ms"),
        _NETWORKS,
    ),
    Suite(
        "thesis-fig26",
        "Accuracy and loss by epoch of the thesis's networks",
        "thesis (003), figure 26",
        _REDUCED,
        ("accuracy", "loss"),
        _NETWORKS,
        "The figure is a picture without numbers; the last figures of its networks are those of "
        "table 5, which stand here.",
    ),
    Suite(
        "thesis-table6",
        "X.Cao with 2 streams on all data, by epoch",
        "thesis (003), table 6",
        _FULL_SETUP,
        ("accuracy", "balanced_accuracy", "loss"),
        (_FULL,),
    ),
    Suite(
        "thesis-table7",
        "X.Cao with 2 streams on all data, by label",
        "thesis (003), table 7 and figure 27",
        _FULL_SETUP,
        ("accuracy", "balanced_accuracy"),
        (_FULL,),
    ),
)
