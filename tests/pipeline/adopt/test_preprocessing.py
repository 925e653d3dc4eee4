import pytest
import torchvision

from pipeline.adopt.preprocessing import Preprocessing, chosen, imagenet, of_timm, of_torchvision
from pipeline.errors import AtlasError
from pipeline.params import load_params
from stages.preset import PRESETS

CONFIG = {"input_size": (3, 224, 224), "mean": (0.5,) * 3, "std": (0.2,) * 3}


DATA = load_params(PRESETS / "demo.yaml").data
KNOWN = Preprocessing(40, 32, (0.5,) * 3, (0.2,) * 3, "bicubic")
NOTHING = dict.fromkeys(("mean", "std", "grey", "resize", "crop", "interpolation"))


def test_options_come_before_what_weights_say_and_that_before_params():
    assert chosen(KNOWN, DATA, **NOTHING) == KNOWN
    given = {"std": (1.0,) * 3, "crop": 48, "interpolation": "bilinear"}
    changed = Preprocessing(48, 48, KNOWN.mean, (1.0,) * 3, "bilinear")
    assert chosen(KNOWN, DATA, **NOTHING | given) == changed
    grey = Preprocessing(DATA.resize, DATA.crop, (0.1,), (0.3,))
    assert chosen(None, DATA, **NOTHING | {"grey": (0.1, 0.3)}) == grey


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"mean": (0.5,) * 3}, "Nothing says how the network's inputs are normalised"),
        ({"grey": (0.5, 0.2), "std": (0.2,) * 3}, "--grey and --mean or --std exclude"),
        ({"mean": (124.0,) * 3, "std": (58.0,) * 3}, "^--mean and --std must be .*by 255"),
        ({"grey": (0.5, 2.0)}, r"^MEAN and STD must be between 0 and 1, not \(0\.5, 2\.0\)"),
        ({"mean": (0.5,) * 3, "std": (0.2, 0.0, 0.2)}, "must be above 0, not 0.2, 0, 0.2"),
        ({"grey": (0.5, 0.2), "resize": 20, "crop": 32}, "--resize 20 is smaller than .* 32"),
    ],
)
def test_options_that_cannot_be_are_refused(given, words):
    with pytest.raises(AtlasError, match=words):
        chosen(None, DATA, **NOTHING | given)


def test_what_torchvision_says_of_inputs():
    weights = torchvision.models.EfficientNet_B1_Weights.IMAGENET1K_V2
    preprocessing, classes = of_torchvision(weights)
    assert (preprocessing.resize, preprocessing.crop) == (255, 240)
    assert preprocessing.mean == (0.485, 0.456, 0.406)
    assert preprocessing.interpolation == "bilinear"
    assert classes == imagenet()
    assert dict(zip(classes.wnids, classes.names, strict=True))["n02129165"] == "lion"


def test_what_timm_says_of_inputs():
    config = {"input_size": (3, 224, 224), "crop_pct": 0.95, "num_classes": 10}
    config |= {"mean": (0.5, 0.5, 0.5), "std": (0.2, 0.2, 0.2), "interpolation": "bicubic"}
    preprocessing, classes = of_timm(config)
    assert (preprocessing.resize, preprocessing.crop) == (235, 224)
    assert preprocessing.interpolation == "bicubic"
    assert classes is None


def test_what_timm_leaves_out_is_its_default_and_without_a_mean_nothing_is_known():
    preprocessing, classes = of_timm({**CONFIG, "num_classes": 1000})
    assert (preprocessing.resize, preprocessing.interpolation) == (256, "bilinear")
    assert classes == imagenet()
    assert of_timm({"input_size": (3, 224, 224)}) == (None, None)


def test_a_way_to_resize_that_is_not_known_is_refused_with_those_that_are():
    with pytest.raises(AtlasError, match="resized with 'hamming'") as refusal:
        of_timm({**CONFIG, "interpolation": "hamming"})
    assert "bicubic" in refusal.value.fix


def test_imagenet_has_a_thousand_classes_with_a_wordnet_id_each():
    classes = imagenet()
    assert len(classes.names) == len(set(classes.wnids)) == 1000
    assert (classes.names[0], classes.wnids[0]) == ("tench", "n01440764")
    assert (classes.names[999], classes.wnids[999]) == ("toilet tissue", "n15075141")


@pytest.mark.parametrize("mode", ["squash", "border"])
def test_images_that_were_cut_otherwise_are_refused_in_one_line(mode):
    with pytest.raises(AtlasError, match=f"cut with crop_mode '{mode}'") as refusal:
        of_timm({**CONFIG, "crop_mode": mode})
    assert "\n" not in str(refusal.value)
    assert of_timm({**CONFIG, "crop_mode": "center"})[0].resize == 256


def test_images_that_were_resized_without_antialiasing_are_refused():
    class Weights:
        name = "OLD_V1"

        def transforms(self):
            return torchvision.transforms._presets.ImageClassification(
                crop_size=224, antialias=False
            )

    with pytest.raises(AtlasError, match="weights OLD_V1 were resized without antialiasing"):
        of_torchvision(Weights())
