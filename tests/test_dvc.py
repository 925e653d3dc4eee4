"""`dvc.yaml` lists what each stage reads: more, and too much would rerun; less, and too little."""

import re
from pathlib import Path

import pytest
import yaml

from pipeline.params import Params
from pipeline.workspace import Workspace
from tests.imports import ROOT, closure, is_empty, modules

DVC = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))
STAGES = DVC["stages"]
FLOW = Workspace(Path())
CANNOT_CHANGE_A_RESULT = {
    Path("pipeline/errors.py"),  # words
    Path("pipeline/params.py"),  # DVC follows the values themselves
    Path("pipeline/progress.py"),  # bars
    Path("pipeline/workspace.py"),  # paths: test_outs_stand_where_the_workspace_says
    Path("pipeline/storage/publish.py"),  # when an out appears, not what is in it
    Path("pipeline/storage/checked.py"),  # what state is believed
    Path("pipeline/storage/disk.py"),  # words
    Path("stages/command.py"),  # options of speed, the log
    Path("pipeline/parent.py"),  # when a process ends
    Path("stages/cli.py"),  # which command is which
}
OWN_ROOM = {
    "prepare": ["pipeline/dataset"],
    "train": ["pipeline/training"],
    "evaluate": ["pipeline/evaluation"],
    "scan": ["pipeline/scan"],
    "project": ["pipeline/project"],
    "crop": ["pipeline/crop"],
    "verify": ["pipeline/verify"],
    "render": ["atlas_site"],
}
"""Listed whole: what is in it belongs to the stage, templates included."""
OUTS = {
    "prepare": {FLOW.manifest, FLOW.rejected, FLOW.report("prepare.json")},
    "train": {FLOW.model, FLOW.report("train.json"), FLOW.report("train_history.csv")},
    "evaluate": {FLOW.predictions, FLOW.report("evaluate.json")},
    "scan": {FLOW.scan},
    "project": {FLOW.projections},
    "crop": {FLOW.crops},
    "verify": {FLOW.report("verify.json")},
    "render": {FLOW.site},
}


def entries(stage: str, *kinds: str) -> dict[str, dict[str, object]]:
    """Paths of a stage's deps, outs, metrics or plots, with their options."""
    listed = [entry for kind in kinds for entry in STAGES[stage].get(kind, [])]
    return {
        path: options
        for entry in listed
        for path, options in (entry.items() if isinstance(entry, dict) else [(entry, {})])
    }


def code_deps(stage: str) -> list[str]:
    rooms = ("pipeline/", "stages/", "atlas_site")
    return sorted(path for path in entries(stage, "deps") if path.startswith(rooms))


def code_read(stage: str) -> set[Path]:
    """Modules that run when a stage runs, but for the exempt and the empty ones."""
    read = closure(Path("stages", f"{stage}.py")) - CANNOT_CHANGE_A_RESULT
    return {path for path in read if not is_empty(path)}


def shortest_list(stage: str) -> list[str]:
    """The stage's own room; of others what it runs, or the folder where that is all of it."""
    own = [Path(room) for room in OWN_ROOM.get(stage, [])]
    read = {path for path in code_read(stage) if not set(own) & set(path.parents)}
    unread = {path for path in modules() if not is_empty(path)} - code_read(stage)
    listed = set(own)
    for path in read:
        folders = [folder for folder in path.parents if len(folder.parts) > 1]
        whole = [f for f in folders if not any(f in other.parents for other in unread)]
        listed.add(min(whole, key=lambda f: len(f.parts), default=path))
    return sorted(map(str, listed))


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_the_code_that_it_runs_and_on_no_other(stage):
    assert code_deps(stage) == shortest_list(stage)


def test_a_template_belongs_to_render_alone():
    assert [stage for stage in STAGES if "atlas_site" in code_deps(stage)] == ["render"]


@pytest.mark.parametrize("stage", STAGES)
def test_outs_stand_where_the_workspace_says(stage):
    assert set(map(Path, entries(stage, "outs", "metrics", "plots"))) == OUTS[stage]


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_runs_its_own_command(stage):
    assert STAGES[stage]["cmd"] == f"atlas {stage}"
    assert "persist" not in str(STAGES[stage]), "it would keep results of other parameters"


@pytest.mark.parametrize("stage", STAGES)
def test_what_a_stage_reads_is_code_or_made_by_a_stage_before_it(stage):
    before = list(STAGES)[: list(STAGES).index(stage)]
    made = {str(path) for name in before for path in OUTS[name]}
    assert set(entries(stage, "deps")) - set(code_deps(stage)) <= made


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_reads_the_artifacts_that_it_names(stage):
    """Each `workspace.<name>` in the command's source is a dep or an out of the stage."""
    source = (ROOT / "stages" / f"{stage}.py").read_text(encoding="utf-8")
    named = {getattr(FLOW, name) for name in re.findall(r"workspace\.([a-z]+)\b(?!\()", source)}
    named |= {FLOW.report(name) for name in re.findall(r'workspace\.report\("(.+?)"\)', source)}
    listed = set(map(Path, entries(stage, "deps", "outs", "metrics", "plots")))
    assert named - {FLOW.params, FLOW.root, FLOW.artifacts} <= listed


def parameter_names() -> set[str]:
    names = {"seed"}
    for section in Params.model_fields.keys() - {"seed"}:
        fields = Params.model_fields[section].annotation.model_fields
        names |= {f"{section}.{name}" for name in fields}
    return names


def params_of(stage: str) -> set[str]:
    """Full names of a stage's parameters; a section stands for all its keys."""
    listed = STAGES[stage].get("params", [])
    return {
        name for name in parameter_names() for key in listed if f"{name}.".startswith(f"{key}.")
    }


@pytest.mark.parametrize("stage", STAGES)
def test_every_parameter_that_dvc_follows_exists(stage):
    known = parameter_names() | set(Params.model_fields)
    assert set(STAGES[stage].get("params", [])) <= known


def test_every_parameter_reruns_a_stage_besides_render():
    followed = set().union(*(params_of(stage) for stage in STAGES if stage != "render"))
    assert followed == parameter_names()


def test_the_pages_show_every_parameter():
    assert params_of("render") == parameter_names()


def test_only_the_large_outs_that_are_quick_to_make_stay_out_of_the_cache():
    uncached = {path for stage in STAGES for path, o in entries(stage, "outs").items() if o}
    assert uncached == {str(FLOW.projections), str(FLOW.crops), str(FLOW.site)}


def test_dvc_asks_nothing_of_the_network():
    config = (ROOT / ".dvc" / "config").read_text(encoding="utf-8")
    for line in ("analytics = false", "check_update = false", "offline = true"):
        assert line in config
