"""What a module itself makes of an image, in double precision, and what comes back down through it.

Its own code runs here, so whatever it raises is said in one line.
"""

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

from jaxtyping import Float
from torch import Tensor, nn

from pipeline.adopt.trace import UnreadableError, first_line
from pipeline.errors import is_lack_of_memory

OUTPUT = "output"
"""Stands for the network's output where maps go by the name of their layer."""
DIFFERENTIABLE = (
    "Take out of its forward what stops gradients: `.detach()`, `.data`, `torch.no_grad()`, whole "
    "numbers, torch.utils.checkpoint."
)
Image = Float[Tensor, "1 channel row col"]


def in_double(module: nn.Module) -> nn.Module:
    """A copy of a module that computes in double precision.

    Raises UnreadableError where its attributes hold what cannot be copied.
    """
    fix = "Keep no maps, open files or locks in its attributes."
    with _said("The network cannot be copied", fix):
        copied = copy.deepcopy(module)
    return copied.double().eval().requires_grad_(False)


def module_maps(module: nn.Module, paths: Iterable[str], image: Image) -> dict[str, Tensor]:
    """What the forwards of some submodules make of an image, and the module itself."""
    found: dict[str, Tensor] = {}

    def note(path: str) -> Callable[..., None]:
        return lambda _module, _inputs, made: found.update({path: made * 1})

    # First of all hooks: one of the user's may change what the forward made.
    hooks = [
        module.get_submodule(path).register_forward_hook(note(path), prepend=True) for path in paths
    ]
    try:
        output = module(image)
    finally:
        for hook in hooks:
            hook.remove()
    while not isinstance(output, Tensor):
        output = next(iter(output.values() if isinstance(output, Mapping) else output))
    return {**found, OUTPUT: output}


def double_maps(module: nn.Module, paths: Iterable[str], image: Image) -> dict[str, Tensor]:
    """What a copy of the module in double precision makes of an image.

    Raises UnreadableError where the copy does not run, or no gradient comes down from a map.
    """
    copied = in_double(module)
    with _said(
        "The network does not run in double precision and with gradients, as it is compared with "
        "its graph",
        "Take out of its forward what fixes a precision, such as `.float()`, or stops gradients, "
        "such as `torch.inference_mode()`.",
    ):
        maps = module_maps(copied, paths, image)
    for layer, made in maps.items():
        if not made.requires_grad:
            where = "its output" if layer == OUTPUT else layer
            raise UnreadableError(
                f"No gradient comes down through the network from {where}, so projections through "
                "it cannot be compared.",
                fix=DIFFERENTIABLE,
            )
    return maps


def through_module() -> AbstractContextManager[None]:
    """Gradients down through a module; what torch raises where it spoils them is a refusal."""
    problem = "Projections through the network cannot be made, so none can be compared"
    return _said(problem, DIFFERENTIABLE, RuntimeError)


@contextmanager
def _said(problem: str, fix: str, kind: type[Exception] = Exception) -> Iterator[None]:
    """What a module's own code raises, in one line; a lack of memory stays what it is."""
    try:
        yield
    except kind as error:
        if is_lack_of_memory(error):
            raise
        raise UnreadableError(
            f"{problem}: {type(error).__name__}: {first_line(error)}.", fix=fix
        ) from None
