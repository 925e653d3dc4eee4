"""`dvc.yaml` lists what each stage reads: more, and too much would rerun; less, and too little."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from pipeline.params import Params
from pipeline.workspace import Workspace
from tests.dvc_deps import DVC_YAML, code_deps, with_code_deps
from tests.dvc_stages import STAGES, parameter_names, params_of
from tests.imports import PACKAGES, ROOT

FLOW = Workspace(Path())
CODE_PATHS_AT_MOST = {"figures": 8}  # it scans and projects too
OF_ANY_OTHER = 7
OUTS = {
    "prepare": {FLOW.manifest, FLOW.rejected, FLOW.report("prepare.json")},
    "train": {FLOW.model, FLOW.report("train.json"), FLOW.report("train_history.csv")},
    "evaluate": {FLOW.predictions, FLOW.report("evaluate.json")},
    "scan": {FLOW.scan},
    "project": {FLOW.projections},
    "crop": {FLOW.crops},
    "verify": {FLOW.report("verify.json")},
    "figures": {FLOW.figures, FLOW.report("figures.json")},
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


def listed_code(stage: str) -> list[str]:
    return [path for path in entries(stage, "deps") if path.split("/")[0] in PACKAGES]


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_the_code_that_it_runs_and_on_no_other(stage):
    assert listed_code(stage) == code_deps(stage), "run `python -m tests.dvc_deps --write`"
    assert len(listed_code(stage)) <= CODE_PATHS_AT_MOST.get(stage, OF_ANY_OTHER)


def test_a_code_path_that_is_missing_or_too_many_is_put_right_by_the_command():
    text = DVC_YAML.read_text(encoding="utf-8")
    broken = text.replace("      - pipeline/network\n", "", 1).replace(
        "      - stages/crop.py\n", "      - stages/crop.py\n      - stages/none.py\n"
    )
    assert broken != text
    assert with_code_deps(broken) == text


def test_a_template_belongs_to_render_alone():
    assert [stage for stage in STAGES if "atlas_site" in listed_code(stage)] == ["render"]


@pytest.mark.parametrize("stage", STAGES)
def test_outs_are_where_the_workspace_says(stage):
    assert set(map(Path, entries(stage, "outs", "metrics", "plots"))) == OUTS[stage]


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_says_what_it_does_and_runs_its_own_command(stage):
    assert STAGES[stage]["cmd"] == f"atlas {stage}"
    assert STAGES[stage]["desc"]
    assert "persist" not in str(STAGES[stage]), "it would keep results of other parameters"


@pytest.mark.parametrize("stage", STAGES)
def test_what_a_stage_reads_is_code_the_users_network_or_made_by_a_stage_before_it(stage):
    before = list(STAGES)[: list(STAGES).index(stage)]
    made = {str(path) for name in before for path in OUTS[name]}
    given = {"nets", str(FLOW.class_names)}
    assert set(entries(stage, "deps")) - set(listed_code(stage)) <= made | given


@pytest.mark.parametrize("stage", STAGES)
def test_the_stage_that_runs_the_users_code_alone_watches_its_folder(stage):
    watched = {path for path in entries(stage, "deps") if path.split("/")[0] == "nets"}
    assert watched == {"prepare": {"nets/classes.txt"}, "train": {"nets"}}.get(stage, set())


@pytest.mark.slow
def test_an_edit_of_the_users_network_marks_the_stage_that_reads_it(tmp_path):
    """A flow of one stage with the deps of `train`, whose command does nothing."""
    deps = {path: tmp_path / path for path in entries("train", "deps")}
    for path in deps.values():
        path.mkdir(parents=True)
        (path / "mine.py").write_text("1")
    flow = {"stages": {"train": {"cmd": "echo", "deps": sorted(deps)}}}
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump(flow))

    def dvc(*words: str) -> str:
        command = [sys.executable, "-m", "dvc", *words]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout

    dvc("init", "--no-scm", "--quiet")
    dvc("repro", "--quiet")
    assert json.loads(dvc("status", "--json")) == {}
    (deps["nets"] / "mine.py").write_text("2")
    assert json.loads(dvc("status", "--json")) == {
        "train": [{"changed deps": {"nets": "modified"}}]
    }


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_reads_the_artifacts_that_it_names(stage):
    """Each `workspace.<name>` in the command's source is a dep or an out of the stage."""
    source = (ROOT / "stages" / f"{stage}.py").read_text(encoding="utf-8")
    named = {getattr(FLOW, name) for name in re.findall(r"workspace\.([a-z_]+)\b(?!\()", source)}
    named |= {FLOW.report(name) for name in re.findall(r'workspace\.report\("(.+?)"\)', source)}
    listed = set(map(Path, entries(stage, "deps", "outs", "metrics", "plots")))
    assert named - {FLOW.params, FLOW.root, FLOW.artifacts} <= listed


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
