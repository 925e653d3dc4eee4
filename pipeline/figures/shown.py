"""Pictures that figures keep to be shown, no larger than a page needs."""

import numpy as np
from jaxtyping import UInt8
from PIL import Image

SHOWN_PX = 112
"""The largest side."""


def shown(picture: UInt8[np.ndarray, "crop crop 3"]) -> UInt8[np.ndarray, "side side 3"]:
    """The picture, made smaller where it is larger."""
    if len(picture) <= SHOWN_PX:
        return picture
    small = Image.fromarray(picture).resize((SHOWN_PX, SHOWN_PX), Image.Resampling.LANCZOS)
    return np.asarray(small)
