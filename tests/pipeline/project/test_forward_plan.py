import numpy as np
import torch

from pipeline.atlas.layer_entries import LayerEntries
from pipeline.project.forward_plan import ForwardPlan
from tests.pipeline.project.oracle import random_network


def entries(*images):
    count = len(images)
    return LayerEntries(
        np.zeros(count, np.int64),
        np.arange(count),
        np.array(images, np.int32),
        np.full((count, 2), 3, np.int32),
        np.ones(count, np.float32),
    )


def plan(batch_size=4):
    network = random_network(dtype=torch.float32)
    methods = {"conv1": "deconvnet", "conv2": "deconvnet", "conv3": "deconvnet"}
    return ForwardPlan(network, methods, batch_size, finite=True)


def test_only_images_whose_switches_are_needed_are_read():
    chunk = {"conv1": entries(0, 1, 7), "conv2": entries(3, 5, 5)}
    assert plan().images_needed(chunk).tolist() == [3, 5]  # no pool lies below conv1


def test_an_image_with_many_entries_runs_forward_whole_once():
    few_and_many = {"conv2": entries(3, *[5] * 400)}
    whole = plan().whole_images(few_and_many)
    assert whole == {5: frozenset(plan().nodes("conv2"))}
    deeper = plan().whole_images({"conv2": entries(*[5] * 400), "conv3": entries(5)})
    assert deeper == {5: frozenset(plan().nodes("conv3"))}


def test_batches_are_nearly_equal_and_hold_either_whole_images_or_windows():
    found = entries(1, 1, 2, 2, 2, 2, 3, 3, 3)
    parts = [batch.tolist() for batch in plan(4).batches(found, {2: None})]
    assert parts == [[2, 3, 4, 5], [0, 1, 6], [7, 8]]
    assert list(plan(4).batches(entries(), {})) == []
