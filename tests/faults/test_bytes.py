"""One byte flipped, one file cut or removed, in any file that the pipeline reads."""

import os
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest

from tests.aimed import Aim
from tests.faults.forks import OUTS, contents, copied, run
from tests.stages.processes import in_small_steps

pytestmark = pytest.mark.slow
PARTS = "photos/parts.csv"
READERS = (
    (PARTS, "figures"),
    ("artifacts/manifest.csv", "train"),
    ("artifacts/manifest.csv", "scan"),
    ("artifacts/manifest.csv", "evaluate"),
    ("artifacts/manifest.csv", "crop"),
    ("artifacts/predictions.csv", "render"),
    ("artifacts/model", "project"),
    ("artifacts/model", "figures"),
    ("artifacts/scan.zarr", "crop"),
    ("artifacts/projections.zarr", "verify --entries 0"),
    ("artifacts/crops.zarr", "verify --entries 0"),
    ("artifacts/figures", "render"),
    ("reports/prepare.json", "scan"),
    ("reports/evaluate.json", "render"),
    ("reports/train.json", "render"),
    ("reports/train_history.csv", "render"),
    ("reports/verify.json", "render"),
    ("photos/val", "scan"),
    ("photos/val", "evaluate"),
    ("photos/train", "train"),
    ("params.yaml", "scan"),
)
"""An out or input, and a stage that reads it."""
KINDS = ("flip", "cut", "remove")
OPTIONAL = "reports/verify.json"
"""What is not there is of a stage that has not run: the site does without."""


def damage(path: Path, kind: str, chance: np.random.Generator) -> str:
    """Damage a file; what was done to it."""
    content = path.read_bytes()
    if kind == "remove" or not content:
        path.unlink()
        return "removed"
    at = int(chance.integers(len(content)))
    if kind == "cut":
        path.write_bytes(content[:at])
        return f"cut to {at} of {len(content)} bytes"
    bit = int(chance.integers(8))
    path.write_bytes(content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :])
    return f"bit {bit} of byte {at} of {len(content)} flipped"


@pytest.mark.parametrize(("part", "reader"), READERS)
def test_damaged_files(finished, tmp_path, tally, faults, chance, part, reader):
    """The reader refuses, naming the file or its store, or writes what it would have written."""
    words = tuple(reader.split())
    whole = copied(finished, tmp_path / "whole", without=words[0])
    assert run(whole, *words).status == 0
    expected = contents(whole, words[0])
    for number in range(faults):
        copy = copied(finished, tmp_path / f"{number}", without=words[0])
        top = copy / part
        files = [top] if top.is_file() else sorted(p for p in top.rglob("*") if p.is_file())
        path = files[int(chance.integers(len(files)))]
        what = damage(path, KINDS[number % len(KINDS)], chance)
        ended = run(copy, *words)
        named = path.name in ended.error or Path(part).name in ended.error
        if path.name == "manifest.csv":  # what was made from it is found to be of another
            named = named or "another manifest" in ended.error
        same = ended.status == 0 and contents(copy, words[0]) == expected
        if part == OPTIONAL and not path.exists():
            same = ended.status == 0
        if part in ("params.yaml", PARTS):  # another value may be a valid one
            same = ended.status == 0
        tally.note(
            ended.clean and (same or (ended.status == 1 and named)),
            f"{words}: {path.relative_to(copy)} {what}: {ended.status} {ended.said[-400:]}",
        )
        shutil.rmtree(copy)
    tally.settle()


GIVEN = ("nets/classes.txt", "artifacts/model/graph.json", "artifacts/model/model.json")


@pytest.mark.parametrize("part", GIVEN)
def test_damaged_files_of_an_adopted_network(adopted, tmp_path, tally, faults, chance, part):
    """Names that are cut short, or a graph or card that changed, are one line of what reads them.

    Other names of as many classes are the user's to give.
    """
    reader = "train" if part.startswith("nets") else "evaluate"
    for number in range(faults):
        copy = copied(adopted, tmp_path / f"{number}")
        what = damage(copy / part, KINDS[number % len(KINDS)], chance)
        ended = run(copy, reader)
        named = Path(part).name in ended.error
        tally.note(
            ended.clean
            and ((ended.status == 1 and named) or (ended.status == 0 and reader == "train")),
            f"{part} {what}: {ended.status} {ended.said[-400:]}",
        )
        shutil.rmtree(copy)
    tally.settle()


@pytest.mark.parametrize("stage", ["prepare", "train", "scan", "project", "crop", "figures"])
def test_damaged_state(finished, tmp_path, tally, faults, chance, stage):
    """State that a kill left and that is then damaged is thrown away, and its work done again."""
    words = (stage, "--checkpoint-s", "0") if stage == "train" else (stage,)
    expected = contents(finished, stage)
    count = Aim(tmp_path / "moments", first=in_small_steps)
    whole = copied(finished, tmp_path / "whole", without=stage)
    assert run(whole, *words, before=count).status == 0
    outs_from = count.moments.read_text().split().index(Path(OUTS[stage][0]).name) + 1
    for number in range(faults):
        copy = copied(finished, tmp_path / f"{number}", without=stage)
        if stage != "prepare":  # its state is what it decoded, and stays
            moment = int(chance.integers(3, outs_from + 1))
            before = Aim(tmp_path / "moments", moment, signal.SIGKILL, True, first=in_small_steps)
            assert run(copy, *words, before=before).status == -signal.SIGKILL
        tops = [copy / ".state" / name for name in (stage, "pixels")]
        state = sorted(p for top in tops for p in top.rglob("*") if kept_work(p))
        assert state, f"{stage} had kept nothing"
        path = state[int(chance.integers(len(state)))]
        what = damage(path, KINDS[number % len(KINDS)], chance)
        again = run(copy, *words, before=in_small_steps)
        tally.note(
            again.status == 0 and contents(copy, stage) == expected,
            f"{stage}: {os.path.relpath(path, copy)} {what}: {again.status} {again.said[-400:]}",
        )
        shutil.rmtree(copy)
    tally.settle()


def kept_work(path: Path) -> bool:
    """Whether a path of a state folder is a file of what was done."""
    return path.is_file() and path.name not in ("lock", "facts.json")
