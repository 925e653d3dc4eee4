import json
import logging

from click.testing import CliRunner

import pipeline.trials.ablations as ablations
from stages.cli import main
from tests.pipeline.training.tiny import EVEN, make_workspace, write_params
from tests.stages.commands import atlas


def test_an_interrupted_table_of_ablations_has_the_rows_so_far_and_goes_on(
    tmp_path, monkeypatch, caplog
):
    root = make_workspace(tmp_path, epochs=1, width=EVEN)
    monkeypatch.setattr(ablations, "ABLATIONS", ablations.ABLATIONS[:2])
    whole, seen = ablations.trained, []

    def interrupted(task, config, folder, watch):
        seen.append(task.params.own_model.fc_features)
        if len(seen) in (2, 3):
            raise KeyboardInterrupt
        return whole(task, config, folder, watch)

    monkeypatch.setattr(ablations, "trained", interrupted)
    stopped = CliRunner().invoke(main, ["ablations", "-w", str(root)])
    assert (stopped.exit_code, "run again to resume" in stopped.output) == (130, True)
    assert list(json.loads((root / "reports" / "ablations.json").read_text())) == ["zfnet"]
    (measured,) = (root / ".state" / "ablations").glob("*/zfnet.json")
    write_params(root, EVEN, epochs=2)
    caplog.set_level(logging.INFO)
    assert CliRunner().invoke(main, ["ablations", "-w", str(root)]).exit_code == 130
    assert f"{measured.parent} with train.epochs 1, now 2" in caplog.text
    write_params(root, EVEN, epochs=1)
    said = atlas(root, "ablations")
    assert seen == [4096, 2048, 4096, 2048]
    assert "zfnet-fc2048: top-1 error" in said
    assert "paper's: top-1 error 40.2 %, top-5 17.6 %, top-1 on training images 38.2 %" in said
    assert len((root / "reports" / "ablations.csv").read_text().splitlines()) == 3
