"""What measurements are made on: networks of random weights, files and inputs like photographs."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional
from torchvision import models

from pipeline.adopt.read import read
from pipeline.dataset.manifest import ImageRow
from pipeline.dataset.store import FolderStore
from pipeline.network.architectures import Variant, build_chain
from pipeline.network.card import ModelCard, load_card
from pipeline.network.graph import Graph
from pipeline.network.model import save_model
from pipeline.network.module import Network
from pipeline.network.selection import selected
from pipeline.params import ScanParams
from pipeline.scan.scan import Scan, plan_scan
from pipeline.storage.hashing import sha256_of

LAYERS = ("conv1", "conv2", "conv3", "conv4", "conv5")
BATCH = 32
SIDE = 224
CLASSES = tuple(f"class {number}" for number in range(100))
PHOTOS = 200
"""Files drawn unless said; larger data sets list each several times."""


@dataclass(frozen=True)
class World:
    """A network of random weights and JPEG files like photographs."""

    folder: Path
    layers: tuple[str, ...] = LAYERS

    def scan(self, images: int, batch: int = BATCH) -> Scan:
        """A scan of so many images."""
        params = ScanParams(layers=self.layers, top=9, batch_size=batch, tf32=False)
        model = self.folder / "model"
        store = FolderStore(self.folder / "photos")
        return plan_scan(params, load_card(model), model, self.listed(images), store)

    def listed(self, images: int) -> list[ImageRow]:
        """So many images of all classes; files are listed several times where there are fewer."""
        photos = self._photos
        return [
            replace(photos[n % len(photos)], label=CLASSES[n * len(CLASSES) // images])
            for n in range(images)
        ]

    @cached_property
    def _photos(self) -> list[ImageRow]:
        files = sorted((self.folder / "photos").iterdir())
        return [ImageRow("val", file.name, "", 0, 0, sha256_of(file)) for file in files]


def make_world(
    folder: Path,
    *,
    width: float = 1.0,
    side: int = SIDE,
    photos: int = PHOTOS,
    seed: int = 0,
) -> World:
    """Write ZFNet and the photographs into a folder."""
    graph = build_chain("zfnet", len(CLASSES), side, Variant(width))
    generator = torch.Generator().manual_seed(seed)
    weights = {
        name: torch.randn(p.shape, generator=generator) * (2 / p[0].numel()) ** 0.5
        if p.ndim > 1
        else torch.zeros(p.shape)
        for name, p in Network(graph).named_parameters()
    }
    _write(folder, photos, _card("zfnet", side, width), weights)
    return World(folder)


def make_torchvision_world(
    name: str, folder: Path, *, side: int = SIDE, photos: int = PHOTOS
) -> World:
    """Write a network of torchvision, as `atlas adopt` reads it, and the photographs."""
    graph, weights = read(built(name), (3, side, side))
    floats = {key: tensor.float() for key, tensor in weights.items()}
    _write(folder, photos, _card(f"torchvision:{name}", side), floats, graph)
    return World(folder, tuple(layer.name for layer in selected(graph, ("default",))))


def _card(arch: str, side: int, width: float = 1.0) -> ModelCard:
    return ModelCard(
        arch=arch,
        width=width,
        classes=CLASSES,
        resize=side * 8 // 7,
        crop=side,
        mean=(120.0, 115.0, 105.0),
        scale=1 / 58,
        seed=0,
        epochs_trained=0,
        weights_sha256="",
        manifest_sha256="",
    )


def _write(
    folder: Path,
    photos: int,
    card: ModelCard,
    weights: Mapping[str, Tensor],
    graph: Graph | None = None,
) -> None:
    write_photographs(folder, photos)
    (folder / "model").mkdir()
    save_model(folder / "model", card, dict(weights), graph)


def write_photographs(folder: Path, count: int) -> None:
    """Write photographs into a new folder `photos`."""
    (folder / "photos").mkdir(parents=True)
    chance = np.random.default_rng(0)
    for number in range(count):
        photograph(chance).save(folder / "photos" / f"{number:04}.jpg", quality=90)


def photograph(chance: np.random.Generator) -> Image.Image:
    """A picture of 500 × 375 with detail at every scale, as in ImageNet's."""
    picture = np.zeros((375, 500, 3))
    for side in (2, 4, 8, 16, 32, 64, 128):
        noise = chance.normal(size=(side * 3 // 4 + 1, side, 3)) * 128 / side**0.8
        octave = [
            Image.fromarray(noise[..., colour].astype(np.float32)).resize((500, 375))
            for colour in range(3)
        ]
        picture += np.stack([np.asarray(band) for band in octave], axis=-1)
    return Image.fromarray(np.clip(picture / 2 + 120, 0, 255).astype(np.uint8))


def photograph_like(chance: torch.Generator) -> Tensor:
    """Noise whose power falls with the square of the frequency, of unit variance."""
    sides = (2, 4, 8, 16, 32, 64, 128, 224)
    octaves = [torch.randn(1, 3, side, side, generator=chance) / side for side in sides]
    image = sum(functional.interpolate(o, size=(224, 224), mode="bilinear") for o in octaves)
    assert isinstance(image, Tensor)
    return (image - image.mean()) / image.std()


def built(name: str) -> nn.Module:
    """A network of torchvision whose random weights keep its values within bounds."""
    torch.manual_seed(0)
    more = {"aux_logits": False, "init_weights": False} if name == "googlenet" else {}
    module: nn.Module = getattr(models, name)(**more)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.momentum = None
    with torch.no_grad():
        module.train()(inputs_like_photographs(4))
    return module.eval().requires_grad_(False)


def inputs_like_photographs(count: int) -> Tensor:
    """So many network inputs of the full side."""
    chance = torch.Generator().manual_seed(0)
    return torch.cat([photograph_like(chance) for _ in range(count)])
