"""Independent pictures: whole images through autograd, with the deconvnet's rules and no others."""

import torch
from torch.nn import functional

from pipeline.network.architectures import Variant, build_chain
from pipeline.network.module import Network
from pipeline.network.ops import Conv, Curve, Linear, LocalResponseNorm, MaxPool


def random_network(arch="zfnet", width=0.125, input_px=96, dtype=torch.float64, seed=0):
    """A network with He weights and small biases, in eval mode."""
    chance = torch.Generator().manual_seed(seed)
    graph = build_chain(arch, 5, input_px, Variant(width=width, fc_features=200, dropout=0.0))
    return with_random_weights(Network(graph), chance).to(dtype)


def with_random_weights(network, chance):
    network = network.eval().requires_grad_(False)
    for weight in network.parameters():
        spread = (2 / weight[0].numel()) ** 0.5 if weight.ndim > 1 else 0.1
        weight.copy_(torch.randn(weight.shape, generator=chance) * spread)
    return network


class RectifiedSignal(torch.autograd.Function):
    @staticmethod
    def forward(ctx, values):
        return torch.where(values > 0, values, 0.0)

    @staticmethod
    def backward(ctx, signal):
        return torch.where(signal > 0, signal, 0.0)


class NormPassedBy(torch.autograd.Function):
    @staticmethod
    def forward(ctx, values, op):
        return functional.local_response_norm(
            values, op.channels, op.alpha * op.channels, op.beta, op.k
        )

    @staticmethod
    def backward(ctx, signal):
        return signal, None


def autograd_projection(network, image, layer, unit, start):
    """The projection of one unit (channel, row, col) on the whole image: (row, col, rgb)."""
    pixels = image.detach().clone().requires_grad_()
    signal = pixels[None]
    for node in network.graph.nodes[1 : network.graph.layer(layer).source + 1]:
        op = node.op
        match op:
            case Conv():
                kernel, stride, padding = (
                    getattr(op.window, fact)[0] for fact in ("kernel", "stride", "before")
                )
                missing = (signal.shape[3] + 2 * padding - kernel) % stride
                after = padding + (stride - missing if missing else 0)
                signal = functional.pad(signal, (padding, after, padding, after))
                weight, bias = network.tensor(op.weight), network.tensor(op.bias)
                signal = functional.conv2d(signal, weight, bias, stride, groups=op.groups)
            case Linear():
                weight, bias = network.tensor(op.weight), network.tensor(op.bias)
                signal = signal.flatten(1) @ weight.T + bias
            case Curve():
                signal = RectifiedSignal.apply(signal)
            case LocalResponseNorm():
                signal = NormPassedBy.apply(signal, op)
            case MaxPool():
                kernel, stride = op.window.kernel[0], op.window.stride[0]
                signal = functional.max_pool2d(signal, kernel, stride, ceil_mode=True)
    place = unit if signal.ndim == 4 else unit[:1]
    (signal[0][place] * start).backward()
    return pixels.grad.permute(1, 2, 0)


def under_box(picture, box):
    """The part of a whole-image picture under a box, 0 outside, cell by cell."""
    top, left, bottom, right = box
    found = picture.new_zeros(bottom - top, right - left, 3)
    for row in range(max(0, top), min(bottom, picture.shape[0])):
        for col in range(max(0, left), min(right, picture.shape[1])):
            found[row - top, col - left] = picture[row, col]
    return found
