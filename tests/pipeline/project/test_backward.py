"""Operations on the way down, one module each, against autograd through the module itself."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from pipeline.adopt.oracle import Backward
from pipeline.adopt.read import read
from pipeline.network.geometry import seed_of, windows
from pipeline.network.module import Network
from pipeline.network.receptive_field import receptive_field
from pipeline.project.forward_work import needs_whole_image
from pipeline.project.method import recorded
from tests.pipeline.adopt.modules import Gate, Lambda, drawn
from tests.pipeline.project.oracle import under_box
from tests.pipeline.project.projecting import projections

INPUT = (3, 14, 12)


class ChannelsLast(nn.LayerNorm):
    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class WrittenOut(nn.Module):
    """A norm of each cell's channels, as ConvNeXt's code has it."""

    def forward(self, x):
        centred = x - x.mean(1, keepdim=True)
        return 2 * (centred / torch.sqrt(centred.pow(2).mean(1, keepdim=True) + 1e-6)) + 0.1


class MapGate(nn.Module):
    """A gate that is a map of some channels, scaled and shifted."""

    def __init__(self, channels, factor, shift):
        super().__init__()
        self.gate, self.factor, self.shift = nn.Conv2d(4, channels, 3, padding=1), factor, shift
        self.constant = False

    def forward(self, x):
        gate = self.shift + self.factor * torch.sigmoid(self.gate(x))
        return x * (gate.detach() if self.constant else gate)


class NegativeFactor(nn.BatchNorm2d):
    """Every second factor is negative."""


OPERATIONS = {
    "gate": Gate(4),
    "gate of one channel": MapGate(1, -1.0, 1.0),
    "gate of each cell": MapGate(4, 2.0, 0.5),
    "layer norm": ChannelsLast(4),
    "group norm": nn.GroupNorm(2, 4),
    "nearest": nn.Upsample(scale_factor=2),
    "nearest by a factor": nn.Upsample(scale_factor=0.6),
    "bilinear": nn.Upsample(scale_factor=2, mode="bilinear"),
    "bilinear by a factor": nn.Upsample(scale_factor=1.3, mode="bilinear"),
    "nearest, exact": nn.Upsample((9, 4), mode="nearest-exact"),
    "space to depth": Lambda(lambda x: functional.pixel_unshuffle(x[:, :, 1:], 2)[:, 3:7]),
    "patches": Lambda(
        lambda x: torch.cat([x[:, ::2, i:-1:2, j::2] for i in (0, 1) for j in (0, 1)], 1)[:, 2:6]
    ),
    "negative": Lambda(lambda x: torch.cat([x[:, :2], -x[:, 1:3]], 1)),
    "picked": Lambda(lambda x: x[:, [2, 0, 3, 3]]),
    "sum of cells": Lambda(lambda x: x.sum((2, 3), keepdim=True)),
    "mean of rows": Lambda(lambda x: x.mean(2, keepdim=True)),
    "maximum of columns": Lambda(lambda x: x.max(3, keepdim=True)[0]),
    "layer norm, written out": WrittenOut(),
    "group norm of tokens": nn.Sequential(
        nn.Flatten(2), nn.GroupNorm(2, 4), nn.Unflatten(2, (7, 6))
    ),
    "maximum with 0": Lambda(lambda x: torch.maximum(x - 0.5, torch.zeros_like(x))),
    "threshold": nn.Sequential(nn.Conv2d(4, 4, 1), nn.Threshold(0, 0)),
    "celu": nn.Sequential(nn.Conv2d(4, 4, 1), nn.CELU()),
    "pad": nn.Sequential(nn.ZeroPad2d((1, 0, 0, 1)), nn.ReLU()),
    "cut": nn.ZeroPad2d((-1, 0, 0, -2)),
    "silu": nn.SiLU(),
    "gelu": nn.GELU(),
    "hardswish": nn.Hardswish(),
    "negative factor": nn.Sequential(NegativeFactor(4), nn.ReLU()),
    "negative factor after": nn.Sequential(nn.Conv2d(4, 4, 3), NegativeFactor(4), nn.ReLU()),
}
"""On four channels, between a convolution with its pool and another convolution."""
SMOOTH = {"silu", "gelu", "hardswish", "celu"}


@pytest.fixture(scope="module", params=OPERATIONS)
def case(request):
    module = drawn(
        nn.Sequential(
            nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            OPERATIONS[request.param], nn.Conv2d(4, 5, 3, padding=1),
        )
    ).double()  # fmt: skip
    with torch.no_grad():
        for part in module.modules():
            if isinstance(part, NegativeFactor):
                part.weight[::2] *= -1
    graph, weights = read(module.float(), INPUT)
    network = Network(graph)
    network.load_state_dict(weights)
    return request.param, module.double(), network.double().eval().requires_grad_(False)


def expected(module, image, unit, method):
    pixels = image[None].clone().requires_grad_()
    with Backward(method):
        made = module(pixels * 1)
    return torch.autograd.grad(made[0][unit], pixels)[0][0].permute(1, 2, 0)


@pytest.mark.parametrize("method", ["deconvnet", "guided", "gradient"])
def test_a_projection_is_that_of_autograd_through_the_module(case, method):
    name, module, network = case
    if name in SMOOTH and method == "deconvnet":
        method = "gradient"
    image = torch.randn(INPUT, generator=torch.Generator().manual_seed(1)).double()
    rows, cols = network.graph.layer("4").size
    field = receptive_field(network.graph, "4")
    cells = [(0, 0), (rows - 1, cols - 1), (rows // 2, cols // 2), (0, cols - 1)]
    channels = torch.tensor([0, 1, 2, 3])
    found = projections(network, image, "4", channels, cells, [1.0] * 4, method)
    for channel, cell in enumerate(cells):
        whole = expected(module, image, (channel, *cell), method)
        box = field.boxes(torch.tensor(cell).int().numpy()).tolist()
        inside = under_box(whole, box)
        torch.testing.assert_close(inside.norm(), whole.norm(), rtol=1e-9, atol=0)
        assert whole.norm() > 0
        assert (found[channel] - inside).norm() <= 1e-5 * inside.norm(), (name, cell)


@pytest.mark.parametrize("channels", [1, 4])
def test_no_signal_goes_into_a_gate(channels):
    """The projection by the plain gradient is autograd's own, where the gate is detached."""
    gate = MapGate(channels, -1.0, 1.0)
    module = drawn(nn.Sequential(nn.Conv2d(3, 4, 3), gate, nn.ReLU(), nn.Conv2d(4, 5, 3)))
    graph, weights = read(module, INPUT)
    network = Network(graph)
    network.load_state_dict(weights)
    gate.constant = True
    pixels = torch.randn(INPUT, generator=torch.Generator().manual_seed(1)).double()
    pixels.requires_grad_()
    whole = torch.autograd.grad(module.double()(pixels[None])[0, 2, 3, 4], pixels)[0]
    box = receptive_field(graph, "3").boxes(torch.tensor((3, 4)).int().numpy()).tolist()
    found = projections(
        network.double().eval().requires_grad_(False), pixels.detach(), "3", torch.tensor([2]),
        [(3, 4)], [1.0], "gradient",
    )  # fmt: skip
    inside = under_box(whole.permute(1, 2, 0), box)
    assert (found[0] - inside).norm() <= 1e-5 * inside.norm()
    assert inside.norm() == pytest.approx(float(whole.norm()))


def test_a_gate_and_a_norm_of_the_map_need_the_whole_image(case):
    name, _, network = case
    nodes = recorded(network.graph, "4", "guided")
    whole = any(axis.whole for axis in windows(network.graph, seed_of(network.graph, "4"))[0])
    beyond = name.startswith(("gate", "nearest", "bilinear", "group norm"))
    assert needs_whole_image(network.graph, "4", nodes) == (beyond or whole)
