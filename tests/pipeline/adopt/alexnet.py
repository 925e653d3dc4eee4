"""torchvision's AlexNet, its files and its input, to hold imported weights against."""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from torchvision.models import AlexNet, alexnet
from torchvision.transforms.v2 import functional as tv

FEATURES = 64


def torchvisions(classes: int = 3) -> AlexNet:
    """torchvision's AlexNet as it is drawn, but for fewer features in its linear layers."""
    torch.manual_seed(0)
    network = alexnet(num_classes=classes)
    sizes = {1: (9216, FEATURES), 4: (FEATURES, FEATURES), 6: (FEATURES, classes)}
    for place, (given, made) in sizes.items():
        network.classifier[place] = nn.Linear(given, made)
    return network.eval()


def save(tensors: dict[str, torch.Tensor], path: Path) -> None:
    (save_file if path.suffix == ".safetensors" else torch.save)(tensors, path)


def their_input(pixels: torch.Tensor) -> torch.Tensor:
    fractions = tv.to_dtype(pixels, torch.float32, scale=True)
    return tv.normalize(fractions, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
