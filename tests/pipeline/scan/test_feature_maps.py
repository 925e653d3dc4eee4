"""Peaks and cells of maps against NumPy's maximum over every cell."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from pipeline.network.ops import MaxPool
from pipeline.network.window import square
from pipeline.scan.feature_maps import FeatureMaps


def first_cells(maps):
    flat = maps.numpy().reshape(*maps.shape[:2], -1).argmax(axis=2)
    return np.stack(np.unravel_index(flat, maps.shape[2:]), axis=-1)


def every_entry(maps):
    return (axis.ravel() for axis in np.indices(maps.shape[:2]))


@pytest.mark.parametrize(("size", "pool"), [(13, None), (13, (3, 2)), (110, (3, 2)), (8, (3, 3))])
@pytest.mark.parametrize("values", [3, 1000])
def test_the_cell_is_the_first_of_the_largest(size, pool, values):
    maps = torch.randint(values, (3, 5, size, size), generator=torch.Generator().manual_seed(1))
    maps = maps.float().contiguous(memory_format=torch.channels_last)
    if pool is None:
        found = FeatureMaps(maps)
    else:
        found = FeatureMaps(
            maps, functional.max_pool2d(maps, *pool, ceil_mode=True), MaxPool(square(*pool))
        )
    image, channel = every_entry(maps)
    assert found.peaks().tolist() == maps.amax((2, 3)).tolist()
    assert found.cells(image, channel).tolist() == first_cells(maps)[image, channel].tolist()


def test_a_map_with_nan_has_the_peak_nan():
    maps = torch.zeros(1, 2, 4, 4)
    maps[0, 1, 2, 3] = torch.nan
    pooled = functional.max_pool2d(maps, 3, 2, ceil_mode=True)
    for found in (FeatureMaps(maps), FeatureMaps(maps, pooled, MaxPool(square(3, 2)))):
        assert np.isnan(found.peaks()).tolist() == [[False, True]]
