"""Ties: maxima of a pool that agree to rounding, where two right implementations may differ.

The stores hold no switches. Where the reference's own picture differs from the stored one, the
switches of the run are made again, bit for bit, by the code that projected, and become a claim.
A claimed switch counts only where the reference's own value there is the maximum of its window up
to rounding; one that is not is a fault. The picture is then drawn anew with the claimed switches.
"""

from collections.abc import Callable, Mapping

import torch
from jaxtyping import Float64, Int64, UInt8
from torch import Tensor

from pipeline.verify.formulas import first_maximum

ROUNDING = 1e-5
"""Values of a pool closer than this agree to rounding, in units of the largest value of its map.
Single precision's own error at the second pool of ZFNet is some 1e-6 of it."""

Claim = tuple[tuple[int, int], UInt8[Tensor, "_ _ _"]]
"""The (row, col) of a window's first cell on a pool's map, which may lie outside it, and where in
each cell's own window of values the maximum stood, row by row."""
Recall = Callable[[str, int, int], Mapping[int, Claim]]
"""The run's switches for the entry (layer, channel, rank), by the position of each pool."""


class InvalidSwitchError(Exception):
    """A claimed switch points at a value that is no maximum."""


def apply_claims(
    windows: Callable[[int], Float64[Tensor, "channel _ _ value"]], claims: Mapping[int, Claim]
) -> dict[int, Int64[Tensor, "_ _ _"]]:
    """The reference's own choices, replaced by claimed ones where those are maxima to rounding.

    `windows` gives the values of each pool's windows, as `ReferencePass.windows` does. Raises
    InvalidSwitchError where a claimed one is not.
    """
    return {pool: _applied(windows(pool), claim) for pool, claim in claims.items()}


def _applied(
    windows: Float64[Tensor, "channel row col value"], claim: Claim
) -> Int64[Tensor, "channel row col"]:
    (row, col), offsets = claim
    own = first_maximum(windows)
    choice = own.clone()
    top, left = max(0, row), max(0, col)
    part = offsets[top - row :, left - col :].permute(2, 0, 1).long()
    target = choice[:, top : top + part.shape[1], left : left + part.shape[2]]
    target.copy_(part[:, : target.shape[1], : target.shape[2]])
    short = _value(windows, own) - _value(windows, choice)
    allowed = ROUNDING * float(windows[windows > -torch.inf].abs().max())
    if not bool((short <= allowed).all()):
        raise InvalidSwitchError(f"{int((~(short <= allowed)).sum())} switches point at no maximum")
    return choice


def _value(
    windows: Float64[Tensor, "channel row col value"], choice: Int64[Tensor, "channel row col"]
) -> Float64[Tensor, "channel row col"]:
    return windows.gather(3, choice[..., None])[..., 0]
