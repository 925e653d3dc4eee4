import pytest
import torch
from filelock import FileLock
from safetensors.torch import save_file

from pipeline.dataset.manifest import read_manifest
from pipeline.errors import AtlasError
from pipeline.storage.state import note_facts
from pipeline.training.checkpoint import FILE
from pipeline.training.session import Session, load_task
from pipeline.workspace import Workspace
from tests.pipeline.training.tiny import make_workspace, write_params
from tests.workspaces import write_listing


@pytest.fixture
def session(tmp_path):
    """A workspace of three images to train on."""
    make_workspace(tmp_path, train_each=1, val_each=0)
    return Session(Workspace(tmp_path), cache=None, compiled=False, checkpoint_s=30.0)


def left_behind(session):
    """What a stopped training of the present parameters leaves."""
    task = load_task(session.workspace)
    state = session.workspace.state("train") / session.key(task)
    state.mkdir(parents=True)
    (state / FILE).write_bytes(b"")
    note_facts(state, session.facts(task))
    return state


def test_a_training_can_be_finished_only_where_it_left_a_checkpoint(session):
    with pytest.raises(AtlasError, match="No checkpoint found"):
        session.check_checkpoint()
    left_behind(session)
    session.check_checkpoint()


def test_a_checkpoint_of_other_parameters_is_named_with_what_differs(session, tmp_path):
    state = left_behind(session)
    write_params(tmp_path, learning_rate=0.5)
    with pytest.raises(AtlasError, match=r"train\.learning_rate 0\.01, now 0\.5") as refusal:
        session.check_checkpoint()
    assert str(state) in refusal.value.problem


def test_the_key_follows_what_changes_the_weights_and_the_pixels_only_what_changes_pixels(
    session, tmp_path
):
    def names():
        task = load_task(session.workspace)
        return session.key(task), session.pixels(task).name

    first = names()
    write_params(tmp_path, learning_rate=0.5)
    second = names()
    assert first[0] != second[0]
    assert first[1] == second[1]
    path = tmp_path / "params.yaml"
    path.write_text(path.read_text().replace("resize: 72", "resize: 80"))
    third = names()
    assert third[0] != second[0]
    assert third[1] != second[1]
    write_listing(session.workspace, read_manifest(session.workspace.manifest).rows[:-1])
    assert names()[1] != third[1]


def test_a_training_runs_while_its_state_is_held(session):
    session.workspace.state("train").mkdir(parents=True)
    assert not session.is_running()
    with FileLock(session.workspace.state("train") / "lock"):
        assert session.is_running()
    assert session.finish_file.parent == session.workspace.state("train")


def test_weights_to_start_from_must_be_there_and_outlast_the_training(session, tmp_path):
    write_params(tmp_path, init_from="start.safetensors")
    with pytest.raises(AtlasError, match=r"start\.safetensors"):
        load_task(session.workspace)
    save_file({"conv1.weight": torch.zeros(1)}, tmp_path / "start.safetensors")
    assert load_task(session.workspace).init_weights == tmp_path / "start.safetensors"
    write_params(tmp_path, init_from="artifacts/model/weights.safetensors")
    with pytest.raises(AtlasError, match="which this training will replace"):
        load_task(session.workspace)
