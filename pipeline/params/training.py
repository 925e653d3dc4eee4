"""The section `train` of `params.yaml`: the recipe."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.params.section import Count, Fraction, Positive, Section


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
