import pytest
import torch
from safetensors.torch import save_file

from pipeline.errors import AtlasError
from pipeline.network.architectures import Variant, build_chain
from pipeline.network.card import ModelCard, snapshot_path
from pipeline.network.model import load_model, save_model
from pipeline.network.module import Network
from pipeline.storage.hashing import sha256_of
from pipeline.storage.sealed import read_sealed, write_sealed

CROP = 64
MEAN = torch.full((3, CROP, CROP), 0.5)


@pytest.fixture
def network() -> Network:
    torch.manual_seed(0)
    return Network(build_chain("zfnet", 3, CROP, Variant(width=0.0625)))


def card(**differs: object) -> ModelCard:
    facts = {
        "arch": "zfnet",
        "width": 0.0625,
        "classes": ("a", "b", "c"),
        "resize": 72,
        "crop": CROP,
        "mean": (10.0, 20.0, 30.0),
        "scale": 0.5,
        "seed": 0,
        "epochs_trained": 1,
        "weights_sha256": "",
        "manifest_sha256": "",
    }
    return ModelCard.model_validate(facts | differs)


def test_a_saved_network_comes_back_with_the_same_scores(network, tmp_path):
    save_model(tmp_path, card(), network.state_dict())
    model = load_model(tmp_path)
    inputs = torch.randn(2, 3, CROP, CROP)
    assert not model.network.training
    assert torch.equal(model.network(inputs), network.eval()(inputs))


def test_normalising_subtracts_the_mean_and_scales(network, tmp_path):
    save_model(tmp_path, card(), network.state_dict())
    pixels = torch.full((1, 3, CROP, CROP), 40, dtype=torch.uint8)
    assert load_model(tmp_path).normalisation(pixels)[0, :, 0, 0].tolist() == [15.0, 10.0, 5.0]


def test_a_mean_image_is_among_the_weights(network, tmp_path):
    mean = torch.rand(3, CROP, CROP)
    save_model(tmp_path, card(mean="input_mean"), {**network.state_dict(), "input_mean": mean})
    assert torch.equal(load_model(tmp_path).normalisation.mean, mean)


def test_a_snapshot_is_opened_with_its_own_weights_and_mean(network, tmp_path):
    save_model(tmp_path, card(mean="input_mean"), {**network.state_dict(), "input_mean": MEAN})
    other = {name: tensor + 1 for name, tensor in network.state_dict().items()}
    snapshot_path(tmp_path, 7).parent.mkdir()
    save_file(other | {"input_mean": MEAN * 2}, snapshot_path(tmp_path, 7))
    model = load_model(tmp_path, snapshot=7)
    assert torch.equal(model.network.conv1.weight, other["conv1.weight"])
    assert torch.equal(model.normalisation.mean, MEAN * 2)
    assert model.card.epochs_trained == 7
    assert model.card.weights_sha256 == sha256_of(snapshot_path(tmp_path, 7))


def test_a_snapshot_that_was_not_kept_is_an_error_that_names_those_there_are(network, tmp_path):
    save_model(tmp_path, card(), network.state_dict())
    with pytest.raises(AtlasError, match="the epochs kept are none"):
        load_model(tmp_path, snapshot=3)
    for epoch in (0, 5):
        snapshot_path(tmp_path, epoch).parent.mkdir(exist_ok=True)
        save_file(network.state_dict(), snapshot_path(tmp_path, epoch))
    with pytest.raises(AtlasError, match="the epochs kept are 0, 5"):
        load_model(tmp_path, snapshot=3)


@pytest.mark.parametrize(
    ("differs", "said"),
    [
        ({"width": 0.125}, r"conv1.weight is \(6, 3, 7, 7\), not \(12, 3, 7, 7\)"),
        ({"classes": ("a", "b")}, r"fc8.bias is \(3,\), not \(2,\)"),
        ({"without": ("fc7",)}, r"fc7.bias \(256,\) is not part of it"),
        ({"mean": "input_mean"}, "input_mean"),
    ],
)
def test_weights_that_do_not_fit_are_named_tensor_by_tensor(network, tmp_path, differs, said):
    save_model(tmp_path, card(**differs), network.state_dict())
    with pytest.raises(AtlasError, match=said):
        load_model(tmp_path)


def test_other_weights_beside_the_card_are_refused(network, tmp_path):
    save_model(tmp_path, card(), network.state_dict())
    before = (tmp_path / "model.json").read_text()
    save_model(tmp_path, card(), {n: t + 1 for n, t in network.state_dict().items()})
    (tmp_path / "model.json").write_text(before)
    with pytest.raises(AtlasError, match="sha256"):
        load_model(tmp_path)


@pytest.mark.parametrize("content", [None, b"{}", b"", b"\xff\xfe"])
def test_missing_or_damaged_weights_are_named(network, tmp_path, content):
    save_model(tmp_path, card(), network.state_dict())
    path = tmp_path / "weights.safetensors"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(AtlasError, match=path.name):
        load_model(tmp_path)


def signed(folder, weights):
    """Put weights into a model folder so that the card names them."""
    save_file(weights, folder / "weights.safetensors")
    facts = read_sealed(folder / "model.json", fix="")
    facts["weights_sha256"] = sha256_of(folder / "weights.safetensors")
    write_sealed(folder / "model.json", facts)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("fc8.bias", torch.full((3,), float("nan")), "fc8.bias is NaN or infinite in 3 of 3"),
        ("fc8.bias", torch.ones(3, dtype=torch.bool), "fc8.bias is of bool"),
        ("input_mean", torch.zeros(5), r"input_mean is \(5,\), not \(3, 64, 64\)"),
        ("input_mean", MEAN / 0, "input_mean is NaN or infinite"),
    ],
)
def test_weights_that_are_no_numbers_are_named(network, tmp_path, name, value, said):
    weights = {**network.state_dict(), "input_mean": MEAN}
    save_model(tmp_path, card(mean="input_mean"), weights)
    signed(tmp_path, weights | {name: value})
    with pytest.raises(AtlasError, match=said):
        load_model(tmp_path)
