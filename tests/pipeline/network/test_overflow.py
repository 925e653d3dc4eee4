"""The bound on activations: true for sound networks, false where NaN or overflow may come about."""

import dataclasses

import pytest
import torch

from pipeline.network.normalisation import Normalisation
from pipeline.network.overflow import is_overflow_safe
from tests.pipeline.scan.worlds import make_world


@pytest.fixture
def model(tmp_path):
    return make_world(tmp_path, 0).load()


def test_a_sound_network_is_safe(model):
    assert is_overflow_safe(model, [model.graph.output])


@pytest.mark.parametrize("value", [torch.nan, torch.inf, 1e30])
def test_one_wild_weight_is_enough(model, value):
    model.network.tensor("conv3.weight").data[0, 0, 0, 0] = value
    assert not is_overflow_safe(model, [model.graph.output])


def test_a_wild_mean_counts_too(model):
    wild = dataclasses.replace(
        model, normalisation=Normalisation(torch.full((3, 1, 1), torch.nan), torch.ones(1, 1, 1))
    )
    assert not is_overflow_safe(wild, [model.graph.output])


def test_layers_that_are_not_run_do_not_count(model):
    model.network.tensor("conv3.weight").data[0, 0, 0, 0] = torch.nan
    assert is_overflow_safe(model, [model.graph.layer("conv2").node])
