"""Views and measurements for the tests of what the demo draws."""

import numpy as np

from demo.layer import PaintLayer
from demo.textures import Plane
from demo.view import View

HEIGHT, WIDTH, UNIT = 60, 72, 24.0


def straight() -> View:
    """The plane seen from in front, its origin in the middle, 24 pixels a unit."""
    matrix = np.array([[UNIT, 0, WIDTH / 2], [0, UNIT, HEIGHT / 2], [0, 0, 1]])
    return View(HEIGHT, WIDTH, matrix)


def plane() -> Plane:
    """The coordinates of that plane under every pixel."""
    return Plane(*straight().grid())


def same(first: PaintLayer, second: PaintLayer) -> bool:
    """Whether two layers are equal to the bit."""
    return (
        np.array_equal(first.colour, second.colour)
        and np.array_equal(first.alpha, second.alpha)
        and np.array_equal(first.height, second.height)
        and first.parts == second.parts
    )


def check_subject(draw, parts: set[str]) -> None:
    """A subject covers a good part of the unit disc, its coverage is from 0 to 1, it has no
    colour where there is nothing; a seed decides it; its parts have these names."""
    layers = [draw(np.random.default_rng(seed), straight()) for seed in range(4)]
    for layer in layers:
        assert layer.alpha.shape == (HEIGHT, WIDTH)
        assert 0 <= layer.alpha.min() <= layer.alpha.max() <= 1
        assert not layer.colour[layer.alpha == 0].any()
        assert layer.colour.min() >= 0
        assert layer.height.min() >= 0
        assert layer.alpha[6:54, 12:60].mean() > 0.1
        assert {name for name, _, _ in layer.parts} == parts
    assert same(layers[1], draw(np.random.default_rng(1), straight()))
    assert not same(layers[0], layers[1])


def check_texture(draw) -> None:
    """A texture has a colour and a relief for every pixel; a seed decides it; it is no one
    colour."""
    found = [draw(np.random.default_rng(seed), plane()) for seed in range(4)]
    for colour, height in found:
        assert colour.shape == (HEIGHT, WIDTH, 3)
        assert height.shape == (HEIGHT, WIDTH)
        assert np.isfinite(colour).all()
        assert np.isfinite(height).all()
        assert colour.std(axis=(0, 1)).max() > 0.01
    again = draw(np.random.default_rng(1), plane())
    assert np.array_equal(found[1][0], again[0])
    assert not np.array_equal(found[0][0], found[1][0])
