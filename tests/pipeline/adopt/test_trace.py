import sys

import pytest
import torch
from torch import nn
from torch.nn import functional
from torchvision.transforms import Normalize, v2

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


@pytest.mark.parametrize(
    ("wants", "has", "said"),
    [
        (1, 3, "give --grey MEAN STD"),
        (3, 1, "instead of --grey"),
        (4, 3, r"in colour \(3 channels"),
    ],
)
def test_a_network_for_other_channels_is_refused_with_the_options_for_them(wants, has, said):
    words = f"takes {wants}-channel images, not {has}-channel ones.*{said}"
    with pytest.raises(UnreadableError, match=words):
        trace(nn.Sequential(nn.ReLU(), nn.Conv2d(wants, 2, 3)), (has, 5, 6))
    with pytest.raises(UnreadableError, match="does not run on an input"):  # not the image's own
        trace(nn.Sequential(nn.Conv2d(has, 9, 3), nn.Conv2d(wants, 2, 3)), (has, 5, 6))


def test_a_test_of_a_tensor_is_refused_without_a_word_of_torch_s_own(capfd):
    with pytest.raises(UnreadableError, match=r"flow depends on values.*`\.item\(\)`"):
        trace(Lambda(lambda x: x * x.max().item() if x.mean() > 0 else x), (3, 4, 4))
    deviations = nn.Sequential(Normalize([0.5] * 3, [0.2] * 3), nn.Conv2d(3, 2, 3))
    with pytest.raises(UnreadableError, match=r"Give --mean and --std .*transforms\.v2"):
        trace(deviations, (3, 4, 4))
    assert capfd.readouterr() == ("", "")
    deviations[0] = v2.Normalize([0.5] * 3, [0.2] * 3)
    assert [call.op for call in trace(deviations, (3, 4, 4)).calls][-1] == "conv2d"


def test_a_forward_that_ends_the_program_does_not():
    with pytest.raises(UnreadableError, match=r"does not run on an input.*SystemExit: 3"):
        trace(Lambda(lambda x: sys.exit(3)), (3, 4, 4))


def test_a_forward_that_two_maps_leave_or_that_fails_is_refused_with_its_reason():
    with pytest.raises(UnreadableError, match="has 2 outputs"):
        trace(Lambda(lambda x: (x.relu(), x.sigmoid())), (2, 4, 4))
    with pytest.raises(UnreadableError, match=r"does not run on an input of \(2, 4, 4\).*Oh no"):
        trace(Lambda(lambda x: (_ for _ in ()).throw(ValueError("Oh no."))), (2, 4, 4))
