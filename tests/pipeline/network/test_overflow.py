"""The bound on activations: true for sound networks, false where NaN or overflow may come about."""

import dataclasses

import pytest
import torch

from pipeline.network.bound import stays_finite
from tests.pipeline.scan.worlds import make_world


@pytest.fixture
def model(tmp_path):
    return make_world(tmp_path, 0).load()


def test_a_sound_network_stays_finite(model):
    assert stays_finite(model, model.chain.ops)


@pytest.mark.parametrize("value", [torch.nan, torch.inf, 1e30])
def test_one_wild_weight_is_enough(model, value):
    model.network.get_submodule("conv3").weight.data[0, 0, 0, 0] = value
    assert not stays_finite(model, model.chain.ops)


def test_a_wild_mean_counts_too(model):
    wild = dataclasses.replace(model, mean=torch.full((3, 1, 1), torch.nan))
    assert not stays_finite(wild, model.chain.ops)


def test_layers_that_are_not_run_do_not_count(model):
    model.network.get_submodule("conv3").weight.data[0, 0, 0, 0] = torch.nan
    assert stays_finite(model, model.chain.ops[: model.chain.end("conv2")])
