"""Outcomes kept on disk: used for the same file, never for another, never when damaged."""

import sqlite3

import pytest

from pipeline.errors import AtlasError
from pipeline.sources.inspection import Inspection
from pipeline.sources.known import open_known
from pipeline.sources.protocol import Candidate
from pipeline.sources.rejected import Rejection

CAT = Candidate("val", "cat/1.jpg", "cat", stamp="10 20 30 40")
USED = Inspection(30, 20, "ab" * 32)
DAMAGED = Rejection("cat/1.jpg", "damaged: here", stray=False)


@pytest.mark.parametrize("outcome", [USED, DAMAGED])
def test_an_outcome_is_that_of_the_same_file_at_another_run(tmp_path, outcome):
    with open_known(tmp_path) as known:
        assert known.outcome(CAT) is None
        known.add(CAT, outcome)
    with open_known(tmp_path) as known:
        assert known.outcome(CAT) == outcome
        assert known.outcome(Candidate("val", CAT.path, "cat", stamp="10 20 31 40")) is None
        assert known.outcome(Candidate("val", CAT.path, "cat", "tar:1+2", CAT.stamp)) is None


def test_a_file_whose_changes_cannot_be_seen_is_not_kept(tmp_path):
    unseen = Candidate("val", "cat/1.jpg", "cat")
    with open_known(tmp_path) as known:
        known.add(unseen, USED)
        assert known.outcome(unseen) is None


@pytest.mark.parametrize("reason", ["unreadable: Input/output error", "too costly: more than 8 s"])
def test_what_may_pass_is_tried_again(tmp_path, reason):
    with open_known(tmp_path) as known:
        known.add(CAT, Rejection(CAT.path, reason, stray=False))
        assert known.outcome(CAT) is None


def test_a_changed_row_is_not_believed(tmp_path):
    with open_known(tmp_path) as known:
        known.add(CAT, USED)
    with sqlite3.connect(tmp_path / "inspections.sqlite") as rows:
        rows.execute("UPDATE outcome SET width = 31")
    rows.close()
    with open_known(tmp_path) as known:
        assert known.outcome(CAT) is None


def test_a_damaged_file_is_removed_with_a_word(tmp_path, caplog):
    (tmp_path / "inspections.sqlite").write_bytes(b"no database" * 1000)
    with open_known(tmp_path) as known:
        assert known.outcome(CAT) is None
        known.add(CAT, USED)
        assert known.outcome(CAT) == USED
    assert "is damaged" in caplog.text


def test_a_second_process_is_reported(tmp_path):
    error = pytest.raises(AtlasError, match="Another process")
    with open_known(tmp_path), error, open_known(tmp_path):
        pass
