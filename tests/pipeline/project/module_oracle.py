"""Projections through a torch module itself, by autograd: nothing of a graph or of its reader."""

import torch
from torch import nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

RELUS = {functional.relu, torch.relu, torch.relu_, torch.Tensor.relu, torch.Tensor.relu_}
RELU6S = {functional.relu6, functional.hardtanh}
CURVES = {functional.silu, functional.hardswish, functional.gelu}


class Ruled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, values, method, curve):
        with torch.enable_grad():
            inner = values.detach().requires_grad_()
            made = curve(inner)
            ctx.slope = torch.autograd.grad(made.sum(), inner)[0]
        ctx.method = method
        return made.detach()

    @staticmethod
    def backward(ctx, signal):
        if ctx.method != "gradient":
            signal = signal.clamp(min=0)
        return (signal if ctx.method == "deconvnet" else signal * ctx.slope), None, None


class Rules(TorchFunctionMode):
    """Meets every activation function however it is called."""

    def __init__(self, method):
        super().__init__()
        self.method = method

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if function in RELUS:
            return Ruled.apply(args[0], self.method, lambda x: x.clamp(min=0))
        if function in RELU6S:
            return Ruled.apply(args[0], self.method, lambda x: x.clamp(0, 6))
        if function in CURVES:
            return Ruled.apply(args[0], self.method, lambda x: function(x))
        return function(*args, **(kwargs or {}))


def module_projection(module, image, target, unit, start, method, before=None):
    """The picture (row, col, colour) of one unit of the output of a submodule.

    `before` takes what the submodule was given instead of what it made: the seed of a sum whose
    ReLU is part of the same module.
    """
    kept = []

    def keep(_, inputs, output):
        kept.append(inputs[0] if before else output)

    handle = target.register_forward_hook(keep)
    pixels = image[None].clone().requires_grad_()
    with Rules(method):
        module(pixels)
    handle.remove()
    value = kept[-1][0][unit]
    (below,) = torch.autograd.grad(value * start, pixels)
    return below[0].permute(1, 2, 0)


@torch.no_grad()
def calibrated(module, size, seed=0):
    """A module with random weights whose norms have the statistics of random images."""
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in module.named_parameters():
        if tensor.ndim > 1:
            spread = (2 / tensor[0].numel()) ** 0.5
            tensor.copy_(torch.randn(tensor.shape, generator=generator) * spread)
        elif name.endswith("weight"):
            tensor.copy_(1 + 0.2 * torch.randn(tensor.shape, generator=generator))
        else:
            tensor.copy_(0.1 * torch.randn(tensor.shape, generator=generator))
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.momentum = None
            part.reset_running_stats()
    module.train()
    module(torch.randn(8, *size, generator=generator))
    return module.eval()
