"""README.md, "Your own network", to the letter: a small network trained elsewhere, then adopted."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from pipeline.atlas import open_atlas
from tests.foreign_networks import CLASSES, done, write_classes
from tests.imports import ROOT

SECTION = re.search(
    r"## Your own network\n(.*?)\n## ", (ROOT / "README.md").read_text("utf-8"), re.DOTALL
)
PYTHON = re.search(r"```python\n(.*?)```", SECTION[1], re.DOTALL)[1]
COMMAND = re.search(r"^atlas (adopt nets\.mine.*?)\ndvc repro$", SECTION[1], re.DOTALL | re.M)[1]
MEAN, STD = 0.5, 0.25


def trained(folder: Path) -> nn.Module:
    """The network of README.md after some steps on the photographs."""
    names: dict = {}
    exec(PYTHON, names)
    torch.manual_seed(0)
    network = names["build"]()
    files = sorted(folder.rglob("*.png"))
    pixels = [np.asarray(Image.open(f).resize((80, 72)).crop((8, 4, 72, 68))) for f in files]
    inputs = (torch.from_numpy(np.stack(pixels)).movedim(3, 1) / 255 - MEAN) / STD
    labels = torch.tensor([CLASSES.index(file.parent.name) for file in files])
    optimizer = torch.optim.Adam(network.parameters(), 0.01)
    for _ in range(30):
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(inputs), labels).backward()
        optimizer.step()
    return network


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("newcomer")
    (folder / "nets").mkdir()
    (folder / "nets" / "mine.py").write_text(PYTHON)
    write_classes(folder / "photos", each=6)
    torch.save(trained(folder / "photos").state_dict(), folder / "mine.pth")
    (folder / "classes.txt").write_text("\n".join(CLASSES))
    return folder


def test_the_command_and_the_stages_after_it_do_what_the_section_says(workspace, monkeypatch):
    monkeypatch.chdir(workspace)
    said = done(workspace, *shlex.split(COMMAND.replace("\\\n", " ")))
    assert "layers will be shown" in said
    for stage in ("prepare", "train", "evaluate", "scan"):
        done(workspace, stage)
    run = open_atlas(workspace / "artifacts")
    assert run.card.classes == CLASSES
    assert run.reports.error_rates().top1_error < 0.3
    assert set(run.layers) <= set(run.graph.layers)
    assert len(run.layers) >= 3
