"""Modules that hide their calls or have no weights yet."""

import copy

import pytest
import torch
from torch import nn

from pipeline.adopt.eager import eager, forget_runs
from pipeline.errors import AtlasError


def small():
    return nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU(), nn.Conv2d(2, 2, 3))


def test_a_module_is_as_it_was_before_torch_compile_and_so_are_its_parts():
    plain = small()
    whole = nn.Sequential(plain, torch.compile(plain[2]))
    found = eager(torch.compile(whole), "nets.mine:build")
    assert found is whole
    paths = {name.rpartition(".")[0] for name in found.state_dict()}
    assert paths == {"0.0", "0.2", "1"}
    assert type(found[1]) is nn.Conv2d


def test_a_module_that_was_compiled_in_place_runs_its_own_forward():
    module = small()
    module.compile(backend=lambda *_: pytest.fail("compiled"))
    assert eager(module, "nets.mine:build") is module
    assert module(torch.zeros(1, 3, 8, 8)).shape == (1, 2, 4, 4)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: torch.jit.script(small()), "^nets.mine:build is TorchScript"),
        (lambda: torch.jit.trace(small(), torch.zeros(1, 3, 8, 8)), "^nets.mine:build is TorchS"),
        (lambda: nn.Sequential(nn.ReLU(), torch.jit.script(small())), "^1 of nets.mine:build is"),
        (lambda: nn.Sequential(small(), nn.LazyConv2d(2, 3)), "^1 of nets.mine:build is lazy"),
        (lambda: nn.LazyBatchNorm2d(affine=False), "^nets.mine:build is lazy"),
    ],
)
def test_what_hides_its_calls_or_has_no_weights_is_refused_by_its_path(make, words):
    with pytest.raises(AtlasError, match=words):
        eager(make(), "nets.mine:build")


def test_a_lazy_module_that_has_run_is_taken():
    module = nn.Sequential(nn.LazyConv2d(2, 3))
    module(torch.zeros(1, 3, 8, 8))
    assert eager(module, "nets.mine:build") is module


@pytest.mark.filterwarnings("ignore")
def test_a_module_can_be_copied_whose_attributes_hold_what_was_computed():
    module = nn.utils.weight_norm(nn.Conv2d(3, 2, 3))
    module.last = module(torch.zeros(1, 3, 4, 4))
    weight = module.weight.detach().clone()
    with pytest.raises(RuntimeError, match="deepcopy"):
        copy.deepcopy(module)
    forget_runs(module)
    assert torch.equal(copy.deepcopy(module).weight, weight)
