"""A training in a workspace: its task, its resumable state, the request to finish, its outs."""

import os
from dataclasses import dataclass
from pathlib import Path

import torch
from filelock import FileLock, Timeout

from pipeline.compute.device import configure_matmul
from pipeline.compute.malloc import disable_malloc_trim
from pipeline.cores import cores
from pipeline.dataset.prepared import prepared_manifest
from pipeline.dataset.store import open_images
from pipeline.errors import AtlasError
from pipeline.network.outs import publish_network
from pipeline.network.readable import check_readable
from pipeline.params import load_params
from pipeline.progress import Advance
from pipeline.storage.hashing import sha256_of
from pipeline.storage.state import costly_state, fingerprint, kept_beside, stage_state
from pipeline.storage.versions import VERSIONS
from pipeline.training.artifacts import training_report, write_model
from pipeline.training.checkpoint import FILE as CHECKPOINT
from pipeline.training.distributed import Group
from pipeline.training.task import ExecutionConfig, TrainingResult, TrainingTask
from pipeline.training.trainer import Watch, train
from pipeline.workspace import Workspace


@dataclass(frozen=True)
class Session:
    """The training of a workspace, as every process of it sees it."""

    workspace: Workspace
    cache: bool | None
    """Keep decoded pixels on disk; None: where that pays."""
    compiled: bool
    checkpoint_s: float

    @property
    def finish_file(self) -> Path:
        """The file whose presence asks the run to stop early."""
        return self.workspace.state("train") / "finish"

    def is_running(self) -> bool:
        """Whether another process holds the training's state."""
        try:
            with FileLock(self.workspace.state("train") / "lock", timeout=0):
                return False
        except Timeout:
            return True

    def check_checkpoint(self) -> None:
        """Raise AtlasError unless a run with the present parameters left a checkpoint."""
        found = self.workspace.state("train").glob(f"*/{CHECKPOINT}")
        keys = {path.parent.name for path in found}
        if not keys:
            raise AtlasError(
                "No checkpoint found, so there is no training run to finish.",
                fix="Run `dvc repro train`.",
            )
        facts = self.facts(load_task(self.workspace))
        if fingerprint(facts) not in keys:
            left = kept_beside(self.workspace.state("train"), facts)
            raise AtlasError(
                f"The checkpoint belongs to a different training run: {'; '.join(left)}.",
                fix="Restore these to finish it, or train with `dvc repro train`, which keeps it.",
            )

    def facts(self, task: TrainingTask) -> dict[str, object]:
        """Everything that affects the weights, by name: what the key of the state hashes."""
        params = task.params
        return {
            "seed": params.seed,
            "data.resize": params.data.resize,
            "data.crop": params.data.crop,
            "model": params.model.model_dump(),
            "train": params.train.model_dump(),
            "images": task.manifest.sha256,
            "the file of train.init_from": task.init_weights and sha256_of(task.init_weights),
            "version": VERSIONS["train"],
        }

    def key(self, task: TrainingTask) -> str:
        """The name of the run's state: another name is another run."""
        return fingerprint(self.facts(task))

    def pixels(self, task: TrainingTask) -> Path:
        """The folder of decoded pixels, which survives a stopped training and another recipe."""
        facts = {
            "input": [task.params.data.resize, task.params.data.crop],
            "manifest": task.manifest.sha256,
            "version": VERSIONS["pixels"],
        }
        return self.workspace.state("pixels") / fingerprint(facts)

    def run(
        self,
        task: TrainingTask,
        group: Group,
        device: torch.device,
        watch: Watch,
        decoding: Advance,
    ) -> TrainingResult:
        """Train as one process of a group, from the last checkpoint; the main one publishes."""
        disable_malloc_trim()
        configure_matmul(device, tf32=False)
        state, pixels = self.workspace.state("train") / self.key(task), self.pixels(task)
        threads = max(1, cores() // int(os.environ.get("LOCAL_WORLD_SIZE", "1")))
        config = ExecutionConfig(
            device, threads, self.cache, pixels, self.compiled, self.checkpoint_s
        )
        if not group.is_main:
            # The main process locks the state first.
            group.barrier()
            return train(task, config, group, state)
        with (
            costly_state(state.parent, self.facts(task)),
            stage_state(pixels.parent, pixels.name),
        ):
            group.barrier()
            finish = self.finish_file.exists
            result = train(
                task, config, group, state, watch=watch, decoding=decoding, finish=finish
            )
            publish_network(
                self.workspace,
                lambda folder: write_model(folder, task, result, state),
                result.history,
                training_report(result),
            )
        self.finish_file.unlink(missing_ok=True)
        return result


def load_task(workspace: Workspace) -> TrainingTask:
    """The training that params.yaml asks for, on the images of the manifest.

    Raises AtlasError for a weights file to start from that is not there, or that the training
    itself would replace.
    """
    params = load_params(workspace.params)
    images, weights = open_images(workspace.images(params.data.root)), None
    if params.train.init_from is not None:
        weights = workspace.resolve(params.train.init_from)
        _check_weights(workspace, weights)
    return TrainingTask(params, prepared_manifest(workspace), images, weights)


def _check_weights(workspace: Workspace, weights: Path) -> None:
    if workspace.model.resolve() in weights.resolve().parents:
        raise AtlasError(
            f"train.init_from names {weights}, which this training will replace.",
            fix="Copy the file out of the model folder and name the copy.",
        )
    check_readable(weights, fix="Correct train.init_from in params.yaml.")
