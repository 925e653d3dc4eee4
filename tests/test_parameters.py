"""What each stage reads of params.yaml while it runs is what `dvc.yaml` follows for it."""

import sys
from collections import defaultdict

import pytest
from click.testing import CliRunner

from pipeline.params import Section
from stages.cli import main
from tests.dvc_stages import STAGES, params_of, sections
from tests.imports import ROOT
from tests.workspaces import write_params, write_photos

WHEREABOUTS = {"data.root", "data.source"}
"""Where the images are and who makes missing ones, which decides nothing: the manifest holds their
hashes."""
CHECKS = {str(path) for path in (ROOT / "pipeline" / "params").glob("*.py")}
SECTIONS = sections()


@pytest.fixture(scope="module")
def read(tmp_path_factory) -> dict[str, set[str]]:
    """Full names of the parameters that each stage read, all of them run in this process."""
    folder = tmp_path_factory.mktemp("run")
    write_photos(folder / "photos", {"cat": (4, 5), "dog": (4, 5)})
    write_params(folder)
    found = defaultdict(set)
    for stage in STAGES:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Section, "__getattribute__", recording(found[stage]))
            done = CliRunner().invoke(main, [stage, "--workspace", str(folder)])
        assert done.exit_code == 0, done.output
    return found


def recording(seen: set[str]):
    """An attribute access that notes which parameter is read, the checks of the file aside."""

    def read_attribute(section: Section, name: str) -> object:
        checked = sys._getframe(1).f_code.co_filename in CHECKS
        if not checked and name in type(section).model_fields and type(section) in SECTIONS:
            seen.add(f"{SECTIONS[type(section)]}.{name}")
        elif not checked and name == "seed":
            seen.add(name)
        return object.__getattribute__(section, name)

    return read_attribute


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_reads_only_parameters_that_dvc_follows_for_it(read, stage):
    assert read[stage] - WHEREABOUTS <= params_of(stage)


def test_the_record_is_real(read):
    assert {*WHEREABOUTS, "seed"} <= read["prepare"]
    assert {"train.learning_rate", "data.crop"} <= read["train"]
    assert "scan.top" in read["scan"]
