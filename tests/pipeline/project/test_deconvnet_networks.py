"""Projections of known networks with joins against autograd through the modules themselves."""

import copy
import itertools

import numpy as np
import pytest
import torch
from torchvision import models

from pipeline.adopt.read import read
from pipeline.network.fold import folded
from pipeline.network.module import Network
from pipeline.network.plan import planned
from pipeline.network.receptive_field import receptive_field
from pipeline.project.method import method_of
from tests.pipeline.project.module_oracle import calibrated, module_projection
from tests.pipeline.project.oracle import under_box
from tests.pipeline.project.projecting import projections


def built(name, size):
    torch.manual_seed(0)
    arguments = {"aux_logits": False, "init_weights": False} if name == "googlenet" else {}
    module = calibrated(getattr(models, name)(weights=None, **arguments), size)
    graph, weights = read(module, size)
    network = Network(graph)
    network.load_state_dict(weights)
    return module, network.eval().requires_grad_(False)


CASES = [
    ("vgg11", (3, 64, 64), {"features.3": "features.4", "features.8": "features.9"}),
    ("resnet18", (3, 96, 80), {"layer1.1": "layer1.1", "layer2.1": "layer2.1"}),
    ("googlenet", (3, 96, 96), {"inception3a": "inception3a", "inception4b": "inception4b"}),
    ("densenet121", (3, 64, 64), {"features.conv0": "features.relu0"}),
    ("mobilenet_v2", (3, 64, 64), {"features.7.conv.0.0": "features.7.conv.0"}),
    ("squeezenet1_1", (3, 96, 96), {"features.3": "features.3"}),
    ("shufflenet_v2_x0_5", (3, 64, 64), {"conv5.0": "conv5"}),
]
"""Networks, inputs, and layers with the modules whose output is their activation."""
QUICK = {"resnet18", "mobilenet_v2"}


def marked():
    for name, size, layers in CASES:
        marks = () if name in QUICK else (pytest.mark.slow,)
        yield pytest.param(name, size, layers, id=name, marks=marks)


@pytest.mark.parametrize(("name", "size", "layers"), list(marked()))
def test_projections_are_those_of_autograd_through_the_module(name, size, layers):
    module, network = built(name, size)
    image = torch.randn(size, generator=torch.Generator().manual_seed(3))
    maps = network.activations(image[None], layers)
    exact = module.double()
    for (layer, path), wanted in itertools.product(layers.items(), ("auto", "guided", "gradient")):
        cols = network.graph.layer(layer).size[1]
        flat = maps[layer][0].flatten(1)
        peaks = [(int(c), int(flat[c].argmax())) for c in flat.amax(dim=1).topk(2).indices]
        corners = [(int(flat[:, at].argmax()), at) for at in (0, flat.shape[1] - 1)]
        units = [unit for unit in [*peaks, *corners] if flat[unit] > 0]
        channels = torch.tensor([channel for channel, _ in units])
        cells = [divmod(at, cols) for _, at in units]
        start = [float(flat[unit]) for unit in units]
        method = method_of(network.graph, layer, wanted)
        found = projections(network, image, layer, channels, cells, start, method)
        field, target = receptive_field(network.graph, layer), exact.get_submodule(path)
        for n, (channel, cell) in enumerate(zip(channels.tolist(), cells, strict=True)):
            unit = (channel, *cell)
            expected = module_projection(exact, image.double(), target, unit, start[n], method)
            inside = under_box(expected, field.boxes(np.array(cell, np.int32)).tolist())
            torch.testing.assert_close(inside.norm(), expected.norm(), rtol=1e-5, atol=0)
            error = float((found[n].double() - inside).norm() / inside.norm())
            if error >= 1e-5:  # in single precision a value may fall beyond a bend of its function
                again = projections(
                    copy.deepcopy(network).double(), image.double(), layer, channels, cells, start,
                    method,
                )  # fmt: skip
                error = float((again[n] - inside).norm() / inside.norm())
            assert error < 1e-5, (layer, unit, method, error)


@pytest.mark.parametrize(
    ("name", "size"), [("resnet18", (3, 96, 80)), ("mobilenet_v2", (3, 64, 64))]
)
@pytest.mark.parametrize("finite", [True, False])
def test_planned_steps_give_every_layer_of_the_network(name, size, finite):
    module, network = built(name, size)
    inputs = torch.randn(2, *size, generator=torch.Generator().manual_seed(4))
    with torch.inference_mode():
        expected = network.activations(inputs, network.graph.layers)
        own = folded(network).to(memory_format=torch.channels_last)
        for layers in (network.graph.layers, network.graph.layers[-1:]):
            nodes = {network.graph.layer(layer).node: layer for layer in layers}
            held = {0: inputs.clone(memory_format=torch.channels_last)}
            for step in planned(own, nodes, finite=finite):
                held[step.node] = step.run([held[below] for below in step.inputs])
                if step.node in nodes:
                    other = expected[nodes[step.node]]
                    assert (held[step.node] - other).norm() <= 1e-4 * other.norm()
        scores = module(inputs)
        assert (held[network.graph.output].flatten(1) - scores).norm() <= 1e-4 * scores.norm()
