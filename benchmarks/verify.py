"""The check by the slow reference: a sample of entries of full-width ZFNet at 224."""

import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.row import Row
from benchmarks.world import BATCH, LAYERS, make_world
from pipeline.network.model import load_model, save_model
from pipeline.storage.hashing import sha256_of
from pipeline.workspace import Workspace
from stages.run import run_stage
from stages.verify import main as verify
from tests.workspaces import write_listing, write_params

ENTRIES = 50


def rows(quick: bool) -> Iterator[Row]:
    """The whole stage: every byte of the stores read, a sample recomputed.

    `quick`: a narrow network and few images, which says nothing of the time at full size.
    """
    width, photos = (0.125, 20) if quick else (1.0, 200)
    with tempfile.TemporaryDirectory() as folder:
        workspace = finished(Path(folder), width, photos)
        start = time.perf_counter()
        arguments = ["-w", str(workspace.root), "--entries", str(ENTRIES)]
        verify.main(arguments, prog_name="atlas verify", standalone_mode=False)
        seconds = time.perf_counter() - start
    yield Row(
        f"verify, {ENTRIES} entries, width {width:g}",
        "",
        seconds,
        "s",
        20,
        "lower",
        f"{photos} photographs, all layers; wall time of the stage in this process, every byte of "
        "the stores read",
    )


def finished(folder: Path, width: float, photos: int) -> Workspace:
    """A workspace with the scan and the pictures of a network of random weights."""
    workspace = Workspace(folder)
    world = make_world(folder / "made", width=width, photos=photos)
    write_listing(workspace, [replace(row, width=500, height=375) for row in world.listed(photos)])
    model = load_model(world.folder / "model")
    card = model.card.model_copy(update={"manifest_sha256": sha256_of(workspace.manifest)})
    workspace.model.mkdir()
    save_model(workspace.model, card, model.network.state_dict())
    sizes = {
        "data": {"root": "made/photos", "resize": card.resize, "crop": card.crop},
        "scan": {"layers": list(LAYERS), "batch_size": BATCH},
    }
    write_params(workspace.root, sizes)
    for stage in ("scan", "project", "crop"):
        run_stage(stage, workspace)
    return workspace
