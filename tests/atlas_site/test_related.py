import numpy as np

from atlas_site.related import RelatedChannel, channels_by_image, related_channels

IMAGES = {
    "conv1": np.array([[0, 1, 2], [0, 1, 9], [7, 8, -1]], np.int32),
    "conv2": np.array([[2, 1, 0], [5, 6, 7]], np.int32),
}


def test_an_image_names_every_channel_of_an_image_and_skip_missing_entries():
    found = channels_by_image(IMAGES)
    assert found.holding(0) == [("conv1", 0), ("conv1", 1), ("conv2", 0)]
    assert found.holding(8) == [("conv1", 2)]
    assert -1 not in found.positions


def test_related_channels_share_at_least_two_images_and_come_own_layer_first():
    found = related_channels("conv1", 0, IMAGES["conv1"][0], channels_by_image(IMAGES))
    assert found == [RelatedChannel("conv1", 1, 2), RelatedChannel("conv2", 0, 3)]


def test_a_channel_without_company_has_no_related_channel():
    assert related_channels("conv2", 1, IMAGES["conv2"][1], channels_by_image(IMAGES)) == []


def test_equal_shares_are_ordered_by_layer_and_number():
    images = {"b": np.zeros((9, 2), np.int32), "a": np.zeros((3, 2), np.int32)}
    for rows in images.values():
        rows[:, 1] = 1
    found = related_channels("b", 2, images["b"][2], channels_by_image(images))
    expected = [("b", n) for n in (0, 1, 3, 4, 5, 6)] + [("a", n) for n in (0, 1, 2)]
    assert [(k.layer, k.channel) for k in found] == expected
    assert {k.shared for k in found} == {2}


def test_a_run_of_dead_channels_has_no_holders():
    missing = {"conv1": np.full((2, 3), -1, np.int32)}
    found = channels_by_image(missing)
    assert found.positions == {}
    assert related_channels("conv1", 0, missing["conv1"][0], found) == []
