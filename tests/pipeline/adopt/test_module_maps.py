"""What a module makes of an image, and what its own code may do about it."""

import threading

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from pipeline.adopt.module_maps import OUTPUT, double_maps, in_double, module_maps, through_module
from pipeline.adopt.oracle import Backward
from pipeline.adopt.trace import UnreadableError
from tests.pipeline.adopt.modules import Lambda

IMAGE = torch.rand(1, 3, 6, 5, generator=torch.Generator().manual_seed(0)).double()


def chain(*more):
    return nn.Sequential(*more, nn.Conv2d(3, 2, 3), nn.ReLU()).double()


def test_maps_are_what_a_forward_makes_before_a_hook_of_the_users_changes_it():
    module = chain()
    kept = []
    module[0].register_forward_hook(lambda _module, _inputs, made: kept.append(made) or 2 * made)
    maps = module_maps(module, ["0"], IMAGE)
    assert torch.equal(maps["0"], kept[0])
    assert torch.equal(maps[OUTPUT], (2 * kept[0]).relu())
    assert len(module[0]._forward_hooks) == 1


def test_a_copy_computes_in_double_precision_and_what_cannot_be_copied_is_refused():
    module = nn.Conv2d(3, 2, 3)
    assert in_double(module).weight.dtype == torch.float64
    assert module.weight.dtype == torch.float32
    module.lock = threading.Lock()
    with pytest.raises(UnreadableError, match="cannot be copied: TypeError: cannot pickle") as said:
        in_double(module)
    assert "\n" not in str(said.value)


class NoGrad(nn.Module):
    def __init__(self):
        super().__init__()
        self.part = chain()

    @torch.no_grad()
    def forward(self, x):
        return self.part(x)


@pytest.mark.parametrize(
    ("module", "path", "where"),
    [
        (NoGrad(), "part.0", "part.0"),
        (chain(Lambda(torch.detach)), "1", "1"),
        (chain(Lambda(lambda x: (x * 16).to(torch.uint8).to(x.dtype))), "1", "1"),
        (nn.Sequential(*chain(), Lambda(torch.detach)), "0", "its output"),
    ],
    ids=["no_grad", "detach", "uint8", "detach at the end"],
)
def test_a_forward_that_lets_no_gradient_pass_is_refused_with_the_layer(module, path, where):
    words = rf"No gradient comes down through the network from {where}, .*`\.detach\(\)`"
    with pytest.raises(UnreadableError, match=words):
        double_maps(module, [path], IMAGE.clone().requires_grad_())


@pytest.mark.parametrize("reentrant", [True, False])
def test_gradients_that_a_forward_spoils_are_a_refusal_in_one_line(reentrant):
    part, given = chain(), IMAGE.clone().requires_grad_()
    with Backward("deconvnet"):
        output = checkpoint(part, given * 1, use_reentrant=reentrant).sum()
    words = "Projections through the network cannot be made.*Error: .*checkpoint"
    with pytest.raises(UnreadableError, match=words) as said, through_module():
        torch.autograd.grad(output, given)
    assert "\n" not in str(said.value)


def test_a_lack_of_memory_stays_what_it_is():
    with pytest.raises(RuntimeError, match="allocate"), through_module():
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
