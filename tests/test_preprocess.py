"""The definition of preprocessing against an independent implementation, bit for bit."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from fer_mobile.images import load_photo
from fer_mobile.preprocess import (
    CropRule,
    Levelling,
    crop,
    face_pixels,
    normalise,
    resize,
    resize_face,
    to_gray,
)
from fer_mobile.resources import photos_dir
from fer_mobile.types import Box, Detection


def triangle_weights(source: int, target: int) -> list[tuple[int, list[int]]]:
    """For every target pixel: the first source pixel and the weights in units of 2**-22."""
    ratio = source / target
    reach = max(ratio, 1.0)
    rows = []
    for pixel in range(target):
        centre = (pixel + 0.5) * ratio
        first = max(0, int(centre - reach + 0.5))
        last = min(source, int(centre + reach + 0.5))
        shares = [
            max(0.0, 1.0 - abs((place - centre + 0.5) * (1.0 / reach)))
            for place in range(first, last)
        ]
        whole = 0.0
        for share in shares:
            whole += share
        factor = 1.0 / whole
        rows.append((first, [math.floor(share * factor * 2**22 + 0.5) for share in shares]))
    return rows


def resize_rows(image: np.ndarray, target: int) -> np.ndarray:
    """Every row of an H×W image at `target` pixels."""
    result = np.empty((image.shape[0], target), np.int64)
    for pixel, (first, weights) in enumerate(triangle_weights(image.shape[1], target)):
        part = image[:, first : first + len(weights)].astype(np.int64)
        result[:, pixel] = (part @ np.array(weights, np.int64) + 2**21) >> 22
    return result.clip(0, 255).astype(np.uint8)


def resize_in_integers(gray: np.ndarray, size: int) -> np.ndarray:
    """`preprocess.resize` as its module describes it: along rows first, then along columns."""
    along_rows = gray if gray.shape[1] == size else resize_rows(gray, size)
    return along_rows if gray.shape[0] == size else resize_rows(along_rows.T, size).T


@settings(max_examples=300)
@given(side=st.integers(1, 130), size=st.sampled_from([1, 7, 48, 56, 64, 112]), data=st.data())
def test_resize_equals_the_integer_arithmetic(side, size, data):
    gray = data.draw(arrays(np.uint8, (side, side), elements=st.integers(0, 255)))
    assert (resize(gray, size) == resize_in_integers(gray, size)).all()


@pytest.mark.parametrize(("side", "size"), [(1500, 56), (999, 48), (57, 56), (55, 56), (56, 56)])
def test_resize_of_noise_at_the_sizes_of_faces(side, size):
    gray = np.random.default_rng(side).integers(0, 256, (side, side), dtype=np.uint8)
    assert (resize(gray, size) == resize_in_integers(gray, size)).all()


def test_resize_keeps_flat_images_flat():
    for level in (0, 1, 127, 254, 255):
        assert (resize(np.full((97, 83), level, np.uint8), 56) == level).all()


def gray_level(red: int, green: int, blue: int) -> int:
    return (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16


def test_gray_formula_at_all_corners_and_steps():
    levels = (0, 1, 2, 127, 128, 129, 253, 254, 255)
    colours = list(product(levels, repeat=3))
    image = np.array(colours, np.uint8).reshape(27, 27, 3)
    expected = np.array([gray_level(*colour) for colour in colours]).reshape(27, 27)
    assert (to_gray(image) == expected).all()


def test_gray_formula_of_every_colour():
    """Single precision computes it, which is exact only because of the sizes of the numbers."""
    green, blue = np.meshgrid(np.arange(256), np.arange(256))
    for red in range(256):
        image = np.stack([np.full_like(green, red), green, blue], axis=-1).astype(np.uint8)
        assert (to_gray(image) == gray_level(red, green, blue)).all()


@given(arrays(np.uint8, (9, 7, 3)))
def test_gray_formula_everywhere(image):
    red, green, blue = image.astype(np.int64).transpose(2, 0, 1)
    assert (to_gray(image) == (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16).all()


def test_gray_of_gray_changes_nothing():
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert to_gray(levels) is levels
    assert (to_gray(np.stack([levels] * 3, axis=-1)) == levels).all()


@given(
    left=st.integers(-30, 30), top=st.integers(-30, 30), side=st.integers(1, 40),
    shape=st.sampled_from([(11, 17), (11, 17, 3), (1, 1, 3)]),
)  # fmt: skip
def test_crop_repeats_the_edge(left, top, side, shape):
    image = np.arange(math.prod(shape), dtype=np.int64).astype(np.uint8).reshape(shape)
    found = crop(image, left, top, side)
    assert found.shape == (side, side, *shape[2:])
    for row, column in product(range(side), repeat=2):
        source = (
            min(max(top + row, 0), shape[0] - 1),
            min(max(left + column, 0), shape[1] - 1),
        )
        assert (found[row, column] == image[source]).all()


def test_square_of_a_box():
    rule = CropRule(scale=1.5, shift_y=-0.1)
    assert rule.square(Box(100, 200, 60, 80)) == (70, 172, 120)
    assert CropRule(1, 0).square(Box(0.5, 0.5, 3, 3)) == (1, 1, 3), "halves are rounded up"
    assert CropRule(1, 0).square(Box(-4.5, -4.5, 3, 3)) == (-4, -4, 3), "below zero too"
    assert CropRule(1, 0).square(Box(5, 5, 0.1, 0.1))[2] == 1, "never empty"


def test_a_face_is_cropped_then_gray_then_resized():
    rgb = load_photo(photos_dir() / "astronaut-smile.jpg").rgb
    box, rule = Box(178, 63, 90, 113), CropRule()
    left, top, side = rule.square(box)
    part = rgb[top : top + side, left : left + side].astype(np.int64)
    red, green, blue = part.transpose(2, 0, 1)
    gray = ((19595 * red + 38470 * green + 7471 * blue + 32768) >> 16).astype(np.uint8)
    assert (face_pixels(rgb, box, 56, rule) == resize_in_integers(gray, 56)).all()


def level_in_integers(gray: np.ndarray, cosine: float, sine: float) -> np.ndarray:
    """The inner square of a 2S×2S image turned about its centre, pixel by pixel."""
    size = len(gray) // 2
    across, down = (math.floor(math.sqrt(2) * v * 2**15 + 0.5) for v in (cosine, sine))
    result = np.empty((size, size), np.uint8)
    for row, column in product(range(size), repeat=2):
        u, v = 2 * column + 1 - size, 2 * row + 1 - size
        x = size * 2**16 - 2**15 + u * across - v * down
        y = size * 2**16 - 2**15 + u * down + v * across

        def at(column: int, row: int) -> int:
            rows, columns = gray.shape
            return int(gray[min(max(row, 0), rows - 1), min(max(column, 0), columns - 1)])

        (left, right), (top, below) = divmod(x, 2**16), divmod(y, 2**16)
        right, below = right // 256, below // 256
        upper = at(left, top) * (256 - right) + at(left + 1, top) * right
        lower = at(left, top + 1) * (256 - right) + at(left + 1, top + 1) * right
        result[row, column] = (upper * (256 - below) + lower * below + 2**15) // 2**16
    return result


@settings(max_examples=60)
@given(
    degrees=st.floats(-180, 180), size=st.sampled_from([1, 2, 7, 12]),
    seed=st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_levelling_equals_the_integer_arithmetic(degrees, size, seed):
    gray = np.random.default_rng(seed).integers(0, 256, (2 * size, 2 * size), dtype=np.uint8)
    direction = (math.cos(math.radians(degrees)), math.sin(math.radians(degrees)))
    assert (resize_face(gray, size, direction) == level_in_integers(gray, *direction)).all()


@pytest.mark.parametrize("turn", [0, 17, 90, -45, 180, -133.3])
def test_a_levelled_face_looks_as_it_did_before_it_was_turned(turn):
    """Of an opaque photo, turned by a bicubic filter about the middle of the face."""
    photo = Image.open(photos_dir() / "astronaut-smile.jpg").convert("RGB")
    box, eyes, centre = Box(178, 63, 90, 113), ((202, 112), (242, 112)), (223, 119.5)
    cosine, sine = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    turned_eyes = []
    for x, y in eyes:
        x, y = x - centre[0], y - centre[1]
        turned_eyes.append((centre[0] + cosine * x - sine * y, centre[1] + sine * x + cosine * y))
    turned = np.array(photo.rotate(-turn, Image.Resampling.BICUBIC, center=centre))
    upright = face_pixels(np.array(photo), box, 56, CropRule())
    face = Detection(box, 0.9, tuple(turned_eyes))
    direction = Levelling(0).direction(face)
    levelled = face_pixels(turned, box, 56, CropRule(), direction)
    assert np.abs(levelled.astype(int) - upright).mean() < 6
    if turn:
        plain = face_pixels(turned, box, 56, CropRule())
        assert np.abs(plain.astype(int) - upright).mean() > 12


@pytest.mark.parametrize(
    ("eyes", "direction"),
    [
        (((10, 10), (40, 13)), None), (((10, 10), (13, 14)), (0.6, 0.8)),
        (((10, 10), (13, 6)), (0.6, -0.8)), (((10, 10), (7, 10)), (-1, 0)),
        (((10, 10), (10, 10)), None), (((10, 10), (math.nan, 10)), None),
        (((10, 10), (math.inf, 10)), None), (((10, 10), (10 + 1e-200, 10)), None), ((), None),
    ],
)  # fmt: skip
def test_faces_are_levelled_from_the_least_tilt_and_by_landmarks_only(eyes, direction):
    face = Detection(Box(0, 0, 50, 60), 0.9, eyes)
    assert Levelling(10).direction(face) == (direction and pytest.approx(direction))


def test_normalise_is_pixel_over_255():
    pixels = np.arange(256, dtype=np.uint8)
    found = normalise(pixels)
    assert found.dtype == np.float32
    assert (found == np.arange(256, dtype=np.float32) / np.float32(255)).all()
