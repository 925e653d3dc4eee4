import itertools

import numpy as np
import torch

from pipeline.dataset.seeding import rng_for
from pipeline.dataset.torch_seeding import generator_for

PLACES = [(0, "fold"), (1, "fold"), (0, "order"), (0, "fold", 0), (0, "fold", 1), (0, "fold", 1, 0)]


def test_a_draw_depends_on_the_seed_the_purpose_and_every_part_of_the_place():
    numpy_draws = [tuple(rng_for(*place).integers(0, 2**63, 4)) for place in PLACES]
    torch_draws = [
        tuple(torch.rand(4, generator=generator_for(*place)).tolist()) for place in PLACES
    ]
    for draws in (numpy_draws, torch_draws):
        assert all(a != b for a, b in itertools.combinations(draws, 2))


def test_a_draw_is_repeated_whatever_was_drawn_before_it():
    first = rng_for(3, "fold", 2).permutation(100)
    np.random.default_rng(3).random(1000)
    torch.rand(10)
    assert np.array_equal(rng_for(3, "fold", 2).permutation(100), first)
    weights = torch.randn(8, generator=generator_for(3, "start"))
    torch.manual_seed(99)
    assert torch.equal(torch.randn(8, generator=generator_for(3, "start")), weights)
