"""No edit of a stage's code decides by accident what becomes of users' half-done work."""

import json

import pytest

from pipeline.storage.versions import VERSIONS
from tests.imports import ROOT, modules
from tests.state_versions import RECORD, record


@pytest.mark.parametrize("stage", VERSIONS)
def test_a_change_of_a_stages_code_was_looked_at(stage):
    assert record([stage])[stage] == json.loads(RECORD.read_text(encoding="utf-8"))[stage], (
        f"The code of {stage} has changed. If state that the old code left must not be resumed by "
        f"the new one, raise {stage} in pipeline/storage/versions.py. Then run "
        "`python -m tests.state_versions --write`."
    )


def test_an_edit_of_words_is_not_a_change_of_code(tmp_path, monkeypatch):
    before = record(["scan"])
    monkeypatch.setattr("tests.state_versions.ROOT", tmp_path)
    for path in modules():
        copy = tmp_path / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        text = (ROOT / path).read_text(encoding="utf-8")
        copy.write_text(f"# A remark.\n{text}", encoding="utf-8")
    assert record(["scan"]) == before
    with (tmp_path / "pipeline/storage/spill.py").open("a") as file:
        file.write("\nMORE = 1\n")
    assert record(["scan"]) == before  # the scan spills nothing
    with (tmp_path / "pipeline/storage/checked.py").open("a") as file:
        file.write("\nMORE = 1\n")
    assert record(["scan"]) != before
