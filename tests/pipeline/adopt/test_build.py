"""Modules from torchvision, timm and one's own code."""

import socket
import sys
import urllib.request

import pytest
import torch
import torchvision
from torch import nn

from pipeline.adopt.build import build
from pipeline.adopt.check import check
from pipeline.adopt.read import read
from pipeline.adopt.spec import Spec
from pipeline.errors import AtlasError
from pipeline.network.module import Network

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's pixels, by colour."""
MINE = """
import torch
from torch import nn

def build(classes=3, **more):
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 36, classes), **more)

def wrong():
    return "a network"

class Place:
    build = staticmethod(build)

def broken():
    return 1 / 0

def ends():
    raise SystemExit("bye")

def compiled():
    return torch.compile(build())

def normed():
    module = build()
    nn.utils.weight_norm(module[0])
    return module

def lazy():
    return nn.Sequential(nn.LazyConv2d(4, 3))
"""


@pytest.fixture
def mine(tmp_path):
    """A workspace with nets/mine.py."""
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "mine.py").write_text(MINE)
    return tmp_path


def spec(root, arch="nets.mine:build", weights=None, **arguments):
    return Spec(arch, arguments, weights, root)


def test_ones_own_function_is_called_with_its_arguments(mine):
    module = build(spec(mine, classes=7), seed=0).module
    assert module[2].out_features == 7
    assert not module.training
    assert build(spec(mine, "nets.mine:Place.build"), seed=0).module[2].out_features == 3


def test_weights_that_a_function_draws_depend_on_the_seed_alone(mine):
    first, again, other = (build(spec(mine), seed=seed).module[0].weight for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_a_compiled_module_and_one_with_computed_weights_are_read_as_they_are(mine):
    compiled = build(spec(mine, "nets.mine:compiled"), seed=0).module
    assert type(compiled) is nn.Sequential
    normed = build(spec(mine, "nets.mine:normed"), seed=0).module
    graph, weights = read(normed, (3, 8, 8))
    agreement = check(normed, graph, weights)
    assert max(agreement.values, agreement.projections) < 1e-12


def test_an_edited_file_and_another_workspace_are_read_again(mine, tmp_path_factory):
    build(spec(mine), seed=0)
    (mine / "nets" / "mine.py").write_text(MINE.replace("classes=3", "classes=44"))
    assert build(spec(mine), seed=0).module[2].out_features == 44
    other = tmp_path_factory.mktemp("other")
    with pytest.raises(AtlasError, match=r"no module 'nets\.mine'"):
        build(spec(other), seed=0)
    assert str(mine) not in sys.path


def test_code_beside_the_folder_that_dvc_watches_is_refused(mine, monkeypatch):
    (mine / "beside.py").write_text(MINE)
    (mine / "layers_beside").mkdir()
    (mine / "layers_beside" / "__init__.py").write_text(
        "from torch import nn\nclass Wide(nn.Conv2d): pass\n"
    )
    (mine / "nets" / "uses.py").write_text(
        "import layers_beside\ndef build():\n    return layers_beside.Wide(3, 2, 1)\n"
    )
    for arch, top in (("beside:build", "beside"), ("nets.uses:build", "layers_beside")):
        words = rf"{top} is beside the folder nets/.*Move it to nets/ and name it nets\.{top}"
        with pytest.raises(AtlasError, match=words) as caught:
            build(spec(mine, arch), seed=0)
        assert "\n" not in str(caught.value)
        monkeypatch.delitem(sys.modules, top)


def test_torchvisions_counts_are_not_turned_into_weights(tmp_path):
    weights = torchvision.models.MobileNet_V3_Small_Weights.IMAGENET1K_V1
    file = tmp_path / weights.url.rpartition("/")[2]
    state = torchvision.models.mobilenet_v3_small(weights=None).state_dict()
    torch.save({key: tensor.bool() for key, tensor in state.items()}, file)
    with pytest.raises(AtlasError, match=r"is of torch\.bool, not torch\.float32"):
        build(spec(tmp_path, "torchvision:mobilenet_v3_small", file.name), seed=0)


def test_torchvisions_weights_are_known_by_the_name_of_their_file(tmp_path):
    weights = torchvision.models.MobileNet_V3_Small_Weights.IMAGENET1K_V1
    file = tmp_path / weights.url.rpartition("/")[2]
    state = torchvision.models.mobilenet_v3_small(weights=None).state_dict()
    torch.save(state, file)
    built = build(spec(tmp_path, "torchvision:mobilenet_v3_small", file.name), seed=0)
    name = "features.0.0.weight"
    assert torch.equal(built.module.state_dict()[name], state[name])
    assert built.preprocessing.resize == 256
    assert built.classes.names[:2] == ("tench", "goldfish")


def test_a_network_of_timms(tmp_path):
    pytest.importorskip("timm")
    built = build(spec(tmp_path, "timm:test_vit", num_classes=4), seed=0)
    assert built.preprocessing.crop == 160


def test_googlenets_weights_bring_the_rescaling_of_its_input(tmp_path):
    """Trained on inputs of mean 0.5 and deviation 0.5, used with ImageNet's own by colour."""
    weights = torchvision.models.GoogLeNet_Weights.IMAGENET1K_V1
    file = tmp_path / weights.url.rpartition("/")[2]
    state = torchvision.models.googlenet(init_weights=False).state_dict()
    torch.save(state, file)
    built = build(spec(tmp_path, "torchvision:googlenet", file.name), seed=0)
    pixels = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    mean, std = (torch.tensor(v).reshape(3, 1, 1) for v in (MEAN, STD))
    assert built.preprocessing.mean == MEAN
    assert built.preprocessing.std == STD
    plain = torchvision.models.googlenet(
        aux_logits=False, init_weights=False, transform_input=False
    )
    plain.load_state_dict({k: v for k, v in state.items() if not k.startswith("aux")})
    with torch.no_grad():
        expected = plain.eval()((pixels - 0.5) / 0.5)
        found = built.module((pixels - mean) / std)
        graph, read_weights = read(built.module, (3, 64, 64))
        network = Network(graph)
        network.load_state_dict(read_weights)
        read_scores = network.eval()((pixels - mean) / std)
    size = expected.abs().max()
    assert (found - expected).abs().max() <= 1e-4 * size
    assert (read_scores - expected).abs().max() <= 1e-4 * size


def test_weights_by_name_need_a_network_once(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))

    def refuse(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    monkeypatch.setattr(torch.hub, "urlopen", refuse)
    fetch = r"could not be downloaded: .*not known.*Fetch https://.*resnet18-f37072fd.pth where"
    with pytest.raises(AtlasError, match=fetch):
        build(spec(tmp_path, "torchvision:resnet18", "IMAGENET1K_V1"), seed=0)
    folder = tmp_path / "hub" / "checkpoints"
    assert not list(folder.iterdir())
    torch.save(torchvision.models.resnet18().state_dict(), folder / "resnet18-f37072fd.pth")
    built = build(spec(tmp_path, "torchvision:resnet18", "IMAGENET1K_V1"), seed=0)
    assert built.preprocessing.crop == 224


class Payload:
    def __reduce__(self):
        return (eval, ("1/0",))


REFUSED = [
    ("torchvision:resnet19", None, "has no model 'resnet19'"),
    ("torchvision:resnet18", "IMAGENET1K_V9", "Name one of IMAGENET1K_V1"),
    ("nets.mine:build", "IMAGENET1K_V1", "only torchvision's weights have names"),
    ("nets.mine:build", "none.pth", "There is no file"),
    ("nets.mine:nothing", None, "nets.mine has no 'nothing'"),
    ("nets.yours:build", None, "There is no module 'nets.yours'.*Put it in the folder nets/"),
    ("nets.mine:wrong", None, "made a str, not a torch.nn.Module"),
    ("nets.mine:broken", None, "could not be made: ZeroDivisionError: division by zero"),
    ("nets.mine:ends", None, r"its code ended the program, exit\('bye'\)"),
    ("nets.mine:lazy", None, "^0 of nets.mine:lazy is lazy"),
    ("nets.mine:build", "whole.pt", "calls for .*Sequential"),
    ("nets.mine:build", "evil.pt", "calls for .*eval"),
    ("nets.mine:build", "other.pt", r"2.weight is \(5, 144\), not \(3, 144\).*num_classes"),
]


@pytest.mark.parametrize(("arch", "weights", "words"), REFUSED, ids=[r[2] for r in REFUSED])
def test_what_cannot_be_built_is_refused_in_one_line(mine, arch, weights, words):
    torch.save(nn.Sequential(nn.Linear(1, 1)), mine / "whole.pt")
    torch.save({"weight": Payload()}, mine / "evil.pt")
    torch.save(build(spec(mine, classes=5), seed=0).module.state_dict(), mine / "other.pt")
    with pytest.raises(AtlasError, match=words) as caught:
        build(spec(mine, arch, weights), seed=0)
    assert "\n" not in str(caught.value)
