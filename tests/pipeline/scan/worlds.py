"""Small models and images for the scan's tests, and the slow answer to compare with."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from pipeline.dataset.manifest import ImageRow
from pipeline.network.architectures import Variant, build_chain
from pipeline.network.card import ModelCard
from pipeline.network.model import Model, load_model, save_model
from pipeline.network.module import Network
from pipeline.storage.hashing import sha256_of

CLASSES = ("ape", "bee", "cow")


@dataclass(frozen=True)
class World:
    """A folder of images and a model folder."""

    root: Path
    model: Path
    images: tuple[ImageRow, ...]

    def load(self) -> Model:
        return load_model(self.model)


def make_model(
    folder: Path, *, arch: str = "zfnet", width: float = 0.05, crop: int = 64, dead: int = 0
) -> ModelCard:
    """Random weights from a fixed seed; the first `dead` channels of conv1 never fire."""
    folder.mkdir(parents=True)
    graph = build_chain(arch, len(CLASSES), crop, Variant(width, fc_features=320))
    generator = torch.Generator().manual_seed(0)
    weights = {}
    for name, shape in ((n, p.shape) for n, p in Network(graph).named_parameters()):
        fan = int(np.prod(shape[1:]))
        noise = torch.randn(shape, generator=generator) * (2 / fan) ** 0.5
        weights[name] = noise if len(shape) > 1 else torch.zeros(shape)
    weights["conv1.bias"][:dead] = -1e6
    card = ModelCard(
        arch=arch,
        width=width,
        fc_features=320,
        classes=CLASSES,
        resize=crop + 4,
        crop=crop,
        mean=(120.0, 121.0, 122.0),
        scale=0.02,
        seed=0,
        epochs_trained=0,
        weights_sha256="",
        manifest_sha256="",
    )
    return save_model(folder, card, weights)


def make_images(root: Path, count: int, copies: int = 0) -> tuple[ImageRow, ...]:
    """Noise of few pixels, enlarged; the last `copies` images repeat the others, for ties."""
    root.mkdir(parents=True)
    for number in range(count):
        pixels = np.random.default_rng(number % (count - copies)).integers(
            0, 256, (9, 11, 3), dtype=np.uint8
        )
        enlarged = Image.fromarray(pixels).resize((88, 72), Image.Resampling.BICUBIC)
        enlarged.save(root / f"{number:04}.png")
    return image_rows(root)


def image_rows(root: Path) -> tuple[ImageRow, ...]:
    """The manifest's rows of such a folder."""
    paths = sorted(root.iterdir())
    return tuple(
        ImageRow("val", path.name, CLASSES[number % 3], 88, 72, sha256_of(path))
        for number, path in enumerate(paths)
    )


def make_world(folder: Path, count: int, copies: int = 0, **model: object) -> World:
    make_model(folder / "model", **model)
    return World(folder / "images", folder / "model", make_images(folder / "images", count, copies))
