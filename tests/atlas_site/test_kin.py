import numpy as np

from atlas_site.kin import Kin, holders, kin_of

IMAGES = {
    "conv1": np.array([[0, 1, 2], [0, 1, 9], [7, 8, -1]], np.int32),
    "conv2": np.array([[2, 1, 0], [5, 6, 7]], np.int32),
}


def test_holders_name_every_channel_of_an_image_and_skip_missing_entries():
    found = holders(IMAGES)
    assert found[0] == [("conv1", 0), ("conv1", 1), ("conv2", 0)]
    assert -1 not in found


def test_kin_share_at_least_two_images_and_come_own_layer_first():
    found = kin_of("conv1", 0, IMAGES["conv1"][0], holders(IMAGES))
    assert found == [Kin("conv1", 1, 2), Kin("conv2", 0, 3)]


def test_a_channel_without_company_has_no_kin():
    assert kin_of("conv2", 1, IMAGES["conv2"][1], holders(IMAGES)) == []
