"""Figure 7's maps: the incremental forward pass against a whole one for every place, and Captum."""

from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter

import numpy as np
import torch
from captum.attr import Occlusion
from jaxtyping import Float32, UInt8
from torch import Tensor

from benchmarks.cost import timed
from benchmarks.row import Row
from pipeline.figures.occlusion import OcclusionMaps, occlude
from pipeline.network.architectures import build_chain
from pipeline.network.module import Network
from pipeline.network.normalisation import Normalisation

SIDE, STRIDE, GREY, CROP = 32, 8, 128, 224
BATCH = 32
LABEL = 7
NORMALISE = Normalisation(torch.full((3, 1, 1), 118.0), torch.full((1, 1, 1), 1 / 64))


@dataclass(frozen=True)
class Case:
    """A full ZFNet with drawn weights, and an image."""

    network: Network
    pixels: UInt8[np.ndarray, "row col 3"]

    @property
    def image(self) -> Tensor:
        """The network input."""
        return NORMALISE(torch.from_numpy(self.pixels).permute(2, 0, 1)[None])


def rows(quick: bool) -> Iterator[Row]:
    """Full-width ZFNet at 224, square 32, stride 8, one thread; the least of some turns."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        case, repeats = _case(), 1 if quick else 3
        ours_s, maps = min((timed(lambda: _ours(case)) for _ in range(repeats)), key=itemgetter(0))
        plain = [timed(lambda: _plain(case, maps)) for _ in range(repeats)]
        plain_s, whole = min(plain, key=itemgetter(0))
        captum_s, _ = timed(lambda: _captum(case))
    finally:
        torch.set_num_threads(threads)
    places = maps.probability.size
    name = f"occlusion map of {places} places, square {SIDE}, stride {STRIDE}"
    yield _row(name, f"a whole forward pass each, {BATCH} per batch", plain_s, ours_s)
    yield _row(name, f"Captum's Occlusion, {BATCH} per batch, scores alone", captum_s, ours_s)
    error = np.abs(maps.probability - whole).max() / whole.max()
    yield Row(
        "error of its probabilities",
        "a whole forward pass each",
        float(error),
        "",
        1e-4,
        "lower",
        "largest difference at any place, of the largest value",
    )


def _row(name: str, against: str, theirs: float, ours: float) -> Row:
    note = f"{ours:.1f} against {theirs:.1f} CPU seconds"
    return Row(name, against, theirs / ours, "×", 5, "higher", note)


@torch.no_grad()
def _case() -> Case:
    chance = torch.Generator().manual_seed(0)
    network = Network(build_chain("zfnet", 101, CROP)).eval().requires_grad_(False)
    for weight in network.parameters():
        spread = (2 / weight[0].numel()) ** 0.5 if weight.ndim > 1 else 0.0
        weight.copy_(torch.randn(weight.shape, generator=chance) * spread)
    coarse = torch.randn(1, 3, 28, 28, generator=chance)
    smooth = torch.nn.functional.interpolate(coarse, (CROP, CROP), mode="bicubic")
    pixels = (128 + 60 * smooth[0]).clamp(0, 255).byte().permute(1, 2, 0)
    return Case(network, pixels.contiguous().numpy())


def _ours(case: Case) -> OcclusionMaps:
    return occlude(case.network, NORMALISE, "conv5", case.pixels, LABEL, SIDE, STRIDE, GREY)


@torch.inference_mode()
def _plain(case: Case, maps: OcclusionMaps) -> Float32[np.ndarray, "row col"]:
    """The probabilities by whole forward passes."""
    places = [(row, col) for row in maps.corner_rows for col in maps.corner_cols]
    found = []
    for first in range(0, len(places), BATCH):
        masked = []
        for row, col in places[first : first + BATCH]:
            pixels = case.pixels.copy()
            pixels[row : row + SIDE, col : col + SIDE] = GREY
            masked.append(pixels)
        inputs = NORMALISE(torch.from_numpy(np.stack(masked)).permute(0, 3, 1, 2))
        found.append(case.network(inputs).softmax(dim=1)[:, LABEL])
    return torch.cat(found).view(maps.probability.shape).numpy()


def _captum(case: Case) -> None:
    grey = NORMALISE(torch.full((1, 3, CROP, CROP), GREY, dtype=torch.uint8))
    with torch.no_grad():
        Occlusion(case.network).attribute(
            case.image,
            sliding_window_shapes=(3, SIDE, SIDE),
            strides=(3, STRIDE, STRIDE),
            baselines=grey,
            target=LABEL,
            perturbations_per_eval=BATCH,
        )
