"""One entry of the stores, compared with the reference."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float64, Int32, UInt8
from torch import Tensor

from pipeline.network.receptive_field import Field
from pipeline.storage.entry import Entry
from pipeline.verify.reference import Reference, ReferencePass
from pipeline.verify.ties import ROUNDING, InvalidSwitchError, SwitchClaims, apply_claims

PROJECTION_ERROR = 2e-3
"""The largest relative L2 error of a stored projection: half precision and scale included."""
ACTIVATION_ERROR = 1e-4
"""The largest error of a stored activation, in the units of `unit_of`."""
FLOOR = 1e-2
"""The share of a layer's largest activation in the unit of each of its channels: single
precision sums terms of that size, so a weak channel's error may be some 1e-7 of it."""

Status = Literal["agreed", "tied", "wrong"]


@dataclass(frozen=True)
class PictureFrame:
    """The frame of a layer's pictures, and the size at which they are stored."""

    field: Field
    reduction: int = 1
    """The side of the squares of input pixels that are one pixel of a picture."""


@dataclass(frozen=True)
class _Picture:
    """The part of an image that a picture shows, and how far it is reduced."""

    frame: Int32[np.ndarray, "4"]
    reduction: int


@dataclass
class Verdict:
    """The reference's judgement of an entry."""

    entry: Entry
    status: Status = "agreed"
    """`tied`: right, but only with the run's own choice among values that agree to rounding."""
    projection_error: float = 0.0
    """Relative L2."""
    activation_error: float = 0.0
    """In the units of `unit_of`."""
    faults: list[str] = field(default_factory=list)
    """What is wrong, in words."""

    def fail(self, fault: str) -> None:
        """Note a fault."""
        self.status = "wrong"
        self.faults.append(f"{self.entry}: {fault}")

    def tie(self) -> None:
        """Note that the entry is right up to a tie."""
        if self.status == "agreed":
            self.status = "tied"


def check_entry(
    reference: Reference,
    passed: ReferencePass,
    entry: Entry,
    shown: PictureFrame,
    pixels: UInt8[np.ndarray, "row col 3"],
    image: Float64[Tensor, "3 row col"],
    replay: SwitchClaims,
    activation_error: float,
) -> Verdict:
    """Recompute an entry from its image: activation, cell, box, projection and crop.

    `passed` is the image's pass up to the entry's layer, at least.
    """
    verdict = Verdict(entry)
    _check_peak(verdict, passed.maps(entry.layer), activation_error)
    cell = np.array(entry.cell, np.int32)
    box, frame = shown.field.unit_boxes(np.array(entry.channel), cell), shown.field.boxes(cell)
    patch = cut_out(torch.from_numpy(pixels.copy()), frame)
    if list(entry.box) != box.tolist():
        verdict.fail(f"its box is {list(entry.box)}, not {box.tolist()}")
    elif not np.array_equal(entry.crop, _rounded(_reduced(patch.double(), shown.reduction))):
        verdict.fail("its crop does not show the pixels of its box")
    else:
        picture = _Picture(frame, shown.reduction)
        _check_projection(verdict, reference, passed, image, replay, picture)
    return verdict


def _check_peak(verdict: Verdict, maps: Float64[Tensor, "channel row col"], allowed: float) -> None:
    entry = verdict.entry
    own, unit = maps[entry.channel], float(unit_of(maps)[entry.channel])
    verdict.activation_error = abs(float(own[entry.cell]) - entry.activation) / unit
    if not verdict.activation_error <= allowed:
        verdict.fail(f"its activation is {entry.activation:.6g}, not {float(own[entry.cell]):.6g}")
    largest = int(own.flatten().argmax())
    ahead = float(own.max() - own[entry.cell]) / unit
    if not ahead <= max(ROUNDING, allowed / 10):
        verdict.fail(f"its cell {entry.cell} is not the peak: cell number {largest} is larger")
    elif (own == own.max()).nonzero()[0].tolist() != list(entry.cell):
        verdict.tie()


def unit_of(maps: Float64[Tensor, "channel row col"]) -> Float64[Tensor, " channel"]:
    """What errors of each channel's activations are measured in: its own peak, and a little of the
    layer's largest finite one. Never 0."""
    finite = maps.abs().nan_to_num(nan=0.0, posinf=0.0)
    return finite.amax(dim=(1, 2)) + FLOOR * (finite.max() or 1.0)


def _check_projection(
    verdict: Verdict,
    reference: Reference,
    passed: ReferencePass,
    image: Float64[Tensor, "3 row col"],
    replay: SwitchClaims,
    picture: _Picture,
) -> None:
    entry = verdict.entry
    verdict.projection_error = _error(entry, passed, picture)
    if verdict.projection_error <= PROJECTION_ERROR:
        return
    claims = replay(entry.layer, entry.channel, entry.rank)
    try:
        choices = apply_claims(passed.windows, claims, passed.curved)
    except InvalidSwitchError as error:
        verdict.fail(f"its projection is off by {verdict.projection_error:.2g}, and {error}")
        return
    own_error = verdict.projection_error
    verdict.projection_error = _error(entry, reference(image, [entry.layer], choices), picture)
    if not verdict.projection_error <= PROJECTION_ERROR:
        verdict.fail(
            f"its projection is off by {min(own_error, verdict.projection_error):.2g} of its size"
        )
    verdict.tie()


def _reduced(picture: Float64[Tensor, "row col 3"], factor: int) -> Float64[Tensor, "_ _ 3"]:
    """Means over squares of pixels, as far as they are in the picture."""
    rows, cols = (-(-side // factor) for side in picture.shape[:2])
    beyond = (0, 0, 0, cols * factor - picture.shape[1], 0, rows * factor - picture.shape[0])
    squares = torch.nn.functional.pad(picture, beyond, value=torch.nan)
    return squares.reshape(rows, factor, cols, factor, 3).nanmean(dim=(1, 3))


def _rounded(pixels: Float64[Tensor, "row col 3"]) -> UInt8[np.ndarray, "row col 3"]:
    return (pixels + 0.5 + 1e-9).floor().to(torch.uint8).numpy()


def _error(entry: Entry, passed: ReferencePass, picture: _Picture) -> float:
    """Relative L2 distance of the stored projection from the reference's, on the frame."""
    projection = passed.project(entry.layer, (entry.channel, *entry.cell), entry.activation)
    expected = _reduced(cut_out(projection, picture.frame), picture.reduction)
    size = float(expected.norm())
    distance = float((torch.from_numpy(entry.projection).double() - expected).norm())
    return distance / size if size else distance


def cut_out(image: Tensor, box: Int32[np.ndarray, "4"]) -> Tensor:
    """The part of an image (row, col, rgb) under a box; 0 where the box reaches outside."""
    top, left, bottom, right = box.tolist()
    rows, cols = image.shape[:2]
    over = (max(0, -left), max(0, right - cols), max(0, -top), max(0, bottom - rows))
    around = torch.nn.functional.pad(image.permute(2, 0, 1), over).permute(1, 2, 0)
    first_row, first_col = max(0, top), max(0, left)
    return around[first_row : first_row + bottom - top, first_col : first_col + right - left]
