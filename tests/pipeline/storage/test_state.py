"""State survives a failure, not a success, and belongs to one process at a time."""

import logging
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator

import pytest

from pipeline.errors import AtlasError
from pipeline.storage.state import costly_state, fingerprint, stage_state

HOLDER = """
    import sys, time
    from pathlib import Path
    from pipeline.storage.state import stage_state
    with stage_state(Path(sys.argv[1]), "key") as state:
        (state / "half").write_text("41 chunks")
        print("held", flush=True)
        time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the state."""
    command = [sys.executable, "-c", textwrap.dedent(HOLDER), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_failed_stage_finds_its_state_again(tmp_path):
    with pytest.raises(ZeroDivisionError), stage_state(tmp_path, "key") as state:
        (state / "half").touch()
        raise ZeroDivisionError
    with stage_state(tmp_path, "key") as state:
        assert (state / "half").exists()


def test_a_finished_stage_leaves_no_state(tmp_path):
    with stage_state(tmp_path, "key") as state:
        (state / "half").touch()
    assert not state.exists()


def test_state_of_other_inputs_is_removed(tmp_path):
    with pytest.raises(ZeroDivisionError), stage_state(tmp_path, "old") as old:
        raise ZeroDivisionError
    with stage_state(tmp_path, "new") as state:
        assert not old.exists()
        assert list(state.iterdir()) == []


def test_costly_state_of_other_inputs_is_kept_named_and_resumed(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    long, short = ({"train": {"epochs": epochs, "init": "he"}, "seed": 0} for epochs in (90, 70))
    with pytest.raises(ZeroDivisionError), costly_state(tmp_path, long) as first:
        (first / "checkpoint").write_text("a week")
        raise ZeroDivisionError
    assert caplog.text == ""
    with costly_state(tmp_path, short):
        assert f"{first} with train.epochs 90, now 70" in caplog.text
    caplog.clear()
    with costly_state(tmp_path, long) as state:
        assert (state / "checkpoint").read_text() == "a week"
    assert caplog.text == ""


def test_a_second_process_is_refused_and_told_what_to_do(tmp_path, holder):
    message = r"Another process is running.*lock.*Wait for it"
    with pytest.raises(AtlasError, match=message), stage_state(tmp_path, "key"):
        pass
    assert holder.poll() is None


def test_a_killed_process_lets_go_and_leaves_its_state(tmp_path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with stage_state(tmp_path, "key") as state:
        assert (state / "half").read_text() == "41 chunks"


def test_a_fingerprint_ignores_the_order_of_facts_and_nothing_else():
    facts = {"params": {"top": 9}, "code": "ab"}
    assert fingerprint(facts) == fingerprint(dict(reversed(facts.items())))
    assert fingerprint(facts) != fingerprint({**facts, "params": {"top": 8}})
    assert fingerprint(facts) != fingerprint({**facts, "more": None})


def test_a_fingerprint_is_the_same_in_every_process():
    assert fingerprint({"a": 1, "ü": [2.5, None]}) == "79b6ddd59e5a06ba"


KILLED_WHILE_REMOVING = """
    import os, signal, sys
    from pathlib import Path
    from pipeline.storage.state import stage_state
    def kill(event, args):
        if event == "os.remove":
            os.kill(os.getpid(), signal.SIGKILL)
    with stage_state(Path(sys.argv[1]), "key") as state:
        for name in "abc":
            (state / name).touch()
        sys.addaudithook(kill)
"""


def test_state_whose_removal_was_killed_is_not_taken_for_state(tmp_path):
    command = [sys.executable, "-c", textwrap.dedent(KILLED_WHILE_REMOVING), str(tmp_path)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    with stage_state(tmp_path, "key") as state:
        assert list(state.iterdir()) == []
        assert {path.name for path in tmp_path.iterdir()} == {"key", "lock"}
