import pytest
import torch

from pipeline.dataset.torch_seeding import generator_for
from pipeline.network.architectures import Variant, build_chain
from pipeline.network.graph import Graph
from pipeline.network.ops import Dropout
from pipeline.training.forward import TrainingForward, draw_masks
from pipeline.training.init import init_network


def graph(arch: str = "zfnet", dropout: float = 0.5) -> Graph:
    return build_chain(arch, 3, 64, Variant(width=0.0625, dropout=dropout))


def inputs() -> torch.Tensor:
    return torch.randn(4, 3, 64, 64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("arch", ["zfnet", "alexnet"])
def test_without_masks_the_scores_are_the_networks_own(arch):
    network = init_network(graph(arch), "he", generator_for(0, "start")).eval()
    torch.testing.assert_close(TrainingForward(network)(inputs()), network(inputs()))


def test_peaks_are_the_largest_activations_of_each_channel_over_the_batch():
    network = init_network(graph(), "he", generator_for(0, "start")).eval()
    _, peaks = TrainingForward(network).scores_and_peaks(inputs())
    maps = network.activations(inputs(), network.graph.conv_layers)
    for layer, values in maps.items():
        torch.testing.assert_close(peaks[layer], values.amax(dim=(0, 2, 3)))


def test_a_mask_drops_features_and_makes_up_for_them():
    masks = draw_masks(graph(dropout=0.25), 200, slice(0, 200), generator_for(0, "dropout"))
    values = torch.stack(list(masks.values()))
    assert values.unique().tolist() == pytest.approx([0.0, 4 / 3])
    assert values.mean().item() == pytest.approx(1.0, abs=0.01)


def test_a_dropped_feature_is_zero_and_a_kept_one_is_scaled():
    network = init_network(graph(), "he", generator_for(0, "start"))
    positions = [n for n, node in enumerate(network.graph.nodes) if isinstance(node.op, Dropout)]
    features = network.graph.layer("fc7").channels
    none = {n: torch.zeros(4, features) for n in positions}
    assert torch.equal(TrainingForward(network)(inputs(), none), network.fc8.bias.expand(4, -1))


def test_a_share_of_the_batch_has_the_masks_that_the_whole_has_there():
    whole = draw_masks(graph(), 7, slice(0, 7), generator_for(0, "dropout"))
    share = draw_masks(graph(), 7, slice(1, 7, 2), generator_for(0, "dropout"))
    assert all(torch.equal(share[n], whole[n][1:7:2]) for n in whole)


def test_no_dropout_needs_no_mask():
    assert draw_masks(graph(dropout=0.0), 4, slice(0, 4), generator_for(0, "dropout")) == {}
