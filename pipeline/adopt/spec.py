"""The spec of a network from elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.network.weights_file import SUFFIXES

Arguments = Mapping[str, str | int | float | bool | None]


@dataclass(frozen=True)
class Spec:
    """A network from elsewhere: what makes it, with which arguments and weights."""

    arch: str
    """torchvision:NAME, timm:NAME or package.module:function."""
    arguments: Arguments
    weights: str | None
    """A name of torchvision's or a file; None: those that the function leaves in the module."""
    root: Path
    """The folder that `nets` and relative weights files are in."""

    @property
    def maker(self) -> str:
        """What is before the colon."""
        return self.arch.partition(":")[0]

    @property
    def name(self) -> str:
        """What is after the colon."""
        return self.arch.partition(":")[2]

    @property
    def file(self) -> Path | None:
        """The weights file; None where the weights are a name or the function's own."""
        if self.weights is None or not _names_file(self.weights):
            return None
        return self.root / Path(self.weights).expanduser()


def _names_file(weights: str) -> bool:
    return Path(weights).suffix.lower() in SUFFIXES
