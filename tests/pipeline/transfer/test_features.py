import torch

from pipeline.transfer.features import MOST, pooled


def test_a_small_map_is_flattened_as_it_is():
    maps = torch.arange(2 * 3 * 4 * 4.0).view(2, 3, 4, 4)
    assert torch.equal(pooled(maps), maps.view(2, 48))


def test_a_large_map_keeps_the_largest_value_of_each_part():
    """256 channels of 12 × 12: parts of 2 × 2, since 256 × 6 × 6 = 9,216."""
    maps = torch.randn(1, 256, 12, 12, generator=torch.Generator().manual_seed(0))
    parts = maps.view(1, 256, 6, 2, 6, 2).amax(dim=(3, 5))
    assert torch.equal(pooled(maps), parts.flatten(1))
    assert parts.numel() == MOST


def test_a_long_map_and_one_of_many_channels_are_within_the_bound():
    assert pooled(torch.zeros(1, 96, 2, 300)).shape == (1, 96 * 2 * 9)
    assert pooled(torch.zeros(1, 10_000, 2, 2)).shape == (1, 10_000)
