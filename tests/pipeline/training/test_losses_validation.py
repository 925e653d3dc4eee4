"""Validation against means taken image by image."""

import numpy as np
import pytest
import torch

from pipeline.dataset.decoded import ImageDataset
from pipeline.network.architectures import Variant, build_chain
from pipeline.network.normalisation import Normalisation
from pipeline.training import losses as module
from pipeline.training.distributed import Group
from pipeline.training.forward import TrainingForward
from pipeline.training.init import init_network
from pipeline.training.losses import Validation, as_views, validate

NORMALISATION = Normalisation(torch.full((3, 1, 1), 120.0), torch.full((1, 1, 1), 0.02))
LABELS = np.array([0, 1, 2, 1, 0])


class Drawn(ImageDataset):
    """Squares of noise."""

    side = 64

    def __init__(self, count):
        chance = np.random.default_rng(0)
        self.pixels = chance.integers(0, 256, (count, 64, 64, 3), dtype=np.uint8)

    def __len__(self):
        return len(self.pixels)

    def __getitems__(self, rows):
        return self.pixels[rows]


@pytest.fixture
def forward():
    network = init_network(
        build_chain("zfnet", 3, 64, Variant(width=0.05, fc_features=16)),
        "he",
        torch.Generator().manual_seed(0),
    ).eval()
    with torch.no_grad():
        network.conv3.bias[:4] = -1e6
    return TrainingForward(network)


def test_loss_error_and_dead_channels_are_those_of_all_images(forward, monkeypatch):
    monkeypatch.setattr(module, "BATCH", 2)
    images = Drawn(5)
    found = validate(forward, images, LABELS, NORMALISATION, Group(), 1, half=False)
    losses, wrong = [], []
    for pixels, label in zip(images.pixels, LABELS, strict=True):
        inputs = (torch.from_numpy(pixels).permute(2, 0, 1)[None].float() - 120) * 0.02
        with torch.no_grad():
            probabilities = forward.network(inputs)[0].double().softmax(0)
        losses.append(-float(probabilities[label].log()))
        wrong.append(int(probabilities.argmax()) != label)
    assert found.loss == pytest.approx(np.mean(losses), rel=1e-5)
    assert found.top1_error == np.mean(wrong)
    assert found.dead["conv3"] >= 4
    assert found.dead["conv1"] == 0


def test_without_images_there_is_nothing_to_say(forward):
    empty = validate(forward, Drawn(0), LABELS[:0], NORMALISATION, Group(), 1, half=False)
    assert empty == Validation(None, None, {})


def test_views_have_the_colours_in_front_and_lie_channels_last():
    pixels = np.arange(2 * 4 * 5 * 3, dtype=np.uint8).reshape(2, 4, 5, 3)[:, :, ::-1]
    views = as_views(pixels, torch.device("cpu"))
    assert views.shape == (2, 3, 4, 5)
    assert views[1, 2, 3, 4] == pixels[1, 3, 4, 2]
    assert views.is_contiguous(memory_format=torch.channels_last)
