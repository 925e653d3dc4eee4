import pytest
import torch
from torch import nn
from torch.nn import functional
from torchvision.models.swin_transformer import SwinTransformer
from torchvision.models.vision_transformer import VisionTransformer

from pipeline.adopt.read import read
from pipeline.adopt.trace import UnreadableError
from pipeline.network.graph_file import from_json, to_json
from tests.pipeline.adopt.modules import INPUT, Lambda, Small, drawn


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


def test_a_layer_whose_name_leaves_no_room_in_a_file_s_is_refused():
    """A file's name has 255 bytes, whatever it has of characters; stages and pages add some."""
    longest = "é" * 100
    assert read(Named(longest), INPUT)[0].layers == (longest,)
    with pytest.raises(UnreadableError, match=r"has a name of 272 bytes, .* 200\.") as caught:
        read(Named("x" * 272), INPUT)
    assert f"The layer {'x' * 272} has" in str(caught.value)
    assert "\n" not in str(caught.value)


class Named(nn.Module):
    """A convolution at a path of one's choice."""

    def __init__(self, path):
        super().__init__()
        self.add_module(path, nn.Conv2d(3, 3, 1))

    def forward(self, x):
        (conv,) = self.children()
        return conv(x)


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
    (Depends(), r"depends on values that it computes \(.*test_read.py, line \d+\)"),
    (nn.Conv2d(4, 4, 3), "takes 4-channel images, not 3-channel ones"),
    (nn.Linear(3, 4), "does not run on an input of .3, 24, 20.*RuntimeError"),
    (Lambda(lambda x: torch.cat([x, torch.ones(1, 1, 24, 20)], 1)), "^The forward calls cat of a"),
    (nn.ReflectionPad2d(2), "calls pad with mode 'reflect'"),
    (nn.ConvTranspose2d(3, 3, 2), "calls conv_transpose2d"),
    (nn.Hardtanh(-1, 1), "calls hardtanh between -1"),
    (Lambda(lambda x: x + torch.arange(20.0)), "calls add of a map and constants that differ"),
    (Lambda(lambda x: x * x.flip(3)), "calls mul of two maps"),
    (Lambda(lambda x: x / (1 + x.abs())), "calls abs"),
    (nn.Sequential(nn.Conv2d(3, 4, 1), nn.PixelShuffle(2)), "regular part of a map"),
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
