import numpy as np

from atlas_site.similarity import distances, nearest, shared_images

IMAGES = np.array([[0, 1, 2], [2, 1, 5], [7, 8, -1], [-1, -1, -1]], np.int32)


def test_shared_images_are_counted_and_missing_entries_are_not():
    assert shared_images(IMAGES).astype(int).tolist() == [
        [3, 2, 0, 0],
        [2, 3, 0, 0],
        [0, 0, 2, 0],
        [0, 0, 0, 0],
    ]


def test_distance_adds_the_classes_and_the_images_not_shared():
    mean = np.array([[1, 0], [0, 4], [9, 0]], np.float32)
    found = distances(mean, IMAGES[:3])
    np.testing.assert_allclose(found[0], [0, 2 + 1 / 3, 0 + 1], atol=1e-6)
    assert (found == found.T).all()


def test_the_scale_of_a_channel_s_peaks_does_not_matter():
    mean = np.random.default_rng(0).gamma(1, 1, (3, 5)).astype(np.float32)
    first, second = distances(mean, IMAGES[:3]), distances(mean * 8, IMAGES[:3])
    np.testing.assert_allclose(first, second, atol=1e-6)


def test_the_nearest_are_alive_and_never_the_channel_itself():
    distance = np.zeros((4, 4), np.float32)
    distance[0] = [0, 1, 1, 0.5]
    alive = np.array([True, True, True, False])
    assert nearest(distance, alive, 0, 2) == [1, 2]
