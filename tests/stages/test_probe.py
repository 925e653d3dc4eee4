import csv
import json

from tests.pipeline.training.tiny import make_workspace
from tests.stages.commands import atlas


def test_probes_of_every_hidden_layer_fill_a_table(tmp_path):
    root = make_workspace(tmp_path, epochs=1)
    atlas(root, "train")
    said = atlas(root, "probe", "--folds", "2", "--per-class", "5")
    layers = ["conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7"]
    both = [f"{layer}_{kind}_5" for layer in layers for kind in ("svm", "softmax")]
    summary = json.loads((root / "reports" / "probe.json").read_text())
    assert list(summary) == both
    assert all(line["folds"] == 2 for line in summary.values())
    with (root / "reports" / "probe.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 2 * len(both)
    assert "conv5, svm, 5 per class" in said
    assert not list((root / ".state" / "probe").glob("*/*"))
    atlas(root, "probe", "--folds", "1", "--per-class", "5", "--layer", "conv[12]")
    assert len(json.loads((root / "reports" / "probe.json").read_text())) == 4
