"""Rows with published networks: with ImageNet's weights, and from scratch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fer_mobile.studies.suite import Run, make_recipe


def transfer_run(
    name: str,
    row: str,
    base: str,
    train: str | None,
    defaults: Mapping[str, Mapping[str, Any]],
    printed: Mapping[str, float] | None = None,
    **options: Any,
) -> Run:
    """A row of `base`: ImageNet's weights of which "all", the "last" block or only the "head" is
    trained, or None for fresh weights, of which all are.  `options` are more of the builder's.
    """
    options |= {"base": base}
    if train:
        options |= {"weights": "imagenet", "train": train}
    note = "" if train else "Not in the source: fresh weights in the place of ImageNet's."
    recipe = make_recipe(name, "transfer", options, defaults)
    return Run(row, recipe, printed or {}, note)


def lite_runs(name: str, defaults: Mapping[str, Mapping[str, Any]]) -> tuple[Run, Run]:
    """EfficientNet-Lite0 with ImageNet's weights, which the extra `teacher` brings, and without."""

    def run(suffix: str, row: str, note: str, **options: Any) -> Run:
        recipe = make_recipe(
            f"{name}{suffix}", "efficientnet_lite0", {"size": 96} | options, defaults
        )
        return Run(row, recipe, {}, f"Not in the source: {note}, at 96 px, all trained.")

    return (
        run("", "EfficientNet-Lite0", "ImageNet's weights of a package", weights="imagenet"),
        run("-scratch", "EfficientNet-Lite0, from scratch", "fresh weights"),
    )
