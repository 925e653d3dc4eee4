from pathlib import Path

import pytest
import torch
from torch import nn

from pipeline.adopt.adoption import adopt_module, check_file, scores
from pipeline.adopt.build import Built
from pipeline.adopt.spec import Spec
from pipeline.adopt.trace import UnreadableError
from pipeline.errors import AtlasError
from pipeline.network.module import Network
from pipeline.storage.hashing import sha256_of
from tests.pipeline.adopt import modules
from tests.pipeline.adopt.modules import Small, drawn


def built(module):
    return Built(module, None, None, None)


def test_a_network_is_taken_with_its_weights_its_check_and_where_its_code_is_from():
    module = drawn(Small(classes=4))
    adopted = adopt_module(built(module), 24, 3)
    assert scores(adopted.graph) == 4
    assert torch.equal(adopted.weights["stem.weight"], module.stem.weight)
    assert max(adopted.agreement.values, adopted.agreement.projections) <= 1e-9
    assert adopted.versions["torch"] == torch.__version__.partition("+")[0]
    assert adopted.sources[modules.__name__] == sha256_of(Path(modules.__file__))


def test_a_network_for_grey_sees_the_mean_of_the_colours():
    module = drawn(nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU()))
    adopted = adopt_module(built(module), 8, 1)
    network = Network(adopted.graph)
    network.load_state_dict(adopted.weights)
    image = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        found = network.eval().run(image, [adopted.graph.output])[adopted.graph.output]
        torch.testing.assert_close(found, module(image.mean(1, keepdim=True)))


def test_a_grey_network_that_changes_its_input_before_a_convolution_is_refused():
    with pytest.raises(UnreadableError, match="changes the grey input"):
        adopt_module(built(nn.Sequential(nn.ReLU(), nn.Conv2d(1, 2, 3))), 8, 1)


def test_weights_that_are_no_numbers_are_refused():
    module = nn.Sequential(nn.Conv2d(3, 2, 3))
    with torch.no_grad():
        module[0].bias[1] = torch.nan
    with pytest.raises(AtlasError, match=r"0\.bias"):
        adopt_module(built(module), 8, 3)


def test_a_map_scores_no_classes():
    assert (
        scores(adopt_module(built(nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU())), 8, 3).graph) == 0
    )


def test_only_the_file_that_was_adopted_is_taken_again(tmp_path):
    path = tmp_path / "w.pth"
    path.write_bytes(b"weights")
    spec = Spec("nets.mine:build", {}, "w.pth", tmp_path)
    check_file(spec, sha256_of(path))
    check_file(spec, None)
    with pytest.raises(AtlasError, match="its sha256 differs"):
        check_file(spec, "0" * 64)
    path.unlink()
    with pytest.raises(AtlasError, match=r"w\.pth"):
        check_file(spec, "0" * 64)
