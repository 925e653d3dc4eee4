import numpy as np

from atlas_site.related import RelatedChannel, channels_by_image, related_channels

IMAGES = {
    "conv1": np.array([[0, 1, 2], [0, 1, 9], [7, 8, -1]], np.int32),
    "conv2": np.array([[2, 1, 0], [5, 6, 7]], np.int32),
}


def test_an_image_names_every_channel_of_an_image_and_skip_missing_entries():
    found = channels_by_image(IMAGES)
    assert found[0] == [("conv1", 0), ("conv1", 1), ("conv2", 0)]
    assert -1 not in found


def test_related_channels_share_at_least_two_images_and_come_own_layer_first():
    found = related_channels("conv1", 0, IMAGES["conv1"][0], channels_by_image(IMAGES))
    assert found == [RelatedChannel("conv1", 1, 2), RelatedChannel("conv2", 0, 3)]


def test_a_channel_without_company_has_no_related_channel():
    assert related_channels("conv2", 1, IMAGES["conv2"][1], channels_by_image(IMAGES)) == []
