import pytest
import torch
from torch import nn
from torch.nn import functional
from torchvision.models.swin_transformer import SwinTransformer
from torchvision.models.vision_transformer import VisionTransformer

from pipeline.adopt.read import read
from pipeline.adopt.trace import UnreadableError
from pipeline.network.graph_file import from_json, to_json
from pipeline.network.ops import (
    Add,
    Conv,
    Curve,
    Linear,
    LocalResponseNorm,
    MapNorm,
    MaxPool,
    MeanPool,
    Mul,
    Pad,
    Resample,
    Scale,
    Select,
)
from tests.pipeline.adopt.modules import Gate, Lambda, Shuffle, Small, drawn

INPUT = (3, 24, 20)


def ops(*modules: nn.Module, shape=INPUT) -> list[type]:
    """Kinds of the nodes that a chain of modules becomes, the input aside."""
    graph, _ = read(nn.Sequential(*modules), shape)
    return [type(node.op) for node in graph.nodes[1:]]


def only(module: nn.Module, shape=INPUT):
    """The last operation of a module's graph."""
    graph, _ = read(module, shape)
    return graph.nodes[graph.output].op


def test_layers_bear_the_paths_of_the_modules_that_make_them():
    graph, _ = read(Small(), INPUT)
    assert graph.layers == ("stem", "block1.conv", "block1", "block2.conv", "block2", "head")
    assert [layer.name for layer in graph.layer_list if layer.cut] == [
        "stem",
        "block1",
        "block2",
        "head",
    ]


def test_weights_keep_the_names_of_the_state_dict():
    module = drawn(Small())
    _, weights = read(module, INPUT)
    state = {k: v for k, v in module.state_dict().items() if not k.endswith("num_batches_tracked")}
    assert weights.keys() == state.keys()
    assert all(weights[name].equal(state[name]) for name in state)


def test_a_graph_read_is_the_same_from_its_file():
    graph, _ = read(nn.Sequential(Small(), nn.Softmax(1)), INPUT)
    assert from_json(to_json(graph)) == graph


def test_a_function_of_the_outermost_module_is_named_after_its_operation():
    graph, _ = read(Lambda(lambda x: x + functional.relu(x)), INPUT)
    assert graph.layers == ("add",)


def test_a_module_that_is_called_twice_makes_two_layers():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 3, padding=1)

        def forward(self, x):
            return self.conv(self.conv(x).relu())

    graph, _ = read(Twice(), INPUT)
    assert graph.layers == ("conv", "conv__2")


@pytest.mark.parametrize(
    "relu",
    [
        nn.ReLU(inplace=True),
        Lambda(functional.relu),
        Lambda(torch.relu_),
        Lambda(lambda x: x.clamp(min=0)),
        Lambda(lambda x: x.clamp_min(0)),
    ],
)
def test_a_relu_is_a_relu_however_it_is_called(relu):
    assert only(relu) == Curve("relu")


@pytest.mark.parametrize("relu", [nn.ReLU6(), Lambda(lambda x: x.clamp(0, 6))])
def test_so_is_a_relu_with_a_cap(relu):
    assert only(relu) == Curve("relu6")


@pytest.mark.parametrize(
    ("module", "curve"),
    [
        (nn.SiLU(), Curve("silu")),
        (Lambda(lambda x: x * torch.sigmoid(x)), Curve("silu")),
        (Lambda(lambda x: functional.hardsigmoid(x) * x), Curve("hardswish")),
        (nn.GELU(), Curve("gelu")),
        (nn.GELU(approximate="tanh"), Curve("gelu_tanh")),
        (nn.LeakyReLU(0.2), Curve("leaky_relu", 0.2)),
        (nn.ELU(0.5), Curve("elu", 0.5)),
        (nn.PReLU(init=0.25), Curve("leaky_relu", 0.25)),
    ],
)
def test_other_curves_are_known_by_name(module, curve):
    assert only(module) == curve


def test_a_shuffle_picks_channels():
    assert only(Shuffle(), (4, 2, 2)) == Select((0, 2, 1, 3))


def test_a_slice_picks_channels_and_cuts_and_thins_the_map():
    graph, _ = read(Lambda(lambda x: x[:, 1:, 2:, ::2]), INPUT)
    assert [node.op for node in graph.nodes[1:3]] == [Select((1, 2)), Pad((-2, 0))]
    assert isinstance(graph.nodes[3].op, MeanPool)
    assert graph.nodes[3].op.window.kernel == (1, 1)
    assert graph.nodes[3].shape == (2, 22, 10)


def test_channels_last_leaves_no_trace():
    class Last(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(3, 4)

        def forward(self, x):
            return functional.relu(self.linear(x.permute(0, 2, 3, 1))).permute(0, 3, 1, 2)

    graph, _ = read(Last(), INPUT)
    assert [type(node.op) for node in graph.nodes[1:]] == [Linear, Curve]
    assert graph.nodes[1].op.per_cell


def test_local_response_norm_is_recognised():
    graph, _ = read(nn.LocalResponseNorm(5, alpha=1e-3, beta=0.7, k=2.0), (8, 4, 4))
    assert [node.op for node in graph.nodes[1:]] == [LocalResponseNorm(5, 1e-3 / 5, 0.7, 2.0)]


def test_a_gate_is_a_number_per_channel():
    graph, _ = read(Gate(3), INPUT)
    product = graph.nodes[graph.output]
    assert isinstance(product.op, Mul)
    assert product.inputs[0] == 0
    assert graph.nodes[product.inputs[1]].shape == (3, 1, 1)
    assert graph.layers == ()


def test_weights_that_are_computed_from_weights_alone_are_folded():
    class Standardised(nn.Conv2d):
        def forward(self, x):
            mean = self.weight.mean((1, 2, 3), keepdim=True)
            return functional.conv2d(x, self.weight - mean, self.bias)

    module = nn.Sequential(drawn(Standardised(3, 4, 3)))
    graph, weights = read(module, INPUT)
    assert [type(node.op) for node in graph.nodes[1:]] == [Conv]
    given = module[0].weight
    expected = given - given.mean((1, 2, 3), keepdim=True)
    assert torch.equal(weights[graph.nodes[1].op.weight], expected)


def test_zeros_around_a_map_become_padding_of_the_convolution():
    graph, _ = read(nn.Sequential(nn.ZeroPad2d((1, 0, 1, 0)), nn.Conv2d(3, 4, 3, 2)), INPUT)
    (conv,) = [node for node in graph.nodes if isinstance(node.op, Conv)]
    assert conv.inputs == (0,)
    assert conv.op.window.before == (1, 1)
    assert conv.op.window.after((24, 20), conv.shape[1:]) == (0, 0)


def test_zeros_before_a_max_pool_count_as_values():
    assert ops(nn.ZeroPad2d(1), nn.MaxPool2d(2)) == [Pad, MaxPool]


def test_means_become_windows_where_they_divide_the_map():
    assert isinstance(only(nn.AdaptiveAvgPool2d((12, 5))), MeanPool)
    assert isinstance(only(nn.AdaptiveAvgPool2d((7, 7))), Resample)
    assert ops(nn.AdaptiveAvgPool2d((24, 20)), nn.ReLU()) == [Curve]


def test_sums_of_parts_and_differences_are_sums():
    assert only(Lambda(lambda x: torch.stack([x, x.relu()], 1).sum(1))) == Add()
    assert ops(Lambda(lambda x: x.relu() - x)) == [Curve, Scale, Add]


def test_instance_and_group_norms_are_norms_of_maps():
    assert only(nn.InstanceNorm2d(3)) == MapNorm(3, None, None, 1e-5)
    assert isinstance(only(nn.GroupNorm(3, 3)), MapNorm)


def test_the_scores_are_taken_before_a_softmax():
    graph, _ = read(nn.Sequential(Small(), nn.Softmax(dim=1)), INPUT)
    assert isinstance(graph.nodes[graph.output].op, Linear)


class Several(nn.Module):
    def forward(self, x):
        return x.relu(), x.sigmoid()


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.mix = nn.MultiheadAttention(3, 1, batch_first=True)

    def forward(self, x):
        tokens = x.flatten(2).transpose(1, 2)
        return self.mix(tokens, tokens, tokens, need_weights=False)[0]


class Depends(nn.Module):
    def forward(self, x):
        return x.relu() if x.sum() > 0 else x


REFUSED = [
    (Several(), "2 outputs"),
    (nn.Sequential(nn.Conv2d(3, 3, 1), Attention()), r"1.mix calls scaled_dot_product_attention"),
    (Depends(), r"depends on the values of its input \(.*test_read.py, line \d+\)"),
    (nn.Conv2d(4, 4, 3), "does not run on an input of .3, 24, 20.*RuntimeError"),
    (nn.ReflectionPad2d(2), "calls pad with mode 'reflect'"),
    (nn.ConvTranspose2d(3, 3, 2), "calls conv_transpose2d"),
    (nn.Hardtanh(-1, 1), "calls hardtanh between -1"),
    (Lambda(lambda x: x + torch.arange(20.0)), "calls add of a map and constants that differ"),
    (Lambda(lambda x: x * x.flip(3)), "calls mul of two maps"),
    (Lambda(lambda x: x / (1 + x.abs())), "calls abs"),
    (nn.PixelUnshuffle(2), "regular part of a map"),
    (Lambda(lambda x: x), "computes nothing"),
]


def small_swin():
    return SwinTransformer([4, 4], embed_dim=8, depths=[2], num_heads=[1], window_size=[4, 4])


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda: VisionTransformer(32, 16, 1, 1, 8, 8), "calls scaled_dot_product_attention"),
        (small_swin, r"features\.1\.0\.attn calls (matmul|softmax)"),
    ],
    ids=["vit", "swin"],
)
def test_torchvisions_transformers_are_refused_by_the_name_of_attention(made, words):
    with pytest.raises(UnreadableError, match=words) as caught:
        read(made(), (3, 32, 32))
    assert "which an atlas cannot read" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("module", "words"), REFUSED, ids=[words for _, words in REFUSED])
def test_what_cannot_be_read_is_refused_in_one_line_by_name(module, words):
    with pytest.raises(UnreadableError, match=words) as caught:
        read(module, INPUT)
    assert "\n" not in str(caught.value)
