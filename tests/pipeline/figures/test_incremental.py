from itertools import product

import pytest
import torch

from pipeline.figures.incremental import IncrementalForward
from tests.pipeline.figures.networks import small

NETWORKS = {
    "zfnet": lambda: small("zfnet", 96),
    "alexnet": lambda: small("alexnet", 96),
}


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("side", [5, 20])
def test_every_row_and_every_column_gives_what_a_whole_forward_pass_gives(name, side):
    network = NETWORKS[name]()
    rng = torch.Generator().manual_seed(1)
    image = torch.randn(1, *network.graph.input, generator=rng)
    rows, cols = (range(size - side + 1) for size in image.shape[2:])
    some_rows, some_cols = ({axis[0], axis[len(axis) // 2], axis[-1]} for axis in (rows, cols))
    corner = torch.tensor(sorted({*product(rows, some_cols), *product(some_rows, cols)}))
    patches = torch.randn(len(corner), 3, side, side, generator=rng)
    layer = network.graph.conv_layers[-1]
    wanted = [network.graph.layer(layer).node, network.graph.output]
    forward = IncrementalForward(network, image, wanted)
    changed = forward(corner, patches)
    whole = image.repeat(len(corner), 1, 1, 1)
    for place, (row, col) in enumerate(corner.tolist()):
        whole[place, :, row : row + side, col : col + side] = patches[place]
    for node, expected in network.run(whole, wanted).items():
        worst = (forward.whole(node, changed[node]) - expected).abs().max()
        assert float(expected.std()) > 0
        assert worst <= 1e-5 * expected.abs().max()


def test_a_small_patch_leaves_most_of_a_map_alone():
    network = small("zfnet", 96)
    node = network.graph.layer("conv2").node
    forward = IncrementalForward(network, torch.zeros(1, 3, 96, 96), [node])
    rows, cols = forward(torch.tensor([[40, 40]]), torch.ones(1, 3, 4, 4))[node].reach
    assert rows.size == cols.size < rows.cells
