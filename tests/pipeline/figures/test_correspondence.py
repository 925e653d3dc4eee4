import numpy as np
import pytest

from pipeline.figures.correspondence import consistency, hide_part, sign_distances


def test_equal_changes_have_no_distance():
    same = consistency(np.tile([0.5, -2.0, 0.0], (4, 1)))
    assert (same.mean, same.deviation, same.pairs) == (0.0, 0.0, 6)


def test_the_share_of_features_that_change_the_other_way_counts():
    changes = np.array([[1.0, -1.0, 0.0, 2.0], [3.0, 1.0, 0.0, 0.0], [-1.0, 1.0, 1.0, -1.0]])
    # by hand: (second and fourth), (all four), (first, third and fourth)
    assert sign_distances(changes).tolist() == [0.5, 1.0, 0.75]
    assert consistency(changes).mean == 0.75
    assert consistency(changes).deviation == pytest.approx(np.sqrt((0.0625 + 0.0625 + 0) / 3))


def test_the_square_is_centred_and_cut_off_at_the_edge():
    image = np.full((10, 10, 3), 7, np.uint8)
    inside = np.argwhere(hide_part(image, (5.0, 4.0), 2, 0)[..., 0] == 0)
    assert inside.tolist() == [[4, 3], [4, 4], [5, 3], [5, 4]]
    assert (hide_part(image, (0.0, 0.0), 4, 0)[..., 0] == 0).sum() == 4
    assert (image == 7).all()
