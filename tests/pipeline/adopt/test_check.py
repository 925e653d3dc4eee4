"""A graph says what its module does, or is refused; the oracle's rules on numbers by hand."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional

from pipeline.adopt.adoption import adopt_module, scores
from pipeline.adopt.build import Built
from pipeline.adopt.check import check, method_to_check
from pipeline.adopt.oracle import Backward
from pipeline.adopt.read import read
from pipeline.adopt.trace import UnreadableError
from pipeline.network.graph import Graph
from pipeline.network.module import Network
from pipeline.network.ops import Conv, Curve, Scale
from tests.pipeline.adopt.modules import Block, Gate, Lambda, Shuffle, Small, drawn

INPUT = (3, 24, 20)


class Last(nn.Module):
    """Channels last, as ConvNeXt has it."""

    def __init__(self):
        super().__init__()
        self.spread = nn.Conv2d(8, 8, 7, padding=3, groups=8)
        self.norm = nn.LayerNorm(8)
        self.up = nn.Linear(8, 16)
        self.down = nn.Linear(16, 8)
        self.gamma = nn.Parameter(torch.full((8,), 0.3))

    def forward(self, x):
        y = self.norm(self.spread(x).permute(0, 2, 3, 1))
        y = self.gamma * self.down(functional.gelu(self.up(y)))
        return x + y.permute(0, 3, 1, 2)


def conv(inputs=3, outputs=8, **more):
    return nn.Conv2d(inputs, outputs, 3, padding=1, **more)


class Standardised(nn.Conv2d):
    """Weights of mean 0 and deviation 1, times a number that is no sum of powers of two."""

    def forward(self, x):
        centred = self.weight - self.weight.mean((1, 2, 3), keepdim=True)
        deviation = centred.square().mean((1, 2, 3), keepdim=True).add(1e-6).sqrt()
        return 0.1 * self._conv_forward(x, 0.3 * centred / deviation, self.bias)


def coarsely_gated(x):
    """As in GhostNetV2: a map times a gate made of fewer cells."""
    gate = functional.avg_pool2d(x, 2).sigmoid()
    return x * functional.interpolate(gate, size=x.shape[2:], mode="nearest")


NETWORKS = {
    "small": Small(),
    "standardised": nn.Sequential(
        *(Standardised(3 if n == 0 else 8, 8, 3, padding=1) for n in range(6)), nn.ReLU(), conv(8)
    ),
    "coarse gate": nn.Sequential(conv(), nn.ReLU(), Lambda(coarsely_gated), conv(8)),
    "gates": nn.Sequential(conv(), nn.ReLU(), Gate(8), conv(8)),
    "shuffle": nn.Sequential(conv(), nn.BatchNorm2d(8), nn.ReLU6(), Shuffle(), conv(8, groups=2)),
    "channels last": nn.Sequential(conv(), nn.SiLU(), Last(), nn.Hardswish(), conv(8)),
    "norms": nn.Sequential(conv(), nn.GroupNorm(2, 8), nn.ReLU(), nn.InstanceNorm2d(8), conv(8)),
    "contrast": nn.Sequential(conv(), nn.ReLU(), nn.LocalResponseNorm(5, 0.1), conv(8)),
    "pools": nn.Sequential(
        conv(stride=2),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2, 1, ceil_mode=True),
        conv(8, dilation=2),
        nn.AvgPool2d(2, 1, 1, count_include_pad=False),
        nn.Upsample(scale_factor=2, mode="bilinear"),
        nn.AdaptiveAvgPool2d((3, 2)),
        nn.Flatten(),
        nn.Linear(48, 4),
        nn.LogSoftmax(1),
    ),
    "parts": nn.Sequential(
        conv(),
        Lambda(lambda x: torch.cat([x[:, 2:], x[:, :2] - 1, 2 * x[:, 4:5].relu()], 1)),
        conv(9, 8),
        Lambda(lambda x: x.amax((2, 3))),
        nn.Linear(8, 3),
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_values_and_projections_of_graph_and_module_are_equal(name):
    module = drawn(NETWORKS[name])
    graph, weights = read(module, INPUT)
    agreement = check(module, graph, weights)
    assert agreement.values < 1e-12
    assert agreement.projections < 1e-12
    assert agreement.layers


def squeezed() -> nn.Module:
    """A vector that loses the axis of images, which is 1."""
    features = (conv(), nn.ReLU(), nn.AdaptiveAvgPool2d(1), Lambda(torch.squeeze))
    return drawn(nn.Sequential(*features, nn.Linear(8, 4)))


def test_a_vector_without_an_axis_of_images_is_one_of_scores():
    for module in (squeezed(), squeezed()[:-1], nn.Sequential(*squeezed(), nn.LogSoftmax(-1))):
        graph, weights = read(module, INPUT)
        agreement = check(module, graph, weights)
        assert max(agreement.values, agreement.projections) < 1e-12
        assert scores(graph) == module(torch.zeros(1, *INPUT)).numel()


def test_a_hook_of_the_users_that_changes_a_map_is_a_part_of_the_network():
    module = drawn(nn.Sequential(conv(), nn.ReLU(), conv(8)))
    module[0].register_forward_hook(lambda _module, _inputs, made: made * 2)
    graph, weights = read(module, INPUT)
    agreement = check(module, graph, weights)
    assert max(agreement.values, agreement.projections) < 1e-12
    assert agreement.layers == ("0", "2")


@pytest.mark.parametrize("end", [nn.Identity(), nn.Softmax(1), nn.LogSoftmax(1), nn.Sigmoid()])
def test_without_a_layer_that_one_submodule_makes_projections_of_the_output_are_compared(end):
    """The second ReLU changes no value, but stops what is negative on its way down."""
    rng = torch.Generator().manual_seed(0)
    positive = torch.rand(4, 3, 3, 3, generator=rng)
    signed = torch.tensor([[0.1, -0.1, 0.1, -0.1], [-0.1, 0.2, -0.1, 0.1]])

    def forward(x):
        features = functional.conv2d(x.relu(), positive.to(x)).relu().mean((2, 3))
        return functional.linear(features, signed.to(x))

    module = nn.Sequential(Lambda(forward), end)
    graph, weights = read(module, INPUT)
    agreement = check(module, graph, weights)
    assert agreement.layers == ("output",)
    assert max(agreement.values, agreement.projections) < 1e-12
    with pytest.raises(UnreadableError, match="Projections of output"):
        check(module, without_curve(graph, 1), weights | {"one": torch.ones(4)})


@pytest.mark.parametrize(
    ("name", "method"),
    [("small", "deconvnet"), ("gates", "deconvnet"), ("channels last", "guided")],
)
def test_the_deconvnet_needs_relus_gates_aside(name, method):
    assert method_to_check(read(NETWORKS[name], INPUT)[0]) == method


def changed(graph: Graph, op: type, **facts) -> Graph:
    """The graph with other facts in its first operation of a kind."""
    place = next(n for n, node in enumerate(graph.nodes) if isinstance(node.op, op))
    node = replace(graph.nodes[place], op=replace(graph.nodes[place].op, **facts))
    return replace(graph, nodes=(*graph.nodes[:place], node, *graph.nodes[place + 1 :]))


def without_curve(graph: Graph, number: int) -> Graph:
    """The graph with a factor, the weight `one`, in place of one of its activation functions."""
    places = [n for n, node in enumerate(graph.nodes) if isinstance(node.op, Curve)]
    nodes = list(graph.nodes)
    nodes[places[number]] = replace(nodes[places[number]], op=Scale("one", None))
    return Graph(tuple(nodes), graph.output)


def test_a_module_that_fixes_its_precision_is_refused_in_one_line():
    module = drawn(nn.Sequential(conv(), Lambda(lambda x: x.float()), conv(8)))
    graph, weights = read(module, INPUT)
    words = r"does not run in double precision.*RuntimeError: .*Take out .*`\.float\(\)`"
    with pytest.raises(UnreadableError, match=words) as caught:
        check(module, graph, weights)
    assert "\n" not in str(caught.value)


def test_a_graph_with_another_curve_is_refused_at_the_first_layer_above_it():
    module = drawn(Small())
    graph, weights = read(module, INPUT)
    with pytest.raises(UnreadableError, match=r"differ at block1.conv by \d"):
        check(module, changed(graph, Curve, kind="sigmoid"), weights)


def test_a_graph_with_other_weights_is_refused():
    module = drawn(Small())
    graph, weights = read(module, INPUT)
    with pytest.raises(UnreadableError, match=r"differ at stem by"):
        check(module, graph, weights | {"stem.weight": weights["stem.weight"].flip(3)})


def test_a_projection_that_differs_is_refused_though_the_values_agree():
    """A ReLU of what is never negative changes no value, but stops what is negative on its way."""

    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = conv(), conv(8)

        def forward(self, x):
            return self.second(functional.relu(self.first(x)))

    module = drawn(Twice())
    with torch.no_grad():
        module.first.bias.fill_(1e3)
    graph, weights = read(module, INPUT)
    with pytest.raises(UnreadableError, match="Projections of second"):
        check(module, without_curve(graph, 0), weights | {"one": torch.ones(8)})


def test_the_deconvnet_rectifies_the_signal_and_guided_backprop_the_activation_too():
    x = torch.tensor([[1.0, -1.0, 2.0, -2.0]])
    above = torch.tensor([[3.0, 4.0, -5.0, -6.0]])
    for method, expected in (("deconvnet", [3, 4, 0, 0]), ("guided", [3, 0, 0, 0])):
        for relu in (functional.relu, torch.relu_, nn.ReLU(inplace=True), lambda t: t.clamp(min=0)):
            given = x.clone().requires_grad_()
            with Backward(method):
                made = relu(given * 1)
            made.backward(above)
            assert given.grad.tolist() == [expected]


def test_no_signal_goes_into_a_gate():
    given = torch.tensor([[[[1.0]], [[2.0]]]]).requires_grad_()
    with Backward("deconvnet"):
        made = given * torch.sigmoid(given.mean((2, 3), keepdim=True) * 3)
    made.sum().backward()
    assert torch.allclose(given.grad.flatten(), torch.sigmoid(torch.tensor([3.0, 6.0])))


def test_a_grey_network_sees_the_mean_of_the_colours():
    module = drawn(nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 3)))
    adopted = adopt_module(Built(module, None, None, None), crop=12, colours=1)
    network = Network(adopted.graph)
    network.load_state_dict(adopted.weights)
    colours = torch.rand(2, 3, 12, 12)
    expected = module(colours.mean(1, keepdim=True))
    assert torch.allclose(network.eval()(colours), expected, atol=1e-6)
    assert scores(adopted.graph) == 0
    with pytest.raises(UnreadableError, match="changes the grey input before a convolution"):
        adopt_module(Built(nn.Sequential(nn.ReLU(), module), None, None, None), crop=12, colours=1)


def test_an_adopted_network_names_the_versions_and_files_that_it_came_from():
    adopted = adopt_module(Built(drawn(Small()), None, None, None), crop=24, colours=3)
    assert adopted.versions["torch"] == torch.__version__.partition("+")[0]
    assert adopted.sources.keys() == {Block.__module__}
    assert scores(adopted.graph) == 5
    assert any(isinstance(node.op, Conv) for node in adopted.graph.nodes)
