import pytest
import torch
from torch import nn

from pipeline.adopt.read import read
from pipeline.adopt.trace import UnreadableError
from pipeline.network.ops import BatchNorm, ChannelNorm, LocalResponseNorm, MapNorm, Scale
from tests.pipeline.adopt.modules import INPUT, Lambda, last_op, ops_of


def test_local_response_norm_is_recognised():
    graph, _ = read(nn.LocalResponseNorm(5, alpha=1e-3, beta=0.7, k=2.0), (8, 4, 4))
    assert [node.op for node in graph.nodes[1:]] == [LocalResponseNorm(5, 1e-3 / 5, 0.7, 2.0)]


def test_instance_and_group_norms_are_norms_of_maps():
    assert last_op(nn.InstanceNorm2d(3)) == MapNorm(3, None, None, 1e-5)
    assert isinstance(last_op(nn.GroupNorm(3, 3)), MapNorm)


@pytest.mark.parametrize(
    ("norm", "op"), [(nn.BatchNorm1d(3), BatchNorm), (nn.GroupNorm(3, 3), MapNorm)]
)
def test_norms_of_a_map_whose_cells_are_in_a_row_are_norms_of_the_map(norm, op):
    tokens = nn.Sequential(nn.Flatten(2), norm.eval(), nn.Unflatten(2, (24, 20)))
    assert ops_of(tokens) == [op]


def test_a_norm_of_each_cell_written_out_is_one_with_a_factor():
    def norm(x):
        centred = x - x.mean(1, keepdim=True)
        return 3 * (centred / torch.sqrt(centred.pow(2).mean(1, keepdim=True) + 0.5))

    graph, _ = read(Lambda(norm), INPUT)
    assert [type(node.op) for node in graph.nodes[1:]] == [ChannelNorm, Scale]
    assert graph.nodes[1].op == ChannelNorm(None, None, 0.5)


def test_a_batch_norm_keeps_the_names_of_its_statistics():
    graph, weights = read(nn.Sequential(nn.BatchNorm2d(3, eps=0.25, affine=False)), INPUT)
    assert graph.nodes[1].op == BatchNorm("0.running_mean", "0.running_var", None, None, 0.25)
    assert weights["0.running_var"].tolist() == [1, 1, 1]


def test_a_layer_norm_over_the_channels_of_each_cell_is_read_and_no_other():
    class Last(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm = nn.LayerNorm(3)

        def forward(self, x):
            return self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)

    assert last_op(Last()) == ChannelNorm("norm.weight", "norm.bias", 1e-5)
    with pytest.raises(UnreadableError, match="something else than the channels of each cell"):
        last_op(nn.LayerNorm(20))


def test_statistics_that_do_not_come_from_the_image_are_refused_for_an_instance_norm():
    def fixed(x):
        return torch.instance_norm(
            x, None, None, torch.zeros(3), torch.ones(3), False, 0.1, 1e-5, False
        )

    with pytest.raises(UnreadableError, match="statistics that do not come from the image"):
        last_op(Lambda(fixed))
