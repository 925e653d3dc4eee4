import pytest
import yaml

from pipeline.params import AdoptedParams, ModelParams, load_params
from tests.pipeline.params.files import DEMO, problem, written

INPUTS = {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.2, 0.2], "interpolation": "bilinear"}


def adopted(tmp_path, arch="nets.mine:build", **inputs):
    """The demo's file with a network from elsewhere."""
    document = yaml.safe_load(DEMO)
    document["train"]["epochs"] = 0
    document["model"] = {
        "arch": arch,
        "arguments": {},
        "weights": None,
        "weights_sha256": None,
        "inputs": INPUTS | inputs,
    }
    return written(tmp_path, yaml.safe_dump(document))


def test_a_colon_tells_a_network_from_elsewhere(tmp_path):
    assert isinstance(load_params(written(tmp_path, DEMO)).model, ModelParams)
    assert isinstance(load_params(adopted(tmp_path)).model, AdoptedParams)


@pytest.mark.parametrize("arch", ["timm:", ":build", "nets/mine:build", "a:b:c", "nets.mine:b()"])
def test_other_names_of_functions_are_refused(tmp_path, arch):
    assert "`model.arch`" in problem(adopted(tmp_path, arch))


@pytest.mark.parametrize(("mean", "std"), [([0.5], [0.2]), ([0.5] * 3, [0.2] * 3)])
def test_grey_has_one_number_and_colour_three(tmp_path, mean, std):
    params = load_params(adopted(tmp_path, mean=mean, std=std))
    assert isinstance(params.model, AdoptedParams)
    assert params.model.inputs.std == tuple(std)


@pytest.mark.parametrize(("mean", "std"), [([0.5], [0.2] * 3), ([0.5] * 2, [0.2] * 2)])
def test_other_numbers_of_them_are_refused(tmp_path, mean, std):
    said = problem(adopted(tmp_path, mean=mean, std=std))
    assert "mean and std must both be one number, or three" in said
