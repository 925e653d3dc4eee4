"""The losses of a training run: of each step, watched as they come in, and of each validation."""

import logging
import math
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int64, UInt8
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel

from pipeline.compute.device import supports_bfloat16
from pipeline.dataset.decoded import ImageDataset, Rows
from pipeline.dataset.prefetch import prefetch
from pipeline.dataset.torch_seeding import generator_for
from pipeline.errors import AtlasError
from pipeline.network.module import Network
from pipeline.network.normalisation import Normalisation
from pipeline.training.augment import draw_views
from pipeline.training.checkpoint import Position
from pipeline.training.data import TrainingData, to_device
from pipeline.training.distributed import Group
from pipeline.training.forward import Inputs, Masks, Scores, TrainingForward, draw_masks
from pipeline.training.task import ExecutionConfig, TrainingTask

logger = logging.getLogger(__name__)
DIVERGED = 100.0
"""A loss this many times that of a blind guess will not come back."""
LAG = 16
"""Steps that a GPU may run ahead of the reading of their losses."""
BATCH = 64
"""Validation images in a forward pass."""


class StepLosses:
    """The losses of the images of a step, by random views of them and random dropout."""

    def __init__(
        self,
        task: TrainingTask,
        config: ExecutionConfig,
        group: Group,
        images: TrainingData,
        network: Network,
    ) -> None:
        self.task, self.config, self.group, self.images = task, config, group, images
        asked = task.params.train.precision == "bfloat16"
        self.use_bfloat16 = asked and supports_bfloat16(config.device)
        if asked and not self.use_bfloat16:
            logger.warning(
                "%s has no bfloat16 products; training in float32, which is slower.", config.device
            )
        self.forward = TrainingForward(network)
        self.module: nn.Module = self.forward
        if config.compiled:
            self.module = torch.compile(self.module)  # type: ignore[assignment]
        if group.size > 1:
            self.module = DistributedDataParallel(self.module, gradient_as_bucket_view=True)

    def share(self, count: int) -> slice:
        """This process's positions in a batch; never none, since every process takes every step."""
        return self.group.shard(count) if self.group.rank < count else slice(0, 1)

    def of_batch(
        self, epoch: int, step: int, rows: Rows, pixels: UInt8[np.ndarray, "share side side 3"]
    ) -> tuple[Float[Tensor, " share"], Bool[Tensor, " share"]]:
        """Loss of each image of this process's share, and whether its class was missed.

        `rows` are those of the whole batch, `pixels` the squares of the share.
        """
        params, device = self.task.params, self.config.device
        count, share = len(rows), self.share(len(rows))
        rng = generator_for(params.seed, "augment", epoch, step)
        side, crop = self.images.train.side, params.data.crop
        draws = draw_views(params.train.augment, count, side, crop, rng).share(share)
        inputs = self.images.normalisation.overwrite(draws.views(to_device(pixels, device)))
        rng = generator_for(params.seed, "dropout", epoch, step, device=device)
        scores = self.scores(inputs, draw_masks(self.forward.network.graph, count, share, rng))
        truth = to_device(self.images.train_labels[rows[share]], device)
        smoothing = params.train.label_smoothing
        losses = functional.cross_entropy(
            scores.float(), truth, reduction="none", label_smoothing=smoothing
        )
        return losses, scores.argmax(dim=1) != truth

    def scores(self, inputs: Inputs, masks: Masks) -> Scores:
        """Class scores in the recipe's precision."""
        with torch.autocast(self.config.device.type, torch.bfloat16, enabled=self.use_bfloat16):
            scores: Scores = self.module(inputs, masks)
        return scores


def step_totals(
    losses: Float[Tensor, " image"], wrong: Bool[Tensor, " image"]
) -> Float64[Tensor, "3"]:
    """Summed loss, wrong images and images of a process's part of a step, on its device."""
    images = torch.tensor(len(losses), dtype=torch.float64, device=losses.device)
    return torch.stack([losses.detach().sum().double(), wrong.sum().double(), images])


@dataclass
class LossMonitor:
    """The steps whose losses have not been read yet."""

    group: Group
    classes: int
    pending: list[Tensor] = field(default_factory=list)
    """Per step taken: summed loss, wrong images and images of this process."""

    def add(self, tally: Float64[Tensor, "3"]) -> None:
        """Add a step that was taken, without waiting for its values."""
        self.pending.append(tally)

    def should_flush(self, device: torch.device) -> bool:
        """Whether it is time to flush: at every step on a CPU, at every 16th elsewhere."""
        return device.type == "cpu" or len(self.pending) % LAG == 0

    def flush(self, position: Position, coming: Float64[Tensor, "3"] | None = None) -> None:
        """Read the steps taken, the last of which is the position's, into its sums.

        A `coming` step, whose update is yet to be made, is checked with them but not summed.
        Raises AtlasError where a loss is not a number or far above that of a guess. Every process
        must call it at the same step.
        """
        tallies = self.pending if coming is None else [*self.pending, coming]
        if not tallies:
            return
        steps = self.group.all_reduce_sum(torch.stack(tallies)).tolist()
        taken = len(self.pending)
        self.pending.clear()
        first = position.step - taken + 1
        for step, (loss_sum, _, images) in enumerate(steps, start=first):
            self.check("loss", loss_sum / images, position.epoch + 1, step)
        for loss_sum, wrong, images in steps[:taken]:
            position.loss_sum += loss_sum
            position.wrong += int(wrong)
            position.seen += int(images)

    def check(self, kind: str, loss: float, epoch: int, step: int) -> None:
        """Raise AtlasError for a loss that is not a number or far above that of a guess."""
        if not math.isfinite(loss) or loss > DIVERGED * math.log(max(2, self.classes)):
            raise AtlasError(
                f"Training diverged: the {kind} is {loss:.4g} in epoch {epoch}, step {step}.",
                fix="Lower train.learning_rate or lengthen train.warmup_epochs and train again, or "
                "keep what the last checkpoint holds with `atlas train --finish`.",
            )


@dataclass(frozen=True)
class Validation:
    """Means over the validation images; None without any."""

    loss: float | None
    top1_error: float | None
    dead: dict[str, int]
    """Channels of each conv layer whose activation is 0 everywhere; empty without images."""


@torch.no_grad()
def validate(
    forward: TrainingForward,
    squares: ImageDataset,
    labels: Int64[np.ndarray, " image"],
    normalisation: Normalisation,
    group: Group,
    threads: int,
    half: bool,
) -> Validation:
    """Run the validation images, shared out over the group, through the network.

    `half` computes products in bfloat16, as the training does.
    """
    if not len(squares):
        return Validation(None, None, {})
    device = normalisation.mean.device
    sums = torch.zeros(2, dtype=torch.float64, device=device)
    peaks: dict[str, Tensor] = {}
    mine = np.arange(len(squares))[group.shard(len(squares))]
    runs = [mine[first : first + BATCH] for first in range(0, len(mine), BATCH)]
    for rows, pixels in prefetch(squares.__getitems__, runs, threads, depth=2 * threads):
        inputs = normalisation.overwrite(as_views(pixels, device))
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
            scores, batch_peaks = forward.scores_and_peaks(inputs)
        sums += _loss_and_wrong(scores, labels[rows])
        for layer, values in batch_peaks.items():
            peaks[layer] = torch.maximum(values, peaks.get(layer, values))
    loss, wrong = group.all_reduce_sum(sums).tolist()
    count = len(squares)
    return Validation(loss / count, wrong / count, _dead(forward, peaks, group, device))


def as_views(
    pixels: UInt8[np.ndarray, "image row col 3"], device: torch.device
) -> Float[Tensor, "image 3 row col"]:
    """Pixels (image, row, col, 3) as float maps (image, 3, row, col), channels-last in memory."""
    dense = np.ascontiguousarray(pixels)
    return torch.from_numpy(dense).to(device).permute(0, 3, 1, 2).float()


def _loss_and_wrong(scores: Tensor, labels: Int64[np.ndarray, " image"]) -> Tensor:
    truth = torch.from_numpy(labels).to(scores.device)
    loss = functional.cross_entropy(scores.float(), truth, reduction="sum")
    wrong = (scores.argmax(dim=1) != truth).sum()
    return torch.stack([loss.double(), wrong.double()])


def _dead(
    forward: TrainingForward, peaks: dict[str, Tensor], group: Group, device: torch.device
) -> dict[str, int]:
    graph = forward.network.graph
    dead = {}
    for layer in graph.conv_layers:
        none = torch.zeros(graph.layer(layer).channels, device=device)
        dead[layer] = int((group.all_reduce_max(peaks.get(layer, none)) <= 0).sum())
    return dead
