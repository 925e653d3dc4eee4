import pytest

from pipeline.errors import AtlasError
from pipeline.trials.trial import from_scratch, scratch_task, trial_recipe
from pipeline.workspace import Workspace
from tests.pipeline.training.tiny import make_workspace, write_params


def test_a_trial_starts_from_nothing_learnt_and_changes_nothing_else(tmp_path):
    given = write_params(
        tmp_path, init_from="start.safetensors", freeze=["conv1"], snapshots=[1, 2]
    )
    trial = from_scratch(given)
    changed = {
        name
        for name, value in trial.train.model_dump().items()
        if value != given.train.model_dump()[name]
    }
    assert changed == {"init_from", "freeze", "snapshots"}
    assert (trial.train.init_from, trial.train.freeze, trial.train.snapshots) == (None, (), ())
    assert trial.model == given.model


def test_what_decides_the_weights_is_in_the_recipe(tmp_path):
    first = write_params(tmp_path)
    assert trial_recipe(first) == trial_recipe(write_params(tmp_path))
    assert trial_recipe(first) != trial_recipe(write_params(tmp_path, learning_rate=0.5))
    assert trial_recipe(first) != trial_recipe(write_params(tmp_path, width=0.1))
    scanned = first.scan.model_copy(update={"top": 4})
    assert trial_recipe(first) == trial_recipe(first.model_copy(update={"scan": scanned}))


def test_the_task_is_the_run_s_with_its_images_and_needs_no_weights_file(tmp_path):
    make_workspace(tmp_path, train_each=1, val_each=1, init_from="missing.safetensors")
    task = scratch_task(Workspace(tmp_path))
    assert task.init_weights is None
    assert len(task.manifest.rows) == 6
    assert task.images.read(task.manifest.rows[0].key)
    (tmp_path / "artifacts" / "manifest.csv").unlink()
    with pytest.raises(AtlasError):
        scratch_task(Workspace(tmp_path))
