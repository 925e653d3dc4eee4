"""Another ZFNet, as a package ships it, and receptive fields as another package finds them."""

from pathlib import Path

import pytest
import torch
import torchlens

from pipeline.adopt.build import Spec, build
from pipeline.adopt.check import check, module_maps
from pipeline.adopt.read import read
from pipeline.network.geometry import receptive_field
from pipeline.network.module import Network
from pipeline.network.ops import LocalResponseNorm
from pipeline.project.method import method_of
from tests.pipeline.adopt.modules import drawn

CHANNELS = {"zfnet": (96, 256, 384, 384, 256), "zfnetb": (96, 256, 512, 1024, 512)}
FIELDS = (7, 27, 75, 107, 139)


@pytest.mark.parametrize("name", CHANNELS)
def test_the_zfnets_of_pytorchcv_are_read_and_their_convolutions_agree(name):
    spec = Spec("pytorchcv.model_provider:get_model", {"name": name}, None, Path())
    module = drawn(build(spec, seed=0).module)
    graph, weights = read(module, (3, 224, 224))
    agreement = check(module, graph, weights)
    assert agreement.values <= 1e-9
    assert agreement.projections <= 1e-9
    assert sum(isinstance(node.op, LocalResponseNorm) for node in graph.nodes) == 2
    convs = [graph.layer(layer) for layer in graph.conv_layers]
    assert tuple(layer.channels for layer in convs) == CHANNELS[name]
    assert tuple(receptive_field(graph, layer.name).size[0] for layer in convs) == FIELDS
    assert method_of(graph, convs[-1].name, "auto") == "deconvnet"
    network = Network(graph)
    network.load_state_dict({key: tensor.float() for key, tensor in weights.items()})
    image = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        sources = {layer.name: layer.source for layer in convs}
        theirs = module_maps(module, sources, image)
        ours = network.eval().run(image, list(sources.values()))
    for layer, source in sources.items():
        torch.testing.assert_close(ours[source], theirs[layer], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["resnet18", "vgg11", "densenet121"])
def test_fields_are_those_that_torchlens_finds(name):
    module = build(Spec(f"torchvision:{name}", {}, None, Path()), seed=0).module
    graph, _ = read(module, (3, 224, 224))
    trace = torchlens.trace(module, torch.randn(1, 3, 224, 224))
    compared = 0
    for layer in graph.conv_layers:
        field = receptive_field(graph, layer)
        if max(field.size) < 224:
            theirs = trace.modules[layer].receptive_field
            assert tuple(theirs.size) == field.size, layer
            compared += 1
    assert compared >= 5
