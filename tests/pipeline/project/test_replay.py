"""Switches made again for one entry against the maxima of the network's own map."""

import numpy as np
import pytest
import torch

from pipeline.atlas import Run
from pipeline.project.replay import SwitchReplay
from pipeline.project.worker import config_of
from tests.finished_scan import CROP, RESIZE, finished_scan
from tests.squares import load_square


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    workspace = finished_scan(tmp_path_factory.mktemp("replay") / "run", ("conv1", "conv2"))
    return Run(workspace, workspace.artifacts)


def test_the_switches_of_an_entry_are_where_its_pool_s_windows_are_largest(run):
    record, model = run.records["conv2"], run.loaded_model
    channel, rank = np.argwhere(record.image >= 0)[5]
    row = int(record.image[channel, rank])
    replay = SwitchReplay(config_of(run), run.records, run.images, torch.device("cpu"))
    ((pool, ((top, left), offsets)),) = replay("conv2", int(channel), int(rank)).items()
    square = load_square(run.workspace.root / "photos" / run.images[row].path, RESIZE, CROP)
    inputs = model.normalisation(torch.tensor(square).permute(2, 0, 1)[None])
    maps = model.network.activations(inputs, ["conv1"])["conv1"][0].detach().numpy()
    window = model.graph.nodes[pool].op.window
    rows, cols = model.graph.nodes[pool].shape[1:]
    compared = 0
    for i, j, c in np.ndindex(*offsets.shape):
        at = (top + i, left + j)
        if not (0 <= at[0] < rows and 0 <= at[1] < cols):
            continue
        first = [n * step - before for n, step, before in
                 zip(at, window.stride, window.before, strict=True)]  # fmt: skip
        part = maps[
            c, first[0] : first[0] + window.kernel[0], first[1] : first[1] + window.kernel[1]
        ]
        place = divmod(int(offsets[i, j, c]), window.kernel[1])
        assert part[place] == pytest.approx(part.max(), abs=1e-5)
        compared += 1
    assert compared > 20


def test_layers_without_a_pool_below_have_no_switches(run):
    replay = SwitchReplay(config_of(run), run.records, run.images, torch.device("cpu"))
    channel, rank = np.argwhere(run.records["conv1"].image >= 0)[0]
    assert replay("conv1", int(channel), int(rank)) == {}
