"""What an atlas shows of a module is compared with the module itself, or is refused."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional

from pipeline.adopt.adoption import adopt_module
from pipeline.adopt.build import Built
from pipeline.adopt.read import read
from pipeline.adopt.trace import UnreadableError
from pipeline.errors import AtlasError
from pipeline.network.graph import Graph
from pipeline.network.ops import Curve, Scale
from pipeline.project.adopted import Comparison
from pipeline.project.projector import Projector
from tests.pipeline.adopt.modules import INPUT, Gate, Small, drawn


def compared(module, wanted="auto", layers=None):
    graph, weights = read(module, INPUT)
    return Comparison(module, graph, weights, 3).of_layers(layers or graph.layers, wanted)


@pytest.fixture(scope="module")
def small():
    module = drawn(Small())
    with torch.no_grad():
        module.block1.norm.weight[::2] *= -1  # trap: a factor may be negative
    return module


@pytest.mark.parametrize("wanted", ["auto", "guided", "gradient"])
def test_what_is_shown_is_what_comes_down_through_the_module(small, wanted):
    """A stem below its ReLU, a norm, and a sum after its ReLU, which a block makes."""
    found = compared(small, wanted, ["stem", "block1.conv", "block1"])
    assert found.keys() == {"stem", "block1.conv", "block1"}
    assert max(found.values()) < 1e-12


def test_three_layers_of_each_method_are_compared(small):
    assert compared(small).keys() == {"stem", "block1", "head"}


def test_a_network_of_two_methods_and_a_gate_is_compared_by_both():
    """Guided where no pool is below; the deconvnet above the pool."""
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3),
        nn.ReLU(),
        nn.Conv2d(4, 4, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        Gate(4),
        nn.Conv2d(4, 4, 3, padding=1),
        nn.BatchNorm2d(4),
    )
    found = compared(drawn(module))
    assert found.keys() == {"0", "2", "6"}
    assert max(found.values()) < 1e-12


def test_a_layer_that_no_submodule_makes_is_passed_over():
    class Sum(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 3, padding=1)

        def forward(self, x):
            return functional.relu(self.conv(x) + x) * 2

    assert compared(drawn(Sum())).keys() == {"conv"}


def test_a_network_for_grey_is_compared_with_what_it_makes_of_the_mean():
    module = drawn(nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Conv2d(2, 2, 3)))
    adopted = adopt_module(Built(module, None, None, None), 8, 1)
    comparison = Comparison(module, adopted.graph, adopted.weights, 1)
    found = comparison.of_layers(adopted.graph.layers, "auto")
    assert found.keys() == {"0", "2"}
    assert max(found.values()) < 1e-6  # a third of a weight is rounded


def test_a_way_down_that_differs_is_refused_with_the_layer_and_the_method(small, monkeypatch):
    signal = Projector.signal
    monkeypatch.setattr(Projector, "signal", lambda *args: 1.0001 * signal(*args))
    words = r"Projections of stem \(guided\) as an atlas shows them .* differ by 1\.0e-04"
    with pytest.raises(UnreadableError, match=words) as caught:
        compared(small, "guided")
    assert "\n" not in str(caught.value)


def test_what_differs_on_one_image_alone_is_taken_for_a_tie(small, monkeypatch):
    signal, calls = Projector.signal, []

    def once(*args):
        calls.append(args)
        return signal(*args) * (2 if len(calls) == 1 else 1)

    monkeypatch.setattr(Projector, "signal", once)
    assert max(compared(small).values()) < 1e-12


def test_a_graph_that_rectifies_elsewhere_is_refused():
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 2, 3))
    with torch.no_grad():
        drawn(module)[0].bias.fill_(1e3)  # so that no value shows the ReLU
    graph, weights = read(module, INPUT)
    nodes = [
        replace(node, op=Scale("one", None)) if isinstance(node.op, Curve) else node
        for node in graph.nodes
    ]
    changed = Comparison(
        module, Graph(tuple(nodes), graph.output), weights | {"one": torch.ones(4)}, 3
    )
    with pytest.raises(UnreadableError, match=r"Projections of 3 \(deconvnet\)"):
        changed.of_layers(["3"], "deconvnet")


def test_a_deconvnet_through_another_curve_is_refused_before_anything_runs():
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.SiLU(), nn.MaxPool2d(2), nn.Conv2d(4, 2, 3))
    with pytest.raises(AtlasError, match="cannot pass the silu below 3"):
        compared(drawn(module), "deconvnet", ["3"])
