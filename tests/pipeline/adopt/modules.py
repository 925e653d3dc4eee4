"""Small networks, as users write them."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.adopt.read import read

INPUT = (3, 24, 20)


class Block(nn.Module):
    """A residual block whose sum and ReLU are functions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(x + self.norm(self.conv(x)))


class Small(nn.Module):
    """Convolution, pool, two blocks, class scores."""

    def __init__(self, classes: int = 5) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 5, stride=2, padding=2)
        self.block1 = Block(8)
        self.block2 = Block(8)
        self.head = nn.Linear(8, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.max_pool2d(functional.relu(self.stem(x)), 3, 2)
        x = self.block2(self.block1(x))
        return self.head(x.mean((2, 3)))


class Gate(nn.Module):
    """Squeeze and excite."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.down = nn.Linear(channels, 2)
        self.up = nn.Linear(2, channels)

    def forward(self, x: Tensor) -> Tensor:
        gate = functional.relu(self.down(x.mean((2, 3))))
        return x * torch.sigmoid(self.up(gate))[:, :, None, None]


class Shuffle(nn.Module):
    """The channels of two groups, interleaved."""

    def forward(self, x: Tensor) -> Tensor:
        images, channels, rows, cols = x.shape
        groups = x.view(images, 2, channels // 2, rows, cols)
        return groups.transpose(1, 2).reshape(x.shape)


class Lambda(nn.Module):
    """A function as a module."""

    def __init__(self, function) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


def drawn(module: nn.Module, seed: int = 0) -> nn.Module:
    """The module with weights and statistics that leave no term at 0 or 1."""
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            if not tensor.is_floating_point():
                continue
            if name.endswith("running_var") or (tensor.ndim == 1 and name.endswith("weight")):
                tensor.uniform_(0.5, 1.5, generator=rng)
            elif tensor.ndim > 1:
                tensor.normal_(0, (2 / tensor[0].numel()) ** 0.5, generator=rng)
            else:
                tensor.normal_(0, 0.1, generator=rng)
    return module.eval()


def ops_of(*modules: nn.Module, shape=INPUT) -> list[type]:
    """Kinds of the nodes that a chain of modules becomes, the input aside."""
    graph, _ = read(nn.Sequential(*modules), shape)
    return [type(node.op) for node in graph.nodes[1:]]


def last_op(module: nn.Module, shape=INPUT):
    """The last operation of a module's graph."""
    graph, _ = read(module, shape)
    return graph.nodes[graph.output].op
