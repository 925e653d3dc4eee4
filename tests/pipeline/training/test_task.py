from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.dataset.manifest import ImageRow, sorted_manifest
from pipeline.dataset.store import FolderStore
from pipeline.errors import AtlasError
from pipeline.network.ops import Dropout
from pipeline.training.task import TrainingTask
from tests.pipeline.training.tiny import write_params


def task(folder, labels, **train):
    rows = [ImageRow("train", f"{n}.png", name, 9, 9, "") for n, name in enumerate(labels)]
    params = write_params(folder, **train)
    return TrainingTask(params, sorted_manifest(rows), FolderStore(Path("images")), None)


def test_the_network_is_the_one_of_the_parameters_and_scores_the_manifest_s_classes(tmp_path):
    graph = task(tmp_path, ["a", "b", "c", "b"], dropout=0.25).graph()
    assert graph.input == (3, 64, 64)
    assert graph.layer("fc8").channels == 3
    assert graph.layer("conv1").channels == 5  # 96 · 0.05
    dropouts = [node.op for node in graph.nodes if isinstance(node.op, Dropout)]
    assert dropouts == [Dropout(0.25)] * 2


def test_layers_left_out_are_not_in_it(tmp_path):
    whole = task(tmp_path, ["a", "b"])
    model = whole.params.own_model.model_copy(update={"without": ("conv4",)})
    graph = replace(whole, params=whole.params.model_copy(update={"model": model})).graph()
    assert graph.conv_layers == ("conv1", "conv2", "conv3", "conv5")


def test_images_without_classes_cannot_be_learnt(tmp_path):
    with pytest.raises(AtlasError, match="have no classes") as refusal:
        task(tmp_path, [""]).graph()
    assert "atlas adopt" in refusal.value.fix
