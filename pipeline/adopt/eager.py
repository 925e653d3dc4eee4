"""A module as its Python code makes it: not compiled, not TorchScript, with all its weights.

Only such a module says what it calls, and can be copied.
"""

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from pipeline.errors import AtlasError


def eager(module: nn.Module, arch: str) -> nn.Module:
    """A module without torch.compile.

    Raises AtlasError for TorchScript, and for a part whose weights are not there yet.
    """
    module = _uncompiled(module)
    for path, part in module.named_modules():
        named = f"{path} of {arch}" if path else arch
        if isinstance(part, torch.jit.ScriptModule):
            raise AtlasError(
                f"{named} is TorchScript, whose calls cannot be read.",
                fix="Return the module as it is before torch.jit.script or torch.jit.trace.",
            )
        if any(map(is_lazy, [*part.parameters(recurse=False), *part.buffers(recurse=False)])):
            raise AtlasError(
                f"{named} is lazy: it has no weights before it first runs.",
                fix="Run the module once in the function, as in "
                "`module(torch.zeros(1, 3, 224, 224))`, or use layers that are not lazy.",
            )
    return module


def _uncompiled(module: nn.Module) -> nn.Module:
    """A module and its parts as they were before torch.compile, which would compile each copy."""
    module = getattr(module, "_orig_mod", module)
    module._compiled_call_impl = None  # what `module.compile()` left
    for name, part in module._modules.items():
        if part is not None:
            module._modules[name] = _uncompiled(part)
    return module


def forget_runs(module: nn.Module) -> None:
    """Take autograd's history from tensors in attributes; with it a module cannot be copied.

    `torch.nn.utils.weight_norm` leaves such a tensor, and so does who keeps a map that was made.
    """
    for part in module.modules():
        for name, value in vars(part).items():
            if isinstance(value, Tensor):
                vars(part)[name] = value.detach()
