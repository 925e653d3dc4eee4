import json
import logging

import pytest
from click.testing import CliRunner

from stages.cli import main
from tests.pipeline.training.tiny import make_workspace, write_params
from tests.stages.commands import atlas


def test_features_and_scratch_are_side_by_side_whatever_the_run_starts_from(tmp_path):
    root = make_workspace(tmp_path, epochs=1)
    atlas(root, "train")
    (root / "artifacts" / "model" / "weights.safetensors").rename(root / "w.safetensors")
    write_params(root, epochs=1, init_from="w.safetensors", freeze=["conv1", "conv2"])
    atlas(root, "train")
    output = atlas(root, "transfer", "--scratch", "--folds", "2", "--per-class", "5")
    assert "fc7, softmax, 5 per class" in output
    summary = json.loads((root / "reports" / "transfer.json").read_text())
    assert summary.keys() == {"fc7_softmax_5", "scratch_softmax_5"}
    assert len((root / "reports" / "transfer.csv").read_text().splitlines()) == 5


@pytest.mark.parametrize("command", ["transfer", "probe"])
def test_work_that_was_stopped_is_kept_and_named_by_a_run_of_another_seed(
    tmp_path, monkeypatch, caplog, command
):
    root = make_workspace(tmp_path, epochs=0, snapshots=[])
    atlas(root, "train")

    def stopped(workspace, name, lines):
        (line,) = workspace.state(name).glob("*/facts.json")
        line.with_name("a fold").touch()
        raise KeyboardInterrupt

    monkeypatch.setattr(f"stages.{command}.report_lines", stopped)
    first = CliRunner().invoke(main, [command, "-w", str(root)])
    assert first.exit_code == 130
    params = (root / "params.yaml").read_text()
    (root / "params.yaml").write_text(params.replace("seed: 0", "seed: 1"))
    monkeypatch.setattr(f"stages.{command}.report_lines", lambda *_: None)
    caplog.set_level(logging.INFO)
    atlas(root, command)
    (fold,) = (root / ".state" / command).glob("*/a fold")
    assert f"{fold.parent} with seed 0, now 1" in caplog.text


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--no-features"], "nothing to do"), (["--per-class", "30"], "too few to learn from")],
)
def test_what_cannot_be_done_is_said(tmp_path, words, said):
    root = make_workspace(tmp_path, epochs=0)
    atlas(root, "train")
    result = CliRunner().invoke(main, ["transfer", "-w", str(root), *words])
    assert result.exit_code == 1
    assert said in result.output
