"""`params.yaml`: everything that changes a result, typed, complete, unknown keys refused.

No value has a default here: what a run did is what its file says. The presets are whole files.
"""

import difflib
import re
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import (
    BaseModel,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    model_validator,
)

from pipeline.errors import AtlasError
from pipeline.figure_params import FiguresParams
from pipeline.section import Count, Fraction, Positive, Section
from pipeline.strict_yaml import as_json, read_text, yaml_fault

Interpolation = Literal["bilinear", "bicubic", "nearest", "lanczos"]
"""Interpolations of a resized image."""
LAYERS = ("conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8")
"""Of the project's own networks."""
LAYER_WORDS = ("default", "cuts", "all")
"""Words that `scan.layers` takes instead of names."""
Method = Literal["deconvnet", "guided", "gradient"]
"""Rules by which a signal passes activation functions on its way down to the pixels."""
WantedMethod = Literal["auto", "deconvnet", "guided", "gradient"]
DataSource = Literal[
    "demo",
    "folder",
    "caltech101",
    "imagenette",
    "imagenet",
    "mnist",
    "fashion-mnist",
    "cifar10",
    "cifar100",
]
TORCHVISION_PX = 223
"""The input at which every window of torchvision's AlexNet is whole and pool5 gives 6 × 6.

At others torchvision drops windows that reach out, which a chain completes, and averages to 6 × 6.
"""


class DataParams(Section):
    """The images, and how one becomes a network input."""

    source: DataSource
    """Where the images come from."""
    root: str
    """Their folder; relative to params.yaml, or absolute. For `folder` also a zip or tar file of
    one, a URL, or `hf:ORG/DATASET`."""
    resize: Count
    """The shortest side after resizing, in pixels."""
    crop: Count
    """The side of the square network input, in pixels."""
    train_per_class: Count | None
    """Training images drawn (demo) or kept (caltech101, mnist …) per class; null keeps all."""
    val_per_class: Count | None
    """Validation images drawn (demo) or at most kept (the same) per class; null keeps all."""
    val_fraction: Fraction
    """The share of validation images where a folder has no train/ and val/."""
    max_rejected_fraction: Fraction
    """More unusable images than this stop the run."""

    @model_validator(mode="after")
    def _crop_fits(self) -> "DataParams":
        if self.crop > self.resize:
            raise ValueError(f"crop {self.crop} is larger than resize {self.resize}")
        return self


class ModelParams(Section):
    """A network of our own."""

    arch: Literal["zfnet", "alexnet", "alexnet-torchvision"]
    """The paper's two, or torchvision's AlexNet, for which data.crop is 223."""
    width: Annotated[float, Field(gt=0, le=100)]
    """Every hidden layer's channels are multiplied by it; 1 is the paper's network."""
    conv_channels: dict[str, Count]
    """Channels that differ from the paper's, by layer.

    The larger variant has conv3, 4, 5 = 512, 1024, 512.
    """
    fc_features: Count
    """Features of fc6 and fc7 at width 1; the paper's 4096, in Table 3 also 2048 and 8192."""
    without: tuple[Literal["conv3", "conv4", "fc6", "fc7"], ...]
    """Layers left out, as in Table 3."""


class InputParams(Section):
    """The preprocessing of an adopted network's input."""

    mean: Annotated[tuple[float, ...], Field(min_length=1, max_length=3)]
    """Subtracted, by colour, from pixels of 0 to 1; one number: the network sees grey."""
    std: Annotated[tuple[Positive, ...], Field(min_length=1, max_length=3)]
    """What the difference is divided by, by colour."""
    interpolation: Interpolation
    """How images are resized, always over all pixels that a smaller one stands for."""

    @model_validator(mode="after")
    def _colours(self) -> "InputParams":
        if len(self.mean) != len(self.std) or len(self.mean) == 2:
            raise ValueError("mean and std must both be one number, or three")
        return self


class AdoptedParams(Section):
    """A network from elsewhere, taken as it is; `atlas adopt` writes this section."""

    arch: Annotated[str, Field(pattern=r"^[\w.]+:[\w.]+$")]
    """torchvision:NAME, timm:NAME or package.module:function."""
    arguments: dict[str, str | int | float | bool | None]
    """What the function is called with, by keyword."""
    weights: str | None
    """A name of torchvision's, such as IMAGENET1K_V2, or a weights file.

    null: those that the function leaves in the module.
    """
    weights_sha256: str | None
    """Of the file, so that another one under its name is noticed."""
    inputs: InputParams


class TrainParams(Section):
    """The training recipe (paper, section 3; presets/imagenet.yaml says what it leaves open)."""

    epochs: Annotated[int, Field(ge=0, le=1_000_000)]
    """Passes over the training images; 0 keeps the start."""
    batch_size: Count
    """Images in a step, over all processes together."""
    learning_rate: Positive
    """The first step size."""
    conv1_rate: Positive
    """Factor on the learning rate of the first layer."""
    momentum: Fraction
    """Of the stochastic gradient descent."""
    weight_decay: Annotated[float, Field(ge=0)]
    """L2 penalty on the conv layers' weights; biases have none."""
    fc_decay: Annotated[float, Field(ge=0)]
    """The same on the weights of the fully connected layers."""
    start_decay: Annotated[float, Field(ge=0)]
    """L2 penalty on the part of a conv filter that is still its start, above the first layer.

    It washes the random start out and leaves what was learnt; the paper has none.
    """
    start_decay_after: Annotated[int, Field(ge=0)]
    """Epochs before that penalty sets in: a start that fades before anything was learnt leaves a
    signal too small to learn from."""
    schedule: Literal["plateau", "cosine"]
    """`plateau` divides the rate by ten when validation error stops falling.

    `cosine` lets it fall to 0 over the epochs.
    """
    plateau_patience: Count
    """Epochs without a better validation error before the rate is divided (`plateau`)."""
    warmup_epochs: Annotated[float, Field(ge=0)]
    """Epochs over which the rate rises from 0."""
    label_smoothing: Fraction
    """Probability mass spread evenly over the classes; the paper's is 0."""
    dropout: Fraction
    """Probability that a feature of fc6 or fc7 is dropped in a training step."""
    init: Literal["normal", "he", "patches"]
    """The start of the weights: N(0, 0.01²), or He's for inputs of unit variance.

    `patches` is He's, but the first layer's filters are drawn with the covariance of the training
    images' own patches, and scaled to He's responses.
    """
    revive: bool
    """Whether a conv channel that next to no training image of an epoch excited is turned round.

    Its filter, which answered to nothing, then answers to nearly everything, and learns again.
    """
    filter_rms_cap: Positive | None
    """A conv filter whose RMS exceeds it is scaled back after each step; null: no cap."""
    mean: Literal["pixel", "channel"]
    """What is subtracted: the mean image, or one mean per colour."""
    scale: Positive
    """What the difference is multiplied by: 1 keeps about ±128."""
    augment: Literal["none", "paper", "strong"]
    """`paper`: random crops of the resized square, flips. `strong`: random areas, flips, colour."""
    precision: Literal["float32", "bfloat16"]
    """Of the training step's products; weights stay float32. A device without bfloat16 products
    falls back to float32, and says so."""
    snapshots: tuple[Count, ...]
    """Epochs after which the weights are kept."""
    init_from: str | None
    """A weights file to start from, torchvision's AlexNet included.

    Layers that fit are taken over, and so is the mean of its inputs where it says one. Its scale
    must be the one above, but torchvision's weights are brought to it. null: none.
    """
    freeze: tuple[str, ...]
    """Layers that do not learn."""


class EvaluateParams(Section):
    """The evaluation: what the error rates are measured on."""

    ten_crops: bool
    """Classify ten crops of every image besides the centre crop: ten times the work."""


class ScanParams(Section):
    """The scan: which layers are searched for their strongest images."""

    layers: Annotated[tuple[str, ...], Field(min_length=1)]
    """Layers in the atlas: names such as conv1, patterns such as `layer4.*`, or one of the words
    default, cuts and all (docs/networks.md)."""
    top: Count
    """Images kept per channel."""
    batch_size: Count
    """Images in one forward pass; a parameter: the last bits of an activation depend on it."""
    tf32: bool
    """Let a GPU round the inputs of its products to 10 bits; ranks may then differ from a CPU's."""


class ProjectParams(Section):
    """The projection of the top activations back to pixels."""

    method: WantedMethod
    """How the signal passes activation functions (docs/networks.md). `auto` takes the deconvnet
    where a max pool is below the layer and every function there is a ReLU, else guided backprop."""
    batch_size: Count
    """Projections in one reverse pass."""


MODEL_FORMS: dict[str, type[Section]] = {"own": ModelParams, "adopted": AdoptedParams}
"""The two forms of the section `model`."""


def _form_of_model(section: object) -> str:
    """The form of the section `model`: the arch of an adopted network has a colon."""
    arch = section.get("arch") if isinstance(section, dict) else getattr(section, "arch", None)
    return "adopted" if isinstance(arch, str) and ":" in arch else "own"


class Params(Section):
    """The whole of params.yaml."""

    seed: Annotated[int, Field(ge=0, lt=2**63)]
    """Global random seed: the demo's drawings, splits, start, order, augmentation."""
    data: DataParams
    model: Annotated[ModelParams, Tag("own")] | Annotated[AdoptedParams, Tag("adopted")] = Field(
        discriminator=Discriminator(_form_of_model)
    )
    train: TrainParams
    evaluate: EvaluateParams
    scan: ScanParams
    project: ProjectParams
    figures: FiguresParams

    @property
    def own_model(self) -> ModelParams:
        """The section of a network of this project. Raises AtlasError for an adopted one."""
        if isinstance(self.model, AdoptedParams):
            raise AtlasError(
                f"model.arch {self.model.arch} is adopted as it is, not trained here.",
                fix="Choose a network of this project with `atlas preset`.",
            )
        return self.model

    @model_validator(mode="after")
    def _adopted_is_not_trained(self) -> "Params":
        if isinstance(self.model, AdoptedParams) and self.train.epochs:
            raise ValueError(
                f"train.epochs is {self.train.epochs}, but model.arch {self.model.arch} is taken "
                "as it is: it needs 0"
            )
        return self

    @model_validator(mode="after")
    def _layers_exist(self) -> "Params":
        """Checked before training, not after it."""
        if isinstance(self.model, AdoptedParams):
            return self
        names = [layer for layer in self.scan.layers if not set(layer) & set("*?[")]
        if unknown := [name for name in names if name not in (*LAYERS, *LAYER_WORDS)]:
            raise ValueError(
                f"scan.layers names {', '.join(map(repr, unknown))}; {self.model.arch} has "
                f"{', '.join(map(repr, LAYERS))}"
            )
        if missing := set(self.scan.layers) & set(self.model.without):
            raise ValueError(
                f"scan.layers names {', '.join(sorted(missing))}, which model.without leaves out"
            )
        return self

    @model_validator(mode="after")
    def _frozen_layers_are_given(self) -> "Params":
        if self.train.freeze and self.train.init_from is None:
            raise ValueError(
                f"train.freeze keeps {', '.join(self.train.freeze)} as drawn by chance; "
                "it needs train.init_from"
            )
        return self

    @model_validator(mode="after")
    def _torchvisions_input(self) -> "Params":
        if self.model.arch == "alexnet-torchvision" and self.data.crop != TORCHVISION_PX:
            raise ValueError(
                f"model.arch alexnet-torchvision needs data.crop {TORCHVISION_PX}, "
                f"not {self.data.crop}"
            )
        return self


def load_params(path: Path) -> Params:
    """Read and check a params.yaml.

    Raises AtlasError naming the first wrong key with its value, or the file that cannot be read.
    """
    try:
        return Params.model_validate_json(as_json(read_text(path)))
    except FileNotFoundError:
        raise AtlasError(
            f"There is no {path}.", fix="Write one with `atlas preset demo`."
        ) from None
    except OSError as error:
        raise AtlasError(
            f"{path} cannot be read: {error.strerror}.", fix="Put a file of parameters there."
        ) from None
    except RecursionError:
        raise AtlasError(
            f"{path} nests lists or sections without end.", fix="Correct it, then run again."
        ) from None
    except yaml.YAMLError as error:
        raise AtlasError(
            f"{path} is not YAML: {yaml_fault(error)}.", fix="Correct that line."
        ) from None
    except ValidationError as error:
        raise AtlasError(f"{path}: {_first_fault(error)}", fix=_fix(error)) from None
    except ValueError as error:
        raise AtlasError(
            f"{path} is not a file of parameters: {error}.", fix="Correct it."
        ) from None


def _fix(error: ValidationError) -> str:
    further = len(error.errors()) - 1
    also = f" and {further} more fault(s)" if further else ""
    return f"Correct it{also}, then run again."


def _first_fault(error: ValidationError) -> str:
    """The first fault in one sentence; an unknown key before the missing one it may stand for."""
    faults = error.errors()
    unknown = (fault for fault in faults if fault["type"] == "extra_forbidden")
    fault = next(unknown, faults[0])
    location = [part for at, part in enumerate(fault["loc"]) if at != 1 or part not in MODEL_FORMS]
    where = ".".join(str(part) for part in location) or "the file"
    if fault["type"] == "extra_forbidden":
        return f"`{where}` is not a parameter; {_meant(fault['loc'])}"
    if fault["type"] == "missing":
        return f"`{where}` is missing."
    if fault["type"] == "value_error":
        return f"{f'`{where}`: ' * bool(fault['loc'])}{fault['ctx']['error']}."
    if fault["type"] == "model_type":
        return f"`{where}` must hold `key: value` lines, not {fault['input']!r}."
    return f"`{where}` is {fault['input']!r}: {fault['msg']}{_unread_number(fault['input'])}."


def _meant(location: tuple[int | str, ...]) -> str:
    """The known key nearest to an unknown one, or all keys that may be beside it."""
    known = _siblings(location)
    near = difflib.get_close_matches(str(location[-1]), known, n=1)
    return f"`{near[0]}` may be meant." if near else f"valid keys: {', '.join(known)}."


def _unread_number(value: object) -> str:
    """A hint for numbers such as 1e-2, which YAML reads as text for want of a point."""
    if isinstance(value, str) and re.fullmatch(r"[-+]?\d+e[-+]?\d+", value, re.IGNORECASE):
        return f"; YAML reads it as text, write {float(value)}"
    return ""


def _siblings(location: tuple[int | str, ...]) -> list[str]:
    """The known keys beside the key at a location."""
    section: type[BaseModel] = Params
    for part in location[:-1]:
        if part == "model":
            continue
        inner = MODEL_FORMS.get(str(part)) or section.model_fields[str(part)].annotation
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            break
        section = inner
    return list(section.model_fields)
