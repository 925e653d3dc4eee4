"""Hostile parameters, class files and weights, through the stages that read them."""

import copy
import shutil
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file

from tests.faults.forks import copied, run

pytestmark = pytest.mark.slow
VALUES: tuple[Any, ...] = (
    None, "", "x" * 10_000, "\x00", "~nosuchuser/x", "\x1b[2J", "../../etc", 0, -1, 10**58, 1e308,
    float("nan"), float("inf"), True, [], [[]], {}, {"a": {"b": 1}}, ["conv1"] * 1000, "é\u202e",
)  # fmt: skip


def hostile(params: dict[str, Any], chance: np.random.Generator) -> tuple[str, Any]:
    """Put a hostile value at a random place; where, and which."""
    section, name = params, str(chance.choice(list(params)))
    where = name
    while isinstance(section[name], dict) and section[name] and chance.random() < 0.9:
        section = section[name]
        name = str(chance.choice(list(section)))
        where += f".{name}"
    value = VALUES[int(chance.integers(len(VALUES)))]
    if chance.random() < 0.2:
        section[str(value)[:50]] = value
    else:
        section[name] = copy.deepcopy(value)
    return where, value


def test_hostile_parameters(finished, tmp_path, tally, faults, chance):
    """A stage ends well or in one line, with one place named; never in a traceback."""
    workspace = copied(finished, tmp_path / "run")
    good = yaml.safe_load((workspace / "params.yaml").read_text())
    for _ in range(8 * faults):
        params = copy.deepcopy(good)
        where, value = hostile(params, chance)
        (workspace / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
        ended = run(workspace, "crop")
        tally.note(
            ended.clean and len(ended.error) < 2000,
            f"{where}: {value!r:.60}: {ended.status} {ended.said[-300:]}",
        )
    tally.settle()


WEIGHTS = {
    "nan": lambda t: torch.full_like(t, float("nan")),
    "infinite": lambda t: t / 0,
    "bool": lambda t: t.bool(),
    "int8": lambda t: (t * 100).to(torch.int8),
    "complex": lambda t: t.to(torch.complex64),
    "sparse": lambda t: t.to_sparse(),
    "meta": lambda t: t.to("meta"),
    "float8": lambda t: t.to(torch.float8_e4m3fn),
    "expanded": lambda t: torch.zeros(1).expand(10**6, 10**6),
    "scalars": lambda t: torch.zeros(()),
    "a list": lambda t: t.tolist(),
    "nested": lambda t: {"weight": t},
}


def test_hostile_weights(finished, tmp_path, tally):
    """Each is one line, and the model stays as it was."""
    workspace = copied(finished, tmp_path / "run")
    weights = load_file(workspace / "artifacts" / "model" / "weights.safetensors")
    del weights["input_mean"]
    before = (workspace / "artifacts" / "model" / "model.json").read_bytes()
    path = workspace / "w.pth"
    for kind, change in WEIGHTS.items():
        torch.save({name: change(tensor) for name, tensor in weights.items()}, path)
        options = ("--mean", "1", "2", "3", "--scale", "0.01")
        ended = run(workspace, "import-weights", str(path), *options)
        same = (workspace / "artifacts" / "model" / "model.json").read_bytes() == before
        tally.note(
            ended.clean and ended.status == 1 and same,
            f"{kind}: {ended.status} {ended.said[-300:]}",
        )
    tally.settle()


def test_weights_with_changed_bytes(finished, tmp_path, tally, faults, chance):
    """A weights file of another with flipped bytes is taken or refused in one line."""
    workspace = copied(finished, tmp_path / "run")
    weights = load_file(workspace / "artifacts" / "model" / "weights.safetensors")
    del weights["input_mean"]
    for number in range(4 * faults):
        path = workspace / ("w.pth" if number % 2 else "w.safetensors")
        (torch.save if number % 2 else save_file)(weights, path)
        content = bytearray(path.read_bytes())
        for _ in range(int(chance.integers(1, 4))):
            place = int(chance.integers(min(len(content), 4000)))  # where names and shapes are
            content[place] = int(chance.integers(256))
        path.write_bytes(content)
        options = ("--mean", "1", "2", "3", "--scale", "0.01")
        ended = run(workspace, "import-weights", str(path), *options)
        tally.note(ended.clean, f"{path.name}: {ended.status} {ended.said[-300:]}")
    shutil.rmtree(workspace)
    tally.settle()
