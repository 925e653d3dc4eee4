"""The evaluation: CPU seconds against eleven forward passes an image and two decodes."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from benchmarks.cost import timed
from benchmarks.row import Row
from benchmarks.world import World, make_world
from pipeline.dataset.framing import centre_square
from pipeline.dataset.images import load_image
from pipeline.dataset.manifest import ImageRow
from pipeline.dataset.store import open_images
from pipeline.evaluation.classifier import BATCH
from pipeline.evaluation.evaluate import Evaluation, evaluate
from pipeline.network.model import Model, load_model
from pipeline.progress import no_progress
from pipeline.training.forward import TrainingForward


def rows(quick: bool) -> Iterator[Row]:
    """Full-width ZFNet at 224, ten crops and one, files to probabilities."""
    with tempfile.TemporaryDirectory() as folder:
        yield row(make_world(Path(folder)), 64 if quick else 96, repeats=1 if quick else 2)


def row(world: World, images: int, repeats: int) -> Row:
    """Both in turns on one thread; the least CPU seconds, the first turn aside."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    model, listed = load_model(world.folder / "model"), world.listed(images)
    photos = world.folder / "photos"
    plain_s, ours_s, errors = [], [], []
    for _ in range(repeats + 1):
        seconds, (one, ten) = timed(lambda: _plain(model, photos, listed))
        plain_s.append(seconds)
        seconds, found = timed(lambda: _ours(model, photos, listed))
        ours_s.append(seconds)
        errors += [np.abs(found.one_crop - one).max(), np.abs(found.ten_crops - ten).max()]
    torch.set_num_threads(threads)
    plain, ours = min(plain_s[1:]), min(ours_s[1:])
    return Row(
        f"evaluate on {images} images, one crop and ten",
        "eleven forward passes an image with the norm that training uses, and two decodes",
        plain / ours,
        "×",
        2.0,
        "higher",
        f"{1e3 * ours / images:.0f} against {1e3 * plain / images:.0f} CPU ms an image, one "
        f"thread; probabilities differ by at most {max(errors):.1g}",
    )


def _ours(model: Model, photos: Path, listed: Sequence[ImageRow]) -> Evaluation:
    device = torch.device("cpu")
    return evaluate(
        model, open_images(photos), listed, ten=True, device=device, threads=1, advance=no_progress
    )


@torch.inference_mode()
def _plain(model: Model, photos: Path, listed: Sequence[ImageRow]) -> tuple[np.ndarray, np.ndarray]:
    """One crop's probabilities and ten crops', as one would write it."""
    forward = TrainingForward(model.network.to(memory_format=torch.channels_last))
    card, end = model.card, model.card.resize - model.card.crop

    def classify(pixels: np.ndarray) -> np.ndarray:
        dense = torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2)
        return forward(model.normalisation(dense)).softmax(dim=1).numpy()

    one, ten = [], []
    for first in range(0, len(listed), BATCH):
        files = [(photos / row.path).read_bytes() for row in listed[first : first + BATCH]]
        one.append(classify(_decoded(files, card.resize, card.crop)))
        wide = _decoded(files, card.resize, card.resize)
        crops = []
        for top, left in [(0, 0), (0, end), (end, 0), (end, end), (end // 2, end // 2)]:
            window = wide[:, top : top + card.crop, left : left + card.crop]
            crops += [classify(window), classify(window[:, :, ::-1])]
        ten.append(np.mean(crops, axis=0))
    return np.concatenate(one), np.concatenate(ten)


def _decoded(files: Sequence[bytes], resize: int, crop: int) -> np.ndarray:
    return np.stack([centre_square(load_image(data), resize, crop) for data in files])
