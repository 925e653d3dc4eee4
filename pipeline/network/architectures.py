"""ZFNet and AlexNet with their variants, each a chain (paper.md, sections 1, 4 and Table 3).

torchvision's AlexNet is another network: Krizhevsky, "One weird trick", arXiv 1404.5997.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline.errors import AtlasError
from pipeline.network.chain import Chain, ContrastNorm, Conv, Dropout, Linear, MaxPool, Op, ReLU

NORM = ContrastNorm(channels=5, alpha=1e-4, beta=0.75, k=2.0)
POOL = MaxPool(kernel=3, stride=2)


@dataclass(frozen=True)
class Block:
    """A conv layer before widths are known, and what follows its ReLU."""

    name: str
    channels: int
    kernel: int
    stride: int = 1
    padding: int = 0
    groups: int = 1
    then: tuple[Op, ...] = ()


ZFNET = (
    Block("conv1", 96, kernel=7, stride=2, then=(POOL, NORM)),
    Block("conv2", 256, kernel=5, stride=2, then=(POOL, NORM)),
    Block("conv3", 384, kernel=3, padding=1),
    Block("conv4", 384, kernel=3, padding=1),
    Block("conv5", 256, kernel=3, padding=1, then=(POOL,)),
)
ALEXNET = (
    Block("conv1", 96, kernel=11, stride=4, then=(NORM, POOL)),
    Block("conv2", 256, kernel=5, padding=2, groups=2, then=(NORM, POOL)),
    Block("conv3", 384, kernel=3, padding=1),
    Block("conv4", 384, kernel=3, padding=1, groups=2),
    Block("conv5", 256, kernel=3, padding=1, groups=2, then=(POOL,)),
)
ALEXNET_TORCHVISION = (
    Block("conv1", 64, kernel=11, stride=4, padding=2, then=(POOL,)),
    Block("conv2", 192, kernel=5, padding=2, then=(POOL,)),
    Block("conv3", 384, kernel=3, padding=1),
    Block("conv4", 256, kernel=3, padding=1),
    Block("conv5", 256, kernel=3, padding=1, then=(POOL,)),
)
ARCHITECTURES: dict[str, tuple[Block, ...]] = {
    "zfnet": ZFNET,
    "alexnet": ALEXNET,
    "alexnet-torchvision": ALEXNET_TORCHVISION,
}


@dataclass(frozen=True)
class Variant:
    """How a network differs from the paper's."""

    width: float = 1.0
    """Factor on every hidden layer's channels and features."""
    conv_channels: dict[str, int] = field(default_factory=dict)
    """Channels at width 1 that differ, by layer."""
    fc_features: int = 4096
    """Features of fc6 and fc7 at width 1."""
    without: tuple[str, ...] = ()
    """Layers left out."""
    dropout: float = 0.5
    """Chance of dropping a feature of fc6 and fc7 in training."""


def build_chain(arch: str, classes: int, input_px: int, variant: Variant | None = None) -> Chain:
    """The chain of an architecture by name, for a number of classes and an input size.

    Raises AtlasError for an unknown architecture or layer, a width that does not divide into the
    groups, or an input too small.
    """
    if arch not in ARCHITECTURES:
        raise AtlasError(
            f"There is no architecture {arch!r}.", fix=f"Choose of {', '.join(ARCHITECTURES)}."
        )
    variant = variant or Variant()
    blocks = ARCHITECTURES[arch]
    _check_names(blocks, variant)
    ops, channels = _conv_ops([b for b in blocks if b.name not in variant.without], variant)
    trunk = Chain(input_px, 3, tuple(ops))
    features = channels * trunk.sizes[-1] ** 2
    return Chain(input_px, 3, (*ops, *_linear_ops(features, classes, variant)))


def _check_names(blocks: Sequence[Block], variant: Variant) -> None:
    known = {block.name for block in blocks}
    if unknown := sorted(set(variant.conv_channels) - known):
        raise AtlasError(
            f"model.conv_channels names {', '.join(unknown)}, which the network lacks.",
            fix=f"Name layers of {', '.join(sorted(known))}.",
        )


def _conv_ops(blocks: Sequence[Block], variant: Variant) -> tuple[list[Op], int]:
    ops: list[Op] = []
    channels = 3
    for block in blocks:
        out = max(1, round(variant.conv_channels.get(block.name, block.channels) * variant.width))
        if out % block.groups or channels % block.groups:
            raise AtlasError(
                f"{block.name} would have {channels} input and {out} output channels, which do "
                f"not divide into {block.groups} groups.",
                fix="Choose another model.width.",
            )
        conv = Conv(
            block.name, channels, out, block.kernel, block.stride, block.padding, block.groups
        )
        ops += [conv, ReLU(), *block.then]
        channels = out
    return ops, channels


def _linear_ops(features: int, classes: int, variant: Variant) -> list[Op]:
    ops: list[Op] = []
    hidden = max(1, round(variant.fc_features * variant.width))
    for name in ("fc6", "fc7"):
        if name not in variant.without:
            ops += [Linear(name, features, hidden), ReLU(), Dropout(variant.dropout)]
            features = hidden
    return [*ops, Linear("fc8", features, classes)]


def parameter_count(chain: Chain) -> int:
    """Weights and biases of a chain."""
    return sum(_parameters(op) for _, op in chain.weighted())


def _parameters(op: Conv | Linear) -> int:
    if isinstance(op, Conv):
        return (op.in_channels // op.groups * op.kernel**2 + 1) * op.out_channels
    return (op.in_features + 1) * op.out_features
