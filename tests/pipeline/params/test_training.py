import pytest

from pipeline.params import load_params
from tests.pipeline.params.files import changed, problem


def test_layers_drawn_by_chance_are_not_frozen(tmp_path):
    said = problem(changed(tmp_path, "train", freeze=["conv1"]))
    assert said.endswith("train.freeze keeps conv1 as drawn by chance; it needs train.init_from.")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("momentum", 1.5),
        ("start_decay", -0.1),
        ("start_decay_after", -1),
        ("schedule", "steps"),
        ("filter_rms_cap", 0.0),
        ("snapshots", [0]),
        ("precision", "float16"),
    ],
)
def test_a_recipe_out_of_range_is_refused(tmp_path, key, value):
    assert f"`train.{key}" in problem(changed(tmp_path, "train", **{key: value}))


def test_a_recipe_may_have_no_cap_and_no_snapshots(tmp_path):
    train = load_params(changed(tmp_path, "train", filter_rms_cap=None, snapshots=[])).train
    assert train.filter_rms_cap is None
    assert train.snapshots == ()
