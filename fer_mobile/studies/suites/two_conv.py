"""Study 001: two convolutions on seven classes, until 95% in training or 50 epochs.

The rate of its gradient descent is not printed: 0.01 with momentum 0.9 here.
"""

from __future__ import annotations

from typing import Final

from fer_mobile.studies.suite import Run, Suite, make_recipe

SUITES: Final = (
    Suite(
        "two-conv",
        "Two convolutions and three dense layers",
        "study 001, results",
        {
            "data": "FER2013, 7 labels, about 36,000 faces",
            "size": "48 px",
            "epochs": "until 95% in training, at most 50",
            "processor": "a CPU; about 49 s an epoch of 145 batches",
        },
        ("train_accuracy", "accuracy", "balanced_accuracy", "loss", "epoch_s"),
        (
            Run(
                "two convolutions",
                make_recipe(
                    "two-conv",
                    "two_conv",
                    {},
                    {
                        "data": {"protocol": "fer2013"},
                        "training": {"epochs": 50, "batch_size": 150, "stop_accuracy": 0.95},
                        "optimizer": {
                            "name": "sgd",
                            "learning_rate": 0.01,
                            "weight_decay": 0.0,
                            "schedule": "constant",
                        },
                        "augmentation": {"flip": 0.0},
                    },
                ),
                {"train_accuracy": 0.97, "accuracy": 0.518, "epoch_s": 49},
                epoch_faces=145 * 150,
            ),
        ),
    ),
)
