from dataclasses import dataclass

import numpy as np
import pytest
import torch

from pipeline.dataset.decoded import ImageDataset
from pipeline.training.data import mean_of
from pipeline.training.distributed import Group


@dataclass(frozen=True)
class Ready(ImageDataset):
    """Images that are already decoded."""

    pixels: np.ndarray
    side: int

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitems__(self, rows: np.ndarray) -> np.ndarray:
        return self.pixels[rows]


@pytest.fixture
def squares() -> Ready:
    rng = np.random.default_rng(0)
    return Ready(rng.integers(0, 256, (150, 8, 8, 3), dtype=np.uint8), side=8)


def mean(squares: Ready, kind: str) -> torch.Tensor:
    return mean_of(squares, 4, kind, Group(), threads=2, advance=lambda count: None)


def test_the_pixel_mean_is_the_mean_image_of_the_centre_crops(squares):
    expected = squares.pixels[:, 2:6, 2:6].astype(np.float64).mean(axis=0).transpose(2, 0, 1)
    np.testing.assert_allclose(mean(squares, "pixel"), expected, rtol=1e-6)


def test_the_channel_mean_is_one_number_per_colour(squares):
    expected = squares.pixels[:, 2:6, 2:6].astype(np.float64).mean(axis=(0, 1, 2))
    np.testing.assert_allclose(mean(squares, "channel").flatten(), expected, rtol=1e-6)


@pytest.mark.parametrize("kind", ["pixel", "channel"])
def test_the_order_of_the_images_changes_no_bit(squares, kind):
    turned = Ready(squares.pixels[::-1].copy(), side=8)
    assert torch.equal(mean(squares, kind), mean(turned, kind))
