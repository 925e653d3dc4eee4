"""From an image to a network input, a square: the project's one `centre_square`."""

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from pipeline.params import Interpolation

LONGEST = 32
"""An image with a larger aspect ratio is cut to its middle before it is resized."""


def centre_square(
    image: Image.Image, resize: int, crop: int, interpolation: Interpolation = "bilinear"
) -> UInt8[np.ndarray, "crop crop 3"]:
    """Resize the shortest side, antialiased, then take the centre square.

    The pixels of the network input before normalisation, to the bit those that
    torchvision.transforms.v2 makes of the same Pillow image (at an aspect ratio above 32: within
    one pixel of its place). Safe to call from threads.
    """
    image = _middle(image)
    width, height = image.size
    short = min(width, height)
    new_width, new_height = int(resize * width / short), int(resize * height / short)
    left, top = round((new_width - crop) / 2), round((new_height - crop) / 2)
    # Pillow resizes rows, then columns; between the two, columns outside the square are dropped.
    resampling = Image.Resampling[interpolation.upper()]
    image = image.resize((new_width, height), resampling)
    image = image.crop((left, 0, left + crop, height))
    image = image.resize((crop, new_height), resampling)
    return np.asarray(image.crop((0, top, crop, top + crop)))


def _middle(image: Image.Image) -> Image.Image:
    """The middle of a very long image, cut by equal amounts at both ends.

    1 × 60,000 pixels would otherwise become 256 × 15 million before the square is taken.
    """
    width, height = image.size
    longest = LONGEST * min(width, height)
    across, down = max(0, width - longest) // 2, max(0, height - longest) // 2
    return image.crop((across, down, width - across, height - down))
