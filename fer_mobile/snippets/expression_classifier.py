"""The expression of a face, by MediaPipe Tasks.

The weights that fer-mobile ships are for research and evaluation.
"""

from math import floor

import mediapipe
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision
from PIL import Image

# MediaPipe Tasks gives a model RGB alone: fer-mobile export --input rgb
MODEL = "xcao_two_stream_rgb_int8.tflite"
SIZE = 56


def classify(
    photo: Image.Image, x: float, y: float, width: float, height: float
) -> dict[str, float]:
    """The probability of each label for a face of an upright RGB photo, by its box in pixels."""
    # The square that the model was trained on: `preprocessing.crop` of the contract.
    side = max(1, floor(0.9 * height + 0.5))
    left = floor(x + width / 2 - side / 2 + 0.5)
    top = floor(y + height / 2 + 0.03 * height - side / 2 + 0.5)
    # Beyond the photo its edge is repeated.
    rows = np.arange(top, top + side).clip(0, photo.height - 1)
    columns = np.arange(left, left + side).clip(0, photo.width - 1)
    square = Image.fromarray(np.asarray(photo)[rows[:, None], columns])
    pixels = np.asarray(square.resize((SIZE, SIZE), Image.Resampling.BILINEAR))
    image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=pixels)
    categories = classifier.classify(image).classifications[0].categories
    return {category.category_name: category.score for category in categories}


options = vision.ImageClassifierOptions(BaseOptions(model_asset_path=MODEL), max_results=-1)
classifier = vision.ImageClassifier.create_from_options(options)
