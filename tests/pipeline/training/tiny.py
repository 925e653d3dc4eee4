"""A data set and a recipe small enough to train in a second."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from PIL import Image
from safetensors.torch import load

from pipeline.dataset.manifest import ImageRow, read_manifest
from pipeline.dataset.store import open_images
from pipeline.params import Params, load_params
from pipeline.storage.hashing import sha256_of
from pipeline.training.checkpoint import read_snapshot
from pipeline.training.distributed import Group
from pipeline.training.task import ExecutionConfig, TrainingResult, TrainingTask
from pipeline.training.trainer import train
from pipeline.workspace import Workspace
from tests.workspaces import write_listing

CLASSES = ("blue", "green", "red")
CONFIG = ExecutionConfig(torch.device("cpu"), threads=1)
EVEN = 1 / 16
"""A width at which channels divide into AlexNet's two groups."""
CHANGES: dict[str, Any] = {
    "data": {"source": "folder", "root": "images", "resize": 72, "crop": 64},
    "model": {"arch": "zfnet", "conv_channels": {}, "without": []},
    "train": {
        "epochs": 2,
        "batch_size": 8,
        "learning_rate": 0.01,
        "schedule": "cosine",
        "warmup_epochs": 0.5,
        "dropout": 0.5,
        "init": "he",
        "mean": "pixel",
        "scale": 0.015625,
        "augment": "paper",
        "precision": "float32",
        "snapshots": [1],
        "init_from": None,
        "freeze": [],
    },
}


def make_workspace(
    root: Path, train_each: int = 7, val_each: int = 4, width: float = 0.05, **train: Any
) -> Path:
    """A workspace with images of three colours, a manifest, and a params.yaml."""
    root.mkdir(parents=True, exist_ok=True)
    rows = []
    for split, each in (("train", train_each), ("val", val_each)):
        for label in range(len(CLASSES)):
            rows += [_draw(root, split, label, number) for number in range(each)]
    write_listing(Workspace(root), rows)
    write_params(root, width, **train)
    return root


def write_params(root: Path, width: float = 0.05, **train: Any) -> Params:
    preset = Path(__file__).parents[3] / "presets" / "demo.yaml"
    params = yaml.safe_load(preset.read_text(encoding="utf-8"))
    for section, values in CHANGES.items():
        params[section] |= values
    params["model"]["width"] = width
    params["train"] |= train
    (root / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    return load_params(root / "params.yaml")


def _draw(root: Path, split: str, label: int, number: int) -> ImageRow:
    rng = np.random.default_rng([split == "val", label, number])
    pixels = rng.integers(0, 120, (80, 90, 3), dtype=np.uint8)
    pixels[20:60, 20:70, 2 - label] += 120
    path = Path(split) / CLASSES[label] / f"{number}.png"
    (root / "images" / path).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(root / "images" / path)
    sha256 = sha256_of(root / "images" / path)
    return ImageRow(split, path.as_posix(), CLASSES[label], 90, 80, sha256)  # type: ignore[arg-type]


def snapshot_of(state: Path, epoch: int) -> dict[str, torch.Tensor]:
    content = read_snapshot(state, epoch)
    assert content is not None
    return load(content)


def task(root: Path) -> TrainingTask:
    params = load_params(root / "params.yaml")
    start = params.train.init_from and root / params.train.init_from
    manifest = read_manifest(root / "artifacts" / "manifest.csv")
    return TrainingTask(params, manifest, open_images(root / "images"), start)


def trained(
    root: Path, config: ExecutionConfig = CONFIG, state: str = "state", **more: Any
) -> TrainingResult:
    folder = root / state
    folder.mkdir(exist_ok=True)
    return train(task(root), config, Group(), folder, **more)


def weights(result: TrainingResult) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in result.network.parameters()])
