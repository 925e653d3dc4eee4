import pytest

from pipeline.trials.rivals import rival_params
from tests.pipeline.training.tiny import write_params


@pytest.mark.parametrize(
    ("cap", "expected"),
    [
        (0.1, {"alexnet": 0.1, "alexnet-uncapped": None, "zfnet-uncapped": None}),
        (0.2, {"alexnet": 0.2, "alexnet-uncapped": None, "zfnet-uncapped": None}),
        (None, {"alexnet": 0.1, "alexnet-uncapped": None, "zfnet": 0.1}),
    ],
)
def test_rivals_are_the_four_networks_but_for_the_runs_own(tmp_path, cap, expected):
    params = write_params(tmp_path, filter_rms_cap=cap)
    rivals = rival_params(params)
    assert {name: rival.train.filter_rms_cap for name, rival in rivals.items()} == expected
    assert all(name.startswith(rival.own_model.arch) for name, rival in rivals.items())
    assert {rival.own_model.width for rival in rivals.values()} == {params.own_model.width}


@pytest.mark.parametrize(
    ("root", "seen"),
    [
        ("images", "../../images"),
        ("/data/images", "/data/images"),
        ("s3://bucket/images", "s3://bucket/images"),
        ("hf:who/what", "hf:who/what"),
    ],
)
def test_they_find_the_runs_images(tmp_path, root, seen):
    params = write_params(tmp_path)
    data = params.data.model_copy(update={"root": root})
    rivals = rival_params(params.model_copy(update={"data": data}))
    assert {rival.data.root for rival in rivals.values()} == {seen}
