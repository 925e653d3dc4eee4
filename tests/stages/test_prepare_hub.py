"""`data.root: hf:ORG/DATASET`, on a hub of this machine."""

import hashlib
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from huggingface_hub import constants

from pipeline.dataset import attempts, remote
from pipeline.dataset.manifest import read_manifest
from tests import layouts
from tests.hub import NAME, hub
from tests.stages.preparing import CLASSES, as_parquet, fault
from tests.workspaces import write_params, write_photos

ATLAS = str(Path(sys.executable).with_name("atlas"))


@pytest.mark.slow
def test_a_data_set_of_the_hub_is_read_by_its_name(tmp_path):
    write_photos(tmp_path / "photos", CLASSES)
    root = as_parquet(tmp_path / "photos", tmp_path)
    write_params(tmp_path, {"data": {"root": f"hf:{NAME}"}})
    with hub(tmp_path / root) as address:
        environment = os.environ | {"HF_ENDPOINT": address, "HF_HUB_DISABLE_XET": "1"}
        told = subprocess.run(
            [ATLAS, "prepare", "-w", str(tmp_path)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert told.returncode == 0, told.stderr
    found = read_manifest(tmp_path / "artifacts/manifest.csv").rows
    assert sorted((row.split, row.label, row.sha256) for row in found) == sorted(
        (*path.split("/")[:2], hashlib.sha256(data).hexdigest())
        for path, data in layouts.files_of(tmp_path / "photos").items()
    )


@pytest.mark.parametrize("status", ["401", "404", "503", "refused"])
def test_a_hub_that_gives_nothing_is_one_line(tmp_path, monkeypatch, status):
    monkeypatch.setattr(attempts, "WAITS_S", (0.0,))
    remote._opened.cache_clear()
    with ExitStack() as open_hub:
        address = open_hub.enter_context(hub(tmp_path, int(status) if status.isdecimal() else 200))
        monkeypatch.setattr(constants, "ENDPOINT", address)
        if not status.isdecimal():
            open_hub.close()
        line = fault(tmp_path, f"hf:{NAME}")
    remote._opened.cache_clear()
    assert f"hf://datasets/{NAME} cannot be listed: " in line
    assert status in line
