"""Augmentation in JAX: what `data.augmentation.apply_changes` does, within a program."""

from __future__ import annotations

import math
from typing import Final

import jax
import jax.numpy as jnp

from fer_mobile.data.augmentation import BLUR_SIGMAS

TAPS_PER_SIGMA: Final = 3
"""Half the width of the blur's kernel, over its standard deviation."""

Values = dict[str, jax.Array]
"""The fields of `data.augmentation.Changes` by name, each [N, ...]."""


def apply_changes(stored: jax.Array, changes: Values, size: int) -> jax.Array:
    """Faces uint8 [N, H, W], changed and resized: float32 [N, size, size] in 0-1."""
    width = stored.shape[2]
    faces = _blurred(_warped(stored, changes, size), changes, size / width)
    faces *= _each(changes["light"])
    faces += (faces.mean((1, 2), keepdims=True) - faces) * (1 - _each(changes["gain"]))
    faces += _each(changes["offset"])
    place = jnp.arange(size)
    top, left, height, wide = (changes["erased"][:, i, None] for i in range(4))
    rows = (place >= top) & (place < top + height)
    columns = (place >= left) & (place < left + wide)
    hole = rows[:, :, None] & columns[:, None, :]
    return jnp.clip(jnp.where(hole, _each(changes["erased_gray"]), faces), 0, 1)


def add_noise(faces: jax.Array, largest: float, key: jax.Array) -> jax.Array:
    """Faces float32 [N, S, S] as `data.augmentation.add_noise` has them, from JAX's generator."""
    first, second = jax.random.split(key)
    spread = jax.random.uniform(first, (len(faces), 1, 1), maxval=largest)
    return jnp.clip(faces + spread * jax.random.normal(second, faces.shape), 0, 1)


def _each(values: jax.Array) -> jax.Array:
    return values[:, None, None]


def _warped(stored: jax.Array, changes: Values, size: int) -> jax.Array:
    """Faces moved, turned, scaled, stretched and mirrored, in one bilinear resampling."""
    count, height, width = stored.shape
    step = width / size * changes["scale"]
    cosine, sine = jnp.cos(changes["angle"]) * step, jnp.sin(changes["angle"]) * step
    flip, shift = changes["flip"], changes["shift"] * width
    place = jnp.arange(size) - (size - 1) / 2
    right = place[None, None, :] * _each(changes["stretch"])
    down = place[None, :, None] / _each(changes["stretch"])
    x = (width - 1) / 2 + _each(shift[:, 0]) + _each(cosine * flip) * right - _each(sine) * down
    y = (height - 1) / 2 + _each(shift[:, 1]) + _each(sine * flip) * right + _each(cosine) * down
    left, top = jnp.floor(x), jnp.floor(y)
    fx, fy = x - left, y - top
    flat = stored.reshape(count, -1).astype(jnp.float32) / 255

    def pixel(row: jax.Array, column: jax.Array) -> jax.Array:
        row = jnp.clip(row, 0, height - 1).astype(jnp.int32)
        column = jnp.clip(column, 0, width - 1).astype(jnp.int32)
        index = (row * width + column).reshape(count, -1)
        return jnp.take_along_axis(flat, index, 1).reshape(count, size, size)

    upper = (1 - fx) * pixel(top, left) + fx * pixel(top, left + 1)
    lower = (1 - fx) * pixel(top + 1, left) + fx * pixel(top + 1, left + 1)
    return (1 - fy) * upper + fy * lower


def _blurred(faces: jax.Array, changes: Values, zoom: float) -> jax.Array:
    """Faces that are `zoom` times as large as stored; some of them with a Gaussian blur."""
    sigma, chosen = changes["sigma"] * zoom, changes["blurred"]
    taps = math.ceil(TAPS_PER_SIGMA * BLUR_SIGMAS[1] * zoom)
    far = jnp.arange(-taps, taps + 1)
    kernel = jnp.exp(-0.5 * (far / sigma[:, None]) ** 2)
    kernel = jnp.where(chosen[:, None], kernel / kernel.sum(1, keepdims=True), far == 0)
    for axis in (1, 2):
        widths = [(taps, taps) if each == axis else (0, 0) for each in range(3)]
        padded = jnp.pad(faces, widths, mode="reflect")
        shifted = (
            jax.lax.slice_in_dim(padded, i, i + faces.shape[axis], axis=axis)
            for i in range(len(far))
        )
        faces = jnp.stack([_each(kernel[:, i]) * part for i, part in enumerate(shifted)]).sum(0)
    return faces
