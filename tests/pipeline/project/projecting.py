"""Projections of given units by the code under test."""

from collections.abc import Mapping

import torch

from pipeline.network.fold import folded
from pipeline.network.geometry import seed_of, windows
from pipeline.project.deconvnet import Deconvnet, Units
from pipeline.project.forward_work import needs_whole_image
from pipeline.project.method import recorded
from pipeline.project.placement import rectangle
from pipeline.project.switch_maps import cut_windows
from pipeline.project.switches import SwitchFinder


@torch.inference_mode()
def projections(network, image, layer, channel, cell, start, method, way="windows"):
    """The pictures of the boxes of some units; switches from windows where these suffice."""
    network = folded(network)
    graph, cells, finder = network.graph, torch.tensor(cell), SwitchFinder(network, finite=True)
    nodes = recorded(graph, layer, method)
    units = Units(torch.as_tensor(channel), cells, torch.tensor(start, dtype=image.dtype))
    below = windows(graph, seed_of(graph, layer))
    switches: Mapping[int, torch.Tensor] = {}
    if nodes and (way == "whole" or needs_whole_image(graph, layer, nodes)):
        maps = finder.maps(image[None], nodes)
        switches = cut_windows(below, [maps] * len(cells), cells, nodes)
    elif nodes:
        rows, cols = below[0]
        first = zip(rows.first(cells[:, 0]).tolist(), cols.first(cells[:, 1]).tolist(), strict=True)
        size = rows.size, cols.size
        patches = [rectangle(image[None], top, left, size) for top, left in first]
        switches = finder.windows(torch.cat(patches), cells, below, nodes)
    return Deconvnet(network, layer, method)(units, switches)
