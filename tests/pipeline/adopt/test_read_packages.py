"""Another ZFNet, as a package ships it, and receptive fields as another package finds them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from pipeline.adopt.build import build
from pipeline.adopt.check import check
from pipeline.adopt.module_maps import module_maps
from pipeline.adopt.read import read
from pipeline.adopt.spec import Spec
from pipeline.network.module import Network
from pipeline.network.ops import LocalResponseNorm
from pipeline.network.receptive_field import receptive_field
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


FOUND_BY_TORCHLENS = """
import json, sys
import torch, torchlens, torchvision
found = {}
for name in sys.argv[1:]:
    module = torchvision.models.get_model(name).eval()
    trace = torchlens.trace(module, torch.randn(1, 3, 224, 224))
    convs = [path for path, part in module.named_modules() if isinstance(part, torch.nn.Conv2d)]
    found[name] = {path: list(trace.modules[path].receptive_field.size) for path in convs}
print(json.dumps(found))
"""
"""In a process of its own: torchlens replaces the functions of torch, for good."""


TRACED = ("resnet18", "vgg11")


@pytest.fixture(scope="module")
def torchlens_fields() -> dict[str, dict[str, list[int]]]:
    """Sizes of receptive fields as torchlens finds them, by network and path of convolution."""
    command = [sys.executable, "-c", FOUND_BY_TORCHLENS, *TRACED]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.parametrize("name", TRACED)
def test_fields_are_those_that_torchlens_finds(torchlens_fields, name):
    theirs = torchlens_fields[name]
    module = build(Spec(f"torchvision:{name}", {}, None, Path()), seed=0).module
    graph, _ = read(module, (3, 224, 224))
    fields = {layer: receptive_field(graph, layer).size for layer in graph.conv_layers}
    compared = {layer: field for layer, field in fields.items() if max(field) < 224}
    assert len(compared) >= 5
    assert compared == {layer: tuple(theirs[layer]) for layer in compared}
