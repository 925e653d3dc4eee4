import pytest
import torch
from torch import nn
from torch.nn import functional

from pipeline.adopt.trace import Call, Ref, UnreadableError, refs, trace
from tests.pipeline.adopt.modules import Lambda


class Named(nn.Module):
    """A convolution by a path, a sum in the outermost forward."""

    def __init__(self):
        super().__init__()
        self.part = nn.Sequential(nn.Conv2d(2, 3, 3))

    def forward(self, x):
        made = self.part(x)
        made += 1
        return functional.relu(made)


def test_calls_come_in_order_with_the_paths_of_their_modules_and_all_arguments():
    module = Named()
    found = trace(module, (2, 5, 6))
    assert [(call.op, call.path) for call in found.calls] == [
        ("conv2d", "part.0"),
        ("add.Tensor", ""),
        ("relu", ""),
    ]
    conv = found.calls[0]
    assert conv.shape == (1, 3, 3, 4)
    assert conv.args[0] == Ref(found.input)
    assert conv.args[3:] == ([1, 1], [0, 0], [1, 1], 1)  # defaults too
    assert conv.place == "part.0 calls conv2d"
    assert found.calls[1].place == "The forward calls add"
    assert found.output == found.calls[-1].name
    weight = conv.args[1].name
    assert found.names[weight] == "part.0.weight"
    assert torch.equal(found.constants[weight], module.part[0].weight)


def test_a_call_computes_on_other_arguments():
    add = Call("a", "add", torch.add, (Ref("x"), 3, 2), ("alpha",), "", (1,))
    assert add.compute([torch.tensor([1.0]), 3, 2]).tolist() == [7]


def test_references_are_found_however_deep():
    assert list(refs((Ref("a"), [Ref("b"), (1, Ref("c"))], "d", None))) == ["a", "b", "c"]


def test_a_forward_that_two_maps_leave_or_that_fails_is_refused_with_its_reason():
    with pytest.raises(UnreadableError, match="has 2 outputs"):
        trace(Lambda(lambda x: (x.relu(), x.sigmoid())), (2, 4, 4))
    with pytest.raises(UnreadableError, match=r"does not run on an input of \(2, 4, 4\).*Oh no"):
        trace(Lambda(lambda x: (_ for _ in ()).throw(ValueError("Oh no."))), (2, 4, 4))
