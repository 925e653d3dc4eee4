"""A map of channels: two dimensions in which near channels are alike."""

import numpy as np
from jaxtyping import Float32, Int

from atlas_site.similarity import distances
from pipeline.atlas import Run

SEED = 0
PERPLEXITY = 15.0
STEPS = 400
EXAGGERATED_STEPS = 100
EXAGGERATION = 8.0
BISECTIONS = 40
LARGEST_LAYOUT = 2500
"""Channels that are laid out against each other; of more, every so many, the others by these."""
ROWS = 64
NEIGHBOURS = 3
DENSE = 5
SIDE = 1000
"""The side of the square in which places are given."""


def map_of(run: Run, alive: Int[np.ndarray, "place 2"]) -> Int[np.ndarray, "place 2"]:
    """Places in a square for channels, given as (position of the layer, number)."""
    names = [run.layers[position] for position in alive[:, 0]]
    pairs = list(zip(names, alive[:, 1].tolist(), strict=True))
    mean = np.stack([run.scan(layer).mean_peak_by_class[n] for layer, n in pairs])
    images = np.stack([run.scan(layer).image[n] for layer, n in pairs])
    step = -(-len(pairs) // LARGEST_LAYOUT)
    chosen = slice(None, None, step)
    places = layout(distances(mean[chosen], images[chosen]))
    if step > 1:
        places = _placed(mean, images, chosen, places)
    return _in_square(places)


def _placed(
    mean: Float32[np.ndarray, "channel class"],
    images: Int[np.ndarray, "channel rank"],
    chosen: slice,
    places: Float32[np.ndarray, "chosen 2"],
) -> Float32[np.ndarray, "channel 2"]:
    """All channels at the mean place of the nearest chosen ones, layer by layer's worth of them."""
    found = []
    for first in range(0, len(mean), LARGEST_LAYOUT):
        part = slice(first, first + LARGEST_LAYOUT)
        both = distances(
            np.concatenate([mean[chosen], mean[part]]),
            np.concatenate([images[chosen], images[part]]),
        )
        order = np.argsort(both[len(places) :, : len(places)], axis=1, kind="stable")
        found.append(places[order[:, :NEIGHBOURS]].mean(axis=1))
    return np.concatenate(found)


def layout(distance: Float32[np.ndarray, "channel channel"]) -> Float32[np.ndarray, "channel 2"]:
    """t-SNE (van der Maaten & Hinton 2008) of squared distances, from a fixed seed.

    Elementwise sums alone, in one order: equal distances give equal bytes on one machine.
    """
    count = len(distance)
    places = np.random.default_rng(SEED).normal(scale=1e-2, size=(count, 2)).astype(np.float32)
    if count < 3:
        return places
    near = _affinities(distance)
    velocity: Float32[np.ndarray, "channel 2"] = np.zeros_like(places)
    rate = max(50.0, count / EXAGGERATION)
    for step in range(STEPS):
        early = step < EXAGGERATED_STEPS
        push = _gradient(places, near * EXAGGERATION if early else near)
        kept = 0.5 if early else 0.8
        velocity = (kept * velocity - rate * push).astype(np.float32)
        places = (places + velocity - velocity.mean(axis=0)).astype(np.float32)
    return places


def _affinities(
    distance: Float32[np.ndarray, "channel channel"],
) -> Float32[np.ndarray, "channel channel"]:
    """How likely each pair are neighbours, each channel having as many as the perplexity says."""
    count = len(distance)
    wanted = np.log(min(PERPLEXITY, (count - 1) / 3))
    low, high = np.zeros(count), np.full(count, np.inf)
    precision = np.ones(count)
    itself = np.eye(count, dtype=bool)
    for _ in range(BISECTIONS):
        weight = np.exp(-distance * precision[:, None])
        weight[itself] = 0
        total = np.maximum(weight.sum(axis=1), 1e-30)
        entropy = np.log(total) + precision * (distance * weight).sum(axis=1) / total
        wide = entropy > wanted
        low, high = np.where(wide, precision, low), np.where(wide, high, precision)
        precision = np.where(np.isinf(high), precision * 2, (low + high) / 2)
    near = weight / total[:, None]
    both: Float32[np.ndarray, "channel channel"] = ((near + near.T) / (2 * count)).astype("f4")
    return both


def _gradient(
    places: Float32[np.ndarray, "channel 2"], near: Float32[np.ndarray, "channel channel"]
) -> Float32[np.ndarray, "channel 2"]:
    """The forces on all channels, some rows at a time, which the processor's cache holds."""
    pull, push = np.empty_like(places), np.empty_like(places)
    x, y = places.T.copy()
    total = 0.0
    for first in range(0, len(places), ROWS):
        part = slice(first, first + ROWS)
        across, down = x[part, None] - x, y[part, None] - y
        kernel = 1 / (1 + across * across + down * down)
        kernel[np.arange(len(kernel)), np.arange(len(places))[part]] = 0
        total += float(kernel.sum(dtype=np.float64))
        for force, weight in ((pull, near[part] * kernel), (push, kernel * kernel)):
            force[part, 0] = np.einsum("ij,ij->i", weight, across)
            force[part, 1] = np.einsum("ij,ij->i", weight, down)
    gradient: Float32[np.ndarray, "channel 2"] = (4 * (pull - push / total)).astype(np.float32)
    return gradient


def _in_square(places: Float32[np.ndarray, "place 2"]) -> Int[np.ndarray, "place 2"]:
    low, high = places.min(axis=0), places.max(axis=0)
    extent = max(float((high - low).max()), 1e-9)
    square = (places - (low + high) / 2) / extent * SIDE + SIDE / 2
    rounded: Int[np.ndarray, "place 2"] = np.rint(square).astype(int)
    return rounded


def region_labels(
    places: Int[np.ndarray, "place 2"], favourites: Int[np.ndarray, " place"]
) -> list[list[int]]:
    """Labels of regions as [class, x, y]: where the channels of a class are densest.

    Only classes with five channels and more; −1 is no class. The place is that of the channel whose
    five nearest of its class are nearest.
    """
    labels = []
    for label in np.unique(favourites[favourites >= 0]).tolist():
        own = places[favourites == label].astype(np.float64)
        if len(own) < DENSE:
            continue
        apart = np.sort(((own[:, None] - own[None]) ** 2).sum(axis=2), axis=1)[:, :DENSE]
        labels.append([label, *own[int(apart.sum(axis=1).argmin())].astype(int).tolist()])
    return labels
