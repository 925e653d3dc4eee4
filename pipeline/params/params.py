"""`params.yaml`: everything that changes a result, typed, complete, unknown keys refused.

No value has a default here: what a run did is what its file says. The presets are whole files.
"""

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import (
    Discriminator,
    Field,
    Tag,
    ValidationError,
    model_validator,
)

from pipeline.errors import AtlasError
from pipeline.params.faults import first_fault, remedy
from pipeline.params.figures import FiguresParams
from pipeline.params.model import AdoptedParams, ModelParams, form_of_model
from pipeline.params.section import Count, Fraction, Section
from pipeline.params.strict_yaml import as_json, read_text, yaml_fault
from pipeline.params.training import TrainParams

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


class Params(Section):
    """The whole of params.yaml."""

    seed: Annotated[int, Field(ge=0, lt=2**63)]
    """Global random seed: the demo's drawings, splits, start, order, augmentation."""
    data: DataParams
    model: Annotated[ModelParams, Tag("own")] | Annotated[AdoptedParams, Tag("adopted")] = Field(
        discriminator=Discriminator(form_of_model)
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
        raise AtlasError(f"{path}: {first_fault(error, Params)}", fix=remedy(error)) from None
    except ValueError as error:
        raise AtlasError(
            f"{path} is not a file of parameters: {error}.", fix="Correct it."
        ) from None
