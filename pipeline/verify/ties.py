"""Ties: values that agree to rounding, where two right implementations may differ: maxima of a
pool, and which side of a bend of its activation function a value is on.

The stores hold no switches. Where the reference's own picture differs from the stored one, the
switches of the run are made again, bit for bit, by the code that projected, and become a claim.
A claimed switch counts only where the reference's own value there is the maximum of its window up
to rounding, a claimed slope where the function has it within rounding of the reference's value; one
that does not is a fault. The picture is then drawn again with the claimed switches.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float64, Int64, Shaped
from torch import Tensor

from pipeline.verify.curves import CurveFunction, slope_of
from pipeline.verify.formulas import first_maximum

ROUNDING = 1e-5
"""Values of a map closer than this agree to rounding, in units of its largest value.
Single precision's own error at the second pool of ZFNet is some 1e-6 of it."""

Claim = tuple[tuple[int, int], Shaped[Tensor, "_ _ _"]]
"""The (row, col) of a window's first cell on a node's map, which may lie outside it, and of a pool
where in each cell's own window of values the maximum stood, row by row, a byte per cell; of an
activation function its slopes."""
SwitchClaims = Callable[[str, int, int], Mapping[int, Claim]]
"""The switches that the run recorded for the entry (layer, channel, rank), by node."""


class InvalidSwitchError(Exception):
    """A claimed switch does not point at a maximum, or a slope is not the function's."""


@dataclass(frozen=True)
class Curved:
    """An activation function and what it was applied to."""

    curve: CurveFunction
    values: Float64[Tensor, "channel row col"]


def _no_curve(_: int) -> Curved | None:
    return None


def apply_claims(
    windows: Callable[[int], Float64[Tensor, "channel _ _ value"]],
    claims: Mapping[int, Claim],
    curved: Callable[[int], Curved | None] = _no_curve,
) -> dict[int, Shaped[Tensor, "_ _ _"]]:
    """The reference's own choices, replaced by claimed ones where those hold to rounding.

    `windows` gives the values of each pool's windows and `curved` those of each activation
    function, as a `ReferencePass` does. Claims of gates and deviations are left out: they have no
    bend, so two implementations differ by rounding alone. Raises InvalidSwitchError where a claimed
    one does not hold.
    """
    choices: dict[int, Tensor] = {}
    for at, claim in claims.items():
        if claim[1].dtype == torch.uint8:
            choices[at] = _applied(windows(at), claim)
        elif (function := curved(at)) is not None:
            choices[at] = _applied_slope(function, claim)
    return choices


def _applied_slope(curved: Curved, claim: Claim) -> Float64[Tensor, "channel row col"]:
    values = curved.values
    own = slope_of(curved.curve, values)
    slope = _claimed(own, claim)
    nearby = ROUNDING * float(values.abs().max())
    sides = torch.stack([own, *(slope_of(curved.curve, values + d) for d in (-nearby, nearby))])
    low, high = sides.amin(dim=0) - ROUNDING, sides.amax(dim=0) + ROUNDING
    wrong = ~((low <= slope) & (slope <= high))
    if bool(wrong.any()):
        raise InvalidSwitchError(f"{int(wrong.sum())} slopes are not their activation function's")
    return slope


def _claimed(
    own: Shaped[Tensor, "channel row col"], claim: Claim
) -> Shaped[Tensor, "channel row col"]:
    """The reference's own choices, with the claimed ones in their window."""
    (row, col), values = claim
    choice = own.clone()
    top, left = max(0, row), max(0, col)
    part = values[top - row :, left - col :].permute(2, 0, 1).to(own.dtype)
    target = choice[:, top : top + part.shape[1], left : left + part.shape[2]]
    target.copy_(part[:, : target.shape[1], : target.shape[2]])
    return choice


def _applied(
    windows: Float64[Tensor, "channel row col value"], claim: Claim
) -> Int64[Tensor, "channel row col"]:
    own = first_maximum(windows)
    choice: Int64[Tensor, "channel row col"] = _claimed(own, claim)
    short = _value(windows, own) - _value(windows, choice)
    allowed = ROUNDING * float(windows[windows > -torch.inf].abs().max())
    if not bool((short <= allowed).all()):
        raise InvalidSwitchError(f"{int((~(short <= allowed)).sum())} switches point at no maximum")
    return choice


def _value(
    windows: Float64[Tensor, "channel row col value"], choice: Int64[Tensor, "channel row col"]
) -> Float64[Tensor, "channel row col"]:
    return windows.gather(3, choice[..., None])[..., 0]
