"""Small real workspaces for tests: photographs in folders and a params.yaml."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import yaml
from PIL import Image

from pipeline.dataset.manifest import ImageRow, sorted_manifest, write_manifest
from pipeline.storage.hashing import sha256_of
from pipeline.storage.sealed import write_sealed
from pipeline.workspace import Workspace
from stages.preset import PRESETS

TINY = {
    "data": {"source": "folder", "root": "photos", "resize": 72, "crop": 64},
    "model": {"width": 0.05, "fc_features": 320},
    "train": {"epochs": 1, "batch_size": 4, "warmup_epochs": 0.0, "snapshots": [1]},
    "scan": {"batch_size": 8},
    "project": {"batch_size": 16},
}
"""What a test's run changes in the demo preset."""


def write_params(folder: Path, changed: Mapping[str, Mapping[str, object]] | None = None) -> None:
    """Write params.yaml: the demo preset, made tiny, with sections changed by a test."""
    params = yaml.safe_load((PRESETS / "demo.yaml").read_text(encoding="utf-8"))
    for changes in (TINY, changed or {}):
        for section, values in changes.items():
            params[section].update(values)
    (folder / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")


def write_listing(workspace: Workspace, rows: Sequence[ImageRow]) -> None:
    """Write the manifest of these images, and of the report of `prepare` what vouches for it."""
    report = workspace.report("prepare.json")
    for path in (workspace.manifest, report):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_manifest(workspace.manifest, sorted_manifest(rows))
    write_sealed(report, {"manifest_sha256": sha256_of(workspace.manifest)})


def write_photos(folder: Path, classes: Mapping[str, tuple[int, int]]) -> None:
    """Write `train/<class>/` and `val/<class>/` with so many images each: coloured waves."""
    for number, (label, counts) in enumerate(classes.items()):
        for split, count in zip(("train", "val"), counts, strict=True):
            (folder / split / label).mkdir(parents=True)
            for image in range(count):
                rng = np.random.default_rng([number, image, split == "val"])
                path = folder / split / label / f"photo {image}.jpg"
                Image.fromarray(waves(rng, number)).save(path, quality=90)


def waves(rng: np.random.Generator, kind: int) -> np.ndarray:
    """An image of 96 × 80 pixels; the kind decides the direction of its waves."""
    row, col = np.mgrid[:80, :96]
    phase = (row * np.cos(kind) + col * np.sin(kind)) / rng.uniform(2, 6) + rng.uniform(0, 6)
    colour = rng.uniform(40, 215, size=3)
    noise = rng.normal(scale=12, size=(80, 96, 3))
    return np.clip(colour + 60 * np.sin(phase)[..., None] + noise, 0, 255).astype(np.uint8)
