"""The tensors of a weights file, given to a module that is made elsewhere."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor, nn

from pipeline.adopt.external_weights import COUNT, read_tensors, unwrapped
from pipeline.adopt.spec import Spec
from pipeline.errors import AtlasError
from pipeline.network.weights_file import Tensors
from pipeline.storage.hashing import sha256_of


def load_file(module: nn.Module, spec: Spec) -> str | None:
    """Give a module the tensors of its spec's file; the file's sha256, None where it has none.

    Raises AtlasError naming every tensor that is missing, of another shape or kind, or too many.
    """
    file = spec.file
    if file is None:
        return None
    own = module.state_dict()
    tensors = unwrapped(read_tensors(file), own.keys(), file)
    _check_some_fit(own, tensors, spec, file)
    expected = {name: tuple(t.shape) for name, t in own.items()}
    given = {name: tuple(t.shape) for name, t in tensors.items()}
    faults = [
        f"{name} is {given.get(name, 'missing')}, not {shape}"
        for name, shape in sorted(expected.items())
        if given.get(name) != shape and not name.endswith(COUNT)
    ]
    faults += [f"{name} is not part of it" for name in sorted(given.keys() - expected.keys())]
    _refuse(faults, spec, file)
    check_kinds(own, tensors, spec, file)
    module.load_state_dict(tensors, strict=False)
    return sha256_of(file)


def check_kinds(own: Mapping[str, Tensor], tensors: Tensors, spec: Spec, file: Path) -> None:
    """Raise AtlasError naming the tensors that would become another kind of number in a module.

    Counts would become weights, say.
    """
    faults = [
        f"{name} is of {tensor.dtype}, not {own[name].dtype}"
        for name, tensor in tensors.items()
        if name in own and tensor.is_floating_point() != own[name].is_floating_point()
    ]
    _refuse(faults, spec, file)


def _check_some_fit(own: Mapping[str, Tensor], tensors: Tensors, spec: Spec, file: Path) -> None:
    """Raise AtlasError where a file has none of a module's names: it is one fault, not many."""
    if own and tensors and not own.keys() & tensors.keys():
        raise AtlasError(
            f"{file} does not fit {spec.arch}: its names, such as {next(iter(tensors))}, are none "
            f"of the module's, such as {next(iter(own))}, nor these under one prefix.",
            fix="Save the state_dict of the module that the function returns.",
        )


def _refuse(faults: Sequence[str], spec: Spec, file: Path) -> None:
    if not faults:
        return
    more = f" and {len(faults) - 5} more" if len(faults) > 5 else ""
    raise AtlasError(
        f"{file} does not fit {spec.arch}: {'; '.join(faults[:5])}{more}.",
        fix="Name the architecture that the weights were trained with; --arguments may set it, "
        "for instance num_classes.",
    )
