"""The fields of a concatenation's channels against the support of gradients, and TorchLens's."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from pipeline.adopt.build import build
from pipeline.adopt.read import read
from pipeline.adopt.spec import Spec
from pipeline.network.geometry import seed_of
from pipeline.network.module import Network
from pipeline.network.ops import Curve, MaxPool
from pipeline.network.receptive_field import receptive_field
from tests.pipeline.network.small_graphs import joined


def without_bends(network):
    """The network's maps with all weights positive and no function that cuts signals off."""
    for name, values in network.state_dict().items():
        values.copy_(torch.zeros_like(values) if "mean" in name else torch.ones_like(values))
    apply = network.apply_node

    def passed(position, inputs):
        op = network.graph.nodes[position].op
        if isinstance(op, Curve):
            return inputs[0]
        if isinstance(op, MaxPool):
            return functional.avg_pool2d(
                inputs[0], op.window.kernel, op.window.stride, op.window.before
            )
        return apply(position, inputs)

    network.apply_node = passed
    return network.double().eval()


@pytest.mark.parametrize(
    ("channel", "size"), [(0, (23, 23)), (3, (23, 23)), (4, (33, 27)), (9, (33, 27))]
)
def test_a_channel_sees_what_its_branch_sees(channel, size):
    graph = joined()
    field = receptive_field(graph, "mix")
    assert field.channel_sizes()[channel] == size
    cell = np.array([4, 3], np.int32)
    top, left, bottom, right = field.unit_boxes(np.array(channel), cell).tolist()
    network = without_bends(Network(graph))
    image = torch.rand(1, *graph.input, dtype=torch.float64, requires_grad=True)
    seed = seed_of(graph, "mix")
    made = network.run(image, [seed])[seed]
    (gradient,) = torch.autograd.grad(made[0, channel, 4, 3], image)
    rows, cols = gradient.abs().sum(dim=(0, 1)).nonzero().T
    inside = [int(rows.min()), int(cols.min()), int(rows.max()) + 1, int(cols.max()) + 1]
    whole = graph.input[1:]
    found = [max(0, top), max(0, left), min(whole[0], bottom), min(whole[1], right)]
    assert found == inside


def test_layers_without_branches_have_one_field():
    graph = joined()
    for layer in ("stem", "block"):
        assert receptive_field(graph, layer).channel_sizes() is None


def test_channels_of_googlenets_blocks_have_the_fields_of_its_branches():
    arguments = {"aux_logits": False, "init_weights": False}
    module = build(Spec("torchvision:googlenet", arguments, None, Path()), seed=0).module
    graph, _ = read(module, (3, 224, 224))
    sizes = receptive_field(graph, "inception3a").channel_sizes()
    branches = {
        "branch1.conv": 0,
        "branch2.1.conv": 64,
        "branch3.1.conv": 192,
        "branch4.1.conv": 224,
    }
    for path, channel in branches.items():
        assert sizes[channel] == receptive_field(graph, f"inception3a.{path}").size
    assert sizes[0] == (27, 27)
    assert receptive_field(graph, "inception3a").size == (43, 43)
