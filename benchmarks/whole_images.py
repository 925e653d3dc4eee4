"""Projections by whole images, nine in a batch: by plain autograd, and by Captum."""

import warnings
from collections.abc import Mapping

import torch
from captum.attr import NeuronDeconvolution
from torch import Tensor, nn

from pipeline.network.module import Network
from pipeline.network.ops import Conv, Curve, LocalResponseNorm, MaxPool

PER_BATCH = 9


class _Rectified(torch.autograd.Function):
    """ReLU with the deconvnet's backward."""

    @staticmethod
    def forward(ctx: object, values: Tensor) -> Tensor:
        return values.relu()

    @staticmethod
    def backward(ctx: object, signal: Tensor) -> Tensor:
        return signal.relu()


def autograd_batch(network: Network, layer: str, images: Mapping[int, Tensor]) -> Tensor:
    """Of nine cells of a layer's first channel: forward with the norm, then back past it."""
    inputs = _batch(images)
    signal = inputs
    for at in range(1, network.graph.layer(layer).source + 1):
        op = network.graph.nodes[at].op
        if isinstance(op, Curve):
            signal = _Rectified.apply(signal)
        elif isinstance(op, LocalResponseNorm):
            normed = network.apply_node(at, [signal.detach()])
            signal = signal + (normed - signal.detach())
        else:
            signal = network.apply_node(at, [signal])
    start = torch.zeros_like(signal)
    start.flatten(1)[:, :PER_BATCH] = torch.eye(PER_BATCH)
    (projections,) = torch.autograd.grad(signal, inputs, start)
    return projections


def captum_batch(
    module: nn.Module, layer: nn.Module, unit: tuple[int, int, int], images: Mapping[int, Tensor]
) -> Tensor:
    """Of one unit of a layer of a module, which has a ReLU of its own wherever it calls one."""
    inputs = _batch(images)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it announces its hooks every time
        projections: Tensor = NeuronDeconvolution(module, layer).attribute(inputs, unit)
    return projections


def _batch(images: Mapping[int, Tensor]) -> Tensor:
    """Nine network inputs, the images in turn."""
    return torch.cat([images[n % len(images)] for n in range(PER_BATCH)]).requires_grad_()


def without_norm(network: Network, layer: str) -> nn.Sequential:
    """A chain of convolutions up to a layer as torch's own modules, as Captum needs them."""
    modules: list[nn.Module] = []
    graph = network.graph
    for node in graph.nodes[1 : graph.layer(layer).node + 1]:
        op = node.op
        if isinstance(op, Conv):
            modules += _library_conv(network, op)
        elif isinstance(op, MaxPool):
            kernel, stride = op.window.kernel, op.window.stride
            modules.append(nn.MaxPool2d(kernel, stride, ceil_mode=True))
        elif isinstance(op, Curve):
            modules.append(nn.ReLU())
    return nn.Sequential(*modules)


def _library_conv(network: Network, op: Conv) -> list[nn.Module]:
    """A convolution as torch's own modules, with the padding that completes its last windows."""
    weight, window = network.tensor(op.weight), op.window
    with torch.device("meta"):
        conv = nn.Conv2d(
            weight.shape[1], weight.shape[0], window.kernel, window.stride, window.before
        )
    assert op.bias is not None
    named = {"weight": weight, "bias": network.tensor(op.bias)}
    conv.load_state_dict(named, assign=True)
    return [nn.ZeroPad2d((0, 1, 0, 1)) if window.stride[0] > 1 else nn.Identity(), conv]
