import numpy as np

from atlas_site import channel_map
from atlas_site.channel_map import layout, map_of, region_labels
from pipeline.atlas import open_atlas
from pipeline.workspace import Workspace


def groups(count: int) -> np.ndarray:
    """Distances of three groups of channels that are near within and far between."""
    group = np.arange(count) % 3
    noise = np.random.default_rng(0).uniform(0, 0.1, (count, count))
    far = (group[:, None] != group[None, :]) + noise + noise.T
    np.fill_diagonal(far, 0)
    return far.astype(np.float32)


def test_near_channels_are_near_on_the_map():
    places = layout(groups(60))
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    assert (apart.argmin(axis=1) % 3 == np.arange(60) % 3).all()


def test_equal_distances_give_equal_maps():
    assert (layout(groups(30)) == layout(groups(30))).all()


def test_one_or_two_channels_have_a_map_too():
    for count in (1, 2):
        assert np.isfinite(layout(np.zeros((count, count), np.float32))).all()


def test_every_channel_has_a_place_in_the_square(run: Workspace, monkeypatch):
    atlas = open_atlas(run.artifacts)
    alive = np.array([[2, n] for n in range(38) if n != 1])
    places = map_of(atlas, alive)
    assert places.shape == (37, 2)
    assert places.min() >= 0
    assert places.max() <= 1000
    monkeypatch.setattr(channel_map, "LARGEST_LAYOUT", 13)
    assert map_of(atlas, alive).shape == (37, 2)


def test_a_region_is_labelled_where_five_channels_of_a_class_are_nearest():
    """Class 4: five within a step of (100, 100) and one far away; class 7: a row of five, the
    middle of which is nearest to all; class 9: four channels are too few."""
    near = [(100, 100), (101, 100), (99, 100), (100, 101), (100, 99), (900, 900)]
    row = [(500, y) for y in (10, 20, 30, 40, 50)]
    few = [(0, 0), (0, 1), (1, 0), (1, 1)]
    places = np.array([*near, *row, *few])
    favourites = np.array([4] * 6 + [7] * 5 + [9] * 4)
    assert region_labels(places, favourites) == [[4, 100, 100], [7, 500, 30]]
    none = np.where(favourites == 7, -1, favourites)  # channels of images without a class
    assert region_labels(places, none) == [[4, 100, 100]]
    shuffled = np.random.default_rng(0).permutation(len(places))
    assert region_labels(places[shuffled], favourites[shuffled]) == [[4, 100, 100], [7, 500, 30]]


def test_the_gradient_is_that_of_van_der_maaten_and_hinton(monkeypatch):
    """4 Σⱼ (pᵢⱼ − qᵢⱼ) (yᵢ − yⱼ) / (1 + |yᵢ − yⱼ|²), for any number of rows at a time."""
    rng = np.random.default_rng(3)
    near = rng.random((10, 10))
    near = near + near.T
    np.fill_diagonal(near, 0)
    near /= near.sum()
    places = rng.normal(size=(10, 2))
    apart = places[:, None] - places[None]
    kernel = 1 / (1 + (apart**2).sum(axis=2))
    np.fill_diagonal(kernel, 0)
    expected = 4 * ((near - kernel / kernel.sum()) * kernel)[..., None] * apart
    for rows in (3, 64):
        monkeypatch.setattr(channel_map, "ROWS", rows)
        gradient = channel_map._gradient(places.astype("f4"), near.astype("f4"))
        np.testing.assert_allclose(gradient, expected.sum(axis=1), rtol=1e-4, atol=1e-6)
