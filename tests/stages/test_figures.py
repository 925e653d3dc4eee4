"""figures on a small finished scan: what it writes, what it says, and how it resumes."""

import json
import os
import signal
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.atlas import open_atlas
from pipeline.errors import AtlasError
from pipeline.storage.sealed import read_sealed, write_sealed
from pipeline.workspace import Workspace
from stages.cli import main
from tests.finished_scan import finished_scan
from tests.stages.processes import running, wait_for
from tests.workspaces import write_params


def figures(workspace: Workspace):
    return CliRunner().invoke(main, ["figures", "-w", str(workspace.root)])


def written(workspace: Workspace) -> dict[str, bytes]:
    """All files of artifacts/figures/ and the report."""
    files = [*workspace.figures.iterdir(), workspace.report("figures.json")]
    return {path.name: path.read_bytes() for path in sorted(files)}


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Workspace:
    workspace = finished_scan(tmp_path_factory.mktemp("figures") / "run")
    done = figures(workspace)
    assert done.exit_code == 0, done.output
    return workspace


def test_every_figure_asked_for_is_there_or_says_why_not(finished):
    run = open_atlas(finished.artifacts)
    assert tuple(run.figures) == run.params.figures.make
    for name, figure in run.figures.items():
        assert bool(figure.facts) != bool(figure.missing), name
    report = json.loads(finished.report("figures.json").read_text())
    assert list(report)[: len(run.figures)] == list(run.figures)


def test_nothing_is_left_behind(finished):
    assert not list(finished.state("figures").glob("*/*"))
    assert not list(finished.artifacts.glob(".*partial*"))


def test_the_same_bytes_again_with_worker_processes_and_after_a_kill(finished, tmp_path):
    """The second image is a pipe that nobody writes to, so the first is done and work is left."""
    before = written(finished)
    run = open_atlas(finished.artifacts)
    rows = [image["row"] for image in run.figures["invariance"].facts["images"]]
    photo = finished.root / "photos" / run.images[rows[-1]].path
    content = photo.read_bytes()
    photo.unlink()
    os.mkfifo(photo)
    reads_pipes = (
        "from pipeline.dataset.store import FolderStore; from stages.cli import main; "
        "FolderStore.open = lambda self, path: open(self.root / path, 'rb'); main()"
    )
    arguments = ("figures", "-w", str(finished.root))
    with running(sys.executable, "-c", reads_pipes, *arguments) as process:
        wait_for(lambda: kept(finished) or process.poll() is not None)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    photo.unlink()
    photo.write_bytes(content)
    assert kept(finished)
    assert written(finished) == before
    done = CliRunner().invoke(main, ["figures", "-w", str(finished.root), "--workers", "2"])
    assert done.exit_code == 0, done.output
    assert written(finished) == before


def kept(workspace: Workspace) -> list[Path]:
    """The results that an interrupted run has left."""
    return [path for path in workspace.state("figures").glob("*/*/image_*") if path.is_file()]


def test_a_figure_that_is_switched_off_is_not_made(finished, tmp_path):
    write_params(
        finished.root, {"data": {"root": str(finished.root / "photos")}, "figures": {"make": []}}
    )
    done = figures(finished)
    assert done.exit_code == 0, done.output
    assert open_atlas(finished.artifacts).figures == {}


def test_an_image_row_that_is_not_there_is_one_line(finished):
    write_params(
        finished.root,
        {"data": {"root": str(finished.root / "photos")}, "figures": {"images": [99]}},
    )
    done = figures(finished)
    assert done.exit_code == 1
    assert "figures.images names row 99, but there are 14 validation images." in done.output


def test_figures_of_another_model_are_refused(finished):
    index = finished.figures / "index.json"
    before = index.read_text()
    write_sealed(index, read_sealed(index, fix="") | {"weights_sha256": "0" * 64})
    with pytest.raises(AtlasError, match="weights_sha256 differs"):
        _ = open_atlas(finished.artifacts).figures
    index.write_text(before.replace("complete", "compleat"))
    with pytest.raises(AtlasError, match="not as it was written"):
        _ = open_atlas(finished.artifacts).figures
