"""The device that a stage computes on."""

import torch

from pipeline.errors import AtlasError


def parse_device(text: str, *, remote: bool = False) -> torch.device:
    """The device of an option such as `cpu`, `cuda` or `cuda:1`.

    Raises AtlasError for a name that torch does not know or a device that is not there;
    `remote` asks for that on no machine but the workers'.
    """
    try:
        device = torch.device(text)
    except RuntimeError:
        raise AtlasError(f"{text!r} is not a device.", fix="Use cpu, cuda or cuda:0.") from None
    if device.type not in ("cpu", "cuda"):
        raise AtlasError(f"The device {text!r} is not supported.", fix="Use cpu, cuda or cuda:0.")
    if device.type == "cuda" and not remote and (device.index or 0) >= torch.cuda.device_count():
        raise AtlasError(
            f"There is no device {text!r}: torch sees {torch.cuda.device_count()} CUDA device(s).",
            fix="Use --device cpu, or fix the driver or CUDA_VISIBLE_DEVICES.",
        )
    return device


def device_for_slot(device: torch.device, slot: int) -> torch.device:
    """The device of one of several processes of a machine: a bare `cuda` goes round its cards."""
    if device.type != "cuda" or device.index is not None:
        return device
    return torch.device("cuda", slot % max(1, torch.cuda.device_count()))


def supports_bfloat16(device: torch.device) -> bool:
    """Whether a device has products in bfloat16; a CPU without them takes a far slower way."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def configure_matmul(device: torch.device, *, tf32: bool) -> None:
    """Have a GPU compute in float32, and each time the same bits; with `tf32`, in fewer bits.

    The settings are the process's: every task makes its own, since another kind may have run
    before it.
    """
    if device.type == "cuda":
        torch.backends.cudnn.benchmark = False
        torch.backends.cudnn.deterministic = True
        torch.backends.cudnn.allow_tf32 = tf32
        torch.backends.cuda.matmul.allow_tf32 = tf32
