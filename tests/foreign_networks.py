"""Networks from elsewhere with calibrated norms, for whole runs of the pipeline."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from click.testing import CliRunner, Result
from PIL import Image

from stages.cli import main
from tests.forked import Forked
from tests.workspaces import waves, write_params

NETS = '''
"""Architectures of torchvision, narrow, with random weights and norms that fit them."""

import torch
from torch import nn
from torchvision.models import DenseNet, GoogLeNet, MobileNetV2, ResNet, vgg
from torchvision.models.googlenet import BasicConv2d, Inception, InceptionAux
from torchvision.models.resnet import BasicBlock
from torchvision.ops.misc import Conv2dNormActivation


def calibrated(module, side=64, images=8):
    """The module with the statistics of waves of all directions, as training leaves them."""
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.momentum = None  # a mean over what it sees
    row, col, turn = torch.meshgrid(*(torch.arange(n) for n in (side, side, images)), indexing="ij")
    waves = torch.sin((row * torch.cos(turn * 0.8) + col * torch.sin(turn * 0.8)) / (1 + turn))
    colour = torch.randn(images, 3, 1, 1)
    with torch.no_grad():
        module.train()(waves.permute(2, 0, 1)[:, None] * colour + torch.randn(images, 3, 1, 1))
    return module.eval()


def vgg16_bn():
    channels = [c if c == "M" else c // 8 for c in vgg.cfgs["D"]]
    made = nn.Sequential()
    made.features = vgg.make_layers(channels, batch_norm=True)
    made.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 3))
    return calibrated(made)


class NarrowResNet(ResNet):
    def _make_layer(self, block, planes, *more, **options):
        return super()._make_layer(block, planes // 4, *more, **options)


def resnet18():
    made = NarrowResNet(BasicBlock, [2, 2, 2, 2])
    made.fc = nn.Linear(128, 3)
    return calibrated(made)


def quarter_conv(given, made, **options):
    return BasicConv2d(given if given == 3 else given // 4, made // 4, **options)


def quarter_inception(*channels):
    return Inception(*(count // 4 for count in channels))


def googlenet():
    blocks = [quarter_conv, quarter_inception, InceptionAux]
    made = GoogLeNet(3, aux_logits=False, init_weights=False, blocks=blocks)
    made.fc = nn.Linear(256, 3)
    return calibrated(made)


def densenet121():
    return calibrated(DenseNet(4, (6, 12, 24, 16), 8, num_classes=3))


def mobilenet_v2():
    made = MobileNetV2(num_classes=3, width_mult=0.25)
    # torchvision has 1,280 channels here at any width: ten times the pictures of all other layers.
    made.features[18] = Conv2dNormActivation(80, 64, kernel_size=1, activation_layer=nn.ReLU6)
    made.classifier[1] = nn.Linear(64, 3)
    return calibrated(made)
'''
CLASSES = ("0", "1", "2")
CROP = 64
FEW_FIGURES = {
    "images": 1,
    "invariance": {"translation_px": 8, "largest_scale": 1.5, "steps": 1},
    "occlusion": {"side": 32, "stride": 16, "value": 128},
}
"""Of one image, at few places and amounts."""


@dataclass(frozen=True)
class Foreign:
    """A network of the file above and what its atlas shows."""

    function: str
    layers: Mapping[str, str]
    """Layers with the methods that fit them."""
    module: str
    """Path of the module that makes the signal of one of the layers, before its ReLU."""
    of: str
    """That layer."""
    branched: bool
    """Whether it has blocks to draw."""


D, G = "deconvnet", "guided"
FOREIGN = {
    "vgg16_bn": Foreign(
        "vgg16_bn",
        {"features.0": D, "features.3": G, "features.10": D, "features.30": D},
        module="features.11",
        of="features.10",
        branched=False,
    ),
    "resnet18": Foreign(
        "resnet18",
        {"conv1": D, "layer1.1": D, "layer2.0.downsample.0": D, "layer3.1": D},
        module="layer2.0.downsample.1",
        of="layer2.0.downsample.0",
        branched=True,
    ),
    "googlenet": Foreign(
        "googlenet",
        {"conv1.conv": D, "inception3a": D, "inception4b": D},
        module="inception3a",
        of="inception3a",
        branched=True,
    ),
    "densenet121": Foreign(
        "densenet121",
        {"features.conv0": D, "features.denseblock1": D, "features.denseblock3": D},
        module="features.transition1.norm",
        of="features.denseblock1",
        branched=True,
    ),
    "mobilenet_v2": Foreign(
        "mobilenet_v2",
        {"features.0.0": D, "features.4.conv.0.0": G, "features.7.conv.0.0": G, "features.18.0": G},
        module="features.4.conv.0.1",
        of="features.4.conv.0.0",
        branched=True,
    ),
}


def atlas(folder: Path, *words: str) -> Result:
    """Run a command of the atlas in a workspace."""
    return CliRunner().invoke(main, [words[0], "-w", str(folder), *words[1:]])


def done(folder: Path, *words: str) -> str:
    """The same for a command that has to succeed; what it says."""
    result = atlas(folder, *words)
    assert result.exit_code == 0, (words, result.output, result.exception)
    return result.output


def done_plainly(folder: Path, *commands: Sequence[str]) -> None:
    """The same for some commands, each in a process of its own.

    The shapes in the types are not checked there, which takes most of the time of these networks.
    """
    log = folder / "log"
    for name, *rest in commands:
        assert Forked(name, "-w", str(folder), *rest, log=log).wait() == 0, log.read_text()[-3000:]


def write_classes(folder: Path, each: int) -> None:
    """Photographs of waves in class folders, without a split."""
    for kind, name in enumerate(CLASSES):
        (folder / name).mkdir(parents=True)
        for image in range(each):
            pixels = waves(np.random.default_rng([kind, image]), kind)
            Image.fromarray(pixels).save(folder / name / f"{image}.png")


def adoption(folder: Path, function: str, layers: Sequence[str]) -> list[str]:
    """Photographs in a workspace, and the command that adopts a network of the file above."""
    (folder / "nets").mkdir()
    (folder / "nets" / "calibrated.py").write_text(NETS, encoding="utf-8")
    write_classes(folder / "photos", each=4)
    write_params(folder, {"scan": {"top": 3}, "figures": FEW_FIGURES})
    numbers = ["--mean", *["0.5"] * 3, "--std", *["0.25"] * 3]
    size = ["--resize", str(CROP + 8), "--crop", str(CROP)]
    shown = [word for layer in layers for word in ("--layers", layer)]
    images = ["--images", str(folder / "photos")]
    return ["adopt", f"nets.calibrated:{function}", *numbers, *size, *shown, *images]
