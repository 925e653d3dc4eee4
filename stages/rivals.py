"""`atlas rivals`: the other networks of Figure 6."""

import math
import re
import shutil
from pathlib import Path

import click
import yaml

from pipeline.atlas import open_atlas
from pipeline.dataset.prepared import prepared_manifest
from pipeline.dataset.store import open_images
from pipeline.errors import AtlasError
from pipeline.params import Params, load_params
from pipeline.storage.hashing import sha256_of
from pipeline.storage.publish import publish
from pipeline.training.task import TrainingTask
from pipeline.trials.rivals import rival_params
from pipeline.trials.trial import trial_recipe
from pipeline.workspace import Workspace
from stages.command import alone, stage
from stages.images import fetch_missing
from stages.params_file import dumped, write_params
from stages.run import run_stage

FOLDER = "rivals"
LINE = re.compile(r"^( +rivals: *)\[[^\]]*\]", re.MULTILINE)
"""The list of `figures.architecture.rivals`, as the presets and `atlas adopt` write it."""


@stage
@alone
def main(workspace: Workspace) -> None:
    """Train and scan the other networks of Figure 6, and name them in params.yaml.

    AlexNet and ZFNet, each with and without the cap on filter norms (renormalisation): all but this
    run's own network. Images, seed, width and recipe are this run's. Each is a whole workspace
    in rivals/NAME. What is finished is not made again; an interrupted training resumes. Device and
    workers are taken from ATLAS_DEVICE, ATLAS_WORKERS and ATLAS_SCHEDULER. Then run
    `dvc repro render`.
    """
    params = load_params(workspace.params)
    fetch_missing(workspace)
    rivals = rival_params(params)
    _check(workspace, params, rivals)
    for number, (name, wanted) in enumerate(rivals.items(), start=1):
        click.echo(f"Rival {number} of {len(rivals)}: {name}", err=True)
        _make(workspace, Workspace(workspace.root / FOLDER / name), wanted)
    _name(workspace, params, [f"{FOLDER}/{name}" for name in rivals])


def _check(workspace: Workspace, params: Params, rivals: dict[str, Params]) -> None:
    """Raise AtlasError, before the first training, for a network that does not fit the input."""
    manifest = prepared_manifest(workspace)
    images = open_images(workspace.images(params.data.root))
    for rival in rivals.values():
        TrainingTask(rival, manifest, images, None).graph()


def _make(workspace: Workspace, rival: Workspace, params: Params) -> None:
    """Train and scan a rival, as far as that is not done."""
    before, listing = _params_of(rival), _listing(rival, workspace)
    if before is None or not _same(listing) or trial_recipe(before) != trial_recipe(params):
        _remove(rival.artifacts)
    elif before.scan != params.scan:
        _remove(rival.scan)
    if not _same(listing):
        for copy, original in listing:
            with publish(copy) as path:
                shutil.copyfile(original, path)
    if before != params:  # last: what was made is of these
        with publish(rival.params) as path:
            path.write_text(dumped(params.model_dump(mode="json")), encoding="utf-8")
    if not rival.model.exists():
        run_stage("train", rival)
    if not _is_scanned(rival):
        run_stage("scan", rival)


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


def _listing(rival: Workspace, workspace: Workspace) -> list[tuple[Path, Path]]:
    """The files that say which images a run is of: a rival's own and the run's."""
    report = "prepare.json"
    return [
        (rival.report(report), workspace.report(report)),
        (rival.manifest, workspace.manifest),
    ]


def _params_of(rival: Workspace) -> Params | None:
    """The parameters that a rival was made with; None where there are none that can be read."""
    try:
        return load_params(rival.params)
    except AtlasError:
        return None


def _same(listing: list[tuple[Path, Path]]) -> bool:
    """Whether every copy is there and is of its original's bytes."""
    return all(
        copy.is_file() and sha256_of(copy) == sha256_of(original) for copy, original in listing
    )


def _is_scanned(rival: Workspace) -> bool:
    try:
        open_atlas(rival.artifacts)
    except AtlasError:
        return False
    return True


def _name(workspace: Workspace, params: Params, folders: list[str]) -> None:
    """Put the folders into params.yaml, beside those that are named there."""
    named = params.figures.architecture.rivals
    every = list(dict.fromkeys((*named, *folders)))
    listed = yaml.safe_dump(every, default_flow_style=True, width=math.inf).strip()
    text = workspace.params.read_text(encoding="utf-8")
    fresh, count = LINE.subn(lambda found: f"{found[1]}{listed}", text)
    if count == 1:
        write_params(workspace.params, fresh, "`atlas rivals`")
    else:
        click.echo(f"Now set figures.architecture.rivals: {listed} in {workspace.params}.")
