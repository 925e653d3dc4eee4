"""Projections of known networks with joins against autograd through the modules themselves."""

import numpy as np
import pytest
import torch
from torchvision import models

from pipeline.adopt.read import read
from pipeline.network.geometry import receptive_field
from pipeline.network.module import Network
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
    ("resnet18", (3, 96, 80), {"conv1": "relu", "layer1.1": "layer1.1", "layer2.1": "layer2.1",
                               "layer4.1": "layer4.1"}),
    ("resnet50", (3, 64, 64), {"layer1.2": "layer1.2", "layer3.5": "layer3.5"}),
    ("googlenet", (3, 96, 96), {"conv1.conv": "conv1", "inception3a": "inception3a",
                                "inception4b": "inception4b"}),
    ("densenet121", (3, 64, 64), {"features.conv0": "features.relu0"}),
    ("mobilenet_v2", (3, 64, 64), {"features.2.conv.0.0": "features.2.conv.0",
                                   "features.7.conv.0.0": "features.7.conv.0",
                                   "features.18.0": "features.18"}),
    ("squeezenet1_1", (3, 96, 96), {"features.3": "features.3", "features.7": "features.7"}),
    ("shufflenet_v2_x0_5", (3, 64, 64), {"conv1.0": "conv1", "conv5.0": "conv5"}),
    ("regnet_y_400mf", (3, 64, 64), {"stem.0": "stem"}),
    ("inception_v3", (3, 107, 107), {}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "size", "layers"), CASES, ids=[case[0] for case in CASES])
@pytest.mark.parametrize("wanted", ["auto", "guided", "gradient"])
def test_projections_are_those_of_autograd_through_the_module(name, size, layers, wanted):
    _, network = built(name, size)
    exact = built(name, size)[0].double()
    image = torch.randn(size, generator=torch.Generator().manual_seed(3))
    maps = network.activations(image[None], layers)
    for layer, path in layers.items():
        known = network.graph.layer(layer)
        rows, cols = known.size
        flat = maps[layer][0].flatten(1)
        channels = flat.amax(dim=1).topk(3).indices
        cells = [divmod(int(flat[c].argmax()), cols) for c in channels]
        start = [float(flat[c].max()) for c in channels]
        method = method_of(network.graph, layer, wanted)
        found = projections(network, image, layer, channels, cells, start, method)
        field = receptive_field(network.graph, layer)
        target = exact.get_submodule(path)
        for n, (channel, cell) in enumerate(zip(channels.tolist(), cells, strict=True)):
            unit = (channel, *cell)
            expected = module_projection(exact, image.double(), target, unit, start[n], method)
            box = field.boxes(np.array(cell, np.int32)).tolist()
            inside = under_box(expected, box)
            torch.testing.assert_close(inside.norm(), expected.norm(), rtol=1e-5, atol=0)
            error = float((found[n].double() - inside).norm() / inside.norm())
            assert error < 1e-5, (layer, unit, method, error)
