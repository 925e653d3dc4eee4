import numpy as np
import pytest
import torch

from pipeline.network.receptive_field import receptive_field
from pipeline.storage.entry import Entry
from pipeline.verify.entry import PictureFrame, check_entry, cut_out
from pipeline.verify.reference import Reference
from tests.pipeline.project.oracle import random_network

CELL, CHANNEL = (4, 4), 3
SIDE = 96


def flat_image():
    """White but for a patch: most pools of the first layer see equal values."""
    image = np.full((SIDE, SIDE, 3), 255, np.uint8)
    image[40:52, 40:52] = np.random.default_rng(0).integers(0, 256, (12, 12, 3))
    return image


def made(recall_offsets):
    """A verdict on an entry whose picture took, of equal values, those that `replay` claims."""
    network, pixels = random_network(), flat_image()
    image = torch.from_numpy(pixels).permute(2, 0, 1).double() / 255
    reference = Reference(network.graph, dict(network.named_parameters()))
    first = reference(image, ["conv2"])
    maps = first.maps("conv2")[CHANNEL]
    cell = divmod(int(maps.flatten().argmax()), maps.shape[1])
    windows = first.windows(3)
    tied = windows >= windows.amax(dim=3, keepdim=True) - 1e-9
    place = torch.arange(9)
    last = torch.where(tied, place, -1).amax(dim=3)
    unit, peak = (CHANNEL, *cell), float(maps.max())
    drawn = reference(image, ["conv2"], {3: last}).project("conv2", unit, peak)
    claims = {3: ((0, 0), recall_offsets(last).permute(1, 2, 0).to(torch.uint8))}
    return checked(reference, pixels, cell, peak, drawn, claims)


def checked(reference, pixels, cell, peak, drawn, claims):
    """The verdict on an entry of the channel that stores a peak and a picture."""
    image = torch.from_numpy(pixels).permute(2, 0, 1).double() / 255
    field = receptive_field(reference.graph, "conv2")
    box = field.boxes(np.array(cell, np.int32))
    entry = Entry(
        layer="conv2",
        channel=CHANNEL,
        rank=0,
        activation=peak,
        image=0,
        label="one",
        path="one.png",
        cell=cell,
        box=tuple(box.tolist()),
        projection=cut_out(drawn, box).float().numpy(),
        crop=cut_out(torch.from_numpy(pixels), box).numpy(),
    )
    passed = reference(image, ["conv2"])
    shown = PictureFrame(field)
    return check_entry(reference, passed, entry, shown, pixels, image, lambda *_: claims, 1e-4)


def test_another_choice_among_equal_values_is_a_tie_and_no_fault():
    verdict = made(lambda last: last)
    assert verdict.status == "tied"
    assert verdict.projection_error < 1e-6


@pytest.mark.parametrize(
    "claim", [torch.zeros_like, lambda last: (last + 4) % 9], ids=["first", "any"]
)
def test_a_picture_that_the_runs_own_switches_do_not_draw_is_wrong(claim):
    assert made(claim).status == "wrong"


def peaked(channel_scale=1.0, activation_scale=1.0, *, spoilt=False):
    """A verdict on an entry of a weaker or stronger channel, its activation off by a factor."""
    network, chance = random_network(), np.random.default_rng(1)
    network.get_parameter("conv2.weight")[CHANNEL] *= channel_scale
    network.get_parameter("conv2.bias")[CHANNEL] *= channel_scale
    if spoilt:
        network.get_parameter("conv2.bias")[CHANNEL + 1] = torch.nan
    pixels = chance.integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    image = torch.from_numpy(pixels).permute(2, 0, 1).double() / 255
    reference = Reference(network.graph, dict(network.named_parameters()))
    passed = reference(image, ["conv2"])
    own = passed.maps("conv2")[CHANNEL]
    cell = divmod(int(own.argmax()), own.shape[1])
    peak = float(own.max()) * activation_scale
    drawn = passed.project("conv2", (CHANNEL, *cell), peak)
    return checked(reference, pixels, cell, peak, drawn, {})


def test_a_channel_that_is_not_a_number_does_not_hide_another_one_s_fault():
    assert peaked(spoilt=True).status == "agreed"
    assert peaked(activation_scale=1.01, spoilt=True).status == "wrong"


def test_a_weak_channel_is_held_to_its_own_size():
    assert peaked(channel_scale=1e-3).status == "agreed"
    assert peaked(channel_scale=1e-3, activation_scale=1.01).status == "wrong"
