"""Every command ends in one line that says what to do, or in a traceback that shows a fault."""

import errno
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from pipeline.errors import AtlasError
from pipeline.storage.state import held
from pipeline.workspace import Workspace
from stages.cli import COMMANDS
from stages.cli import main as atlas
from stages.command import bar, stage, workers_option


def command(outcome: BaseException | None = None) -> click.Command:
    @stage
    @workers_option
    def main(workspace: Workspace, workers: int) -> None:
        """Do it."""
        if outcome:
            raise outcome
        click.echo(f"{workspace.root} {workers}")

    return main


def test_a_command_gets_its_workspace_and_its_options(tmp_path):
    result = CliRunner().invoke(command(), ["-w", str(tmp_path), "--workers", "3"])
    assert result.output == f"{tmp_path} 3\n"


def test_options_of_speed_come_from_the_environment_too():
    assert CliRunner().invoke(command(), env={"ATLAS_WORKERS": "2"}).output == ". 2\n"


def test_what_a_user_can_put_right_is_one_line_and_status_1():
    result = CliRunner().invoke(command(AtlasError("It is 7.", fix="Make it 8.")))
    assert (result.exit_code, result.stderr) == (1, "Error: It is 7. Make it 8.\n")


def test_a_full_disk_anywhere_in_a_command_is_one_line():
    result = CliRunner().invoke(command(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))))
    assert result.exit_code == 1
    assert "No space left on device" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_an_interrupt_promises_to_resume_only_what_was_kept(tmp_path):
    options = ["-w", str(tmp_path)]
    result = CliRunner().invoke(command(KeyboardInterrupt()), options)
    assert (result.exit_code, result.stderr) == (130, "Stopped; run again to start over.\n")
    kept = tmp_path / ".state" / __name__.rpartition(".")[2] / "key"
    kept.mkdir(parents=True)
    (kept / "finished.0").touch()
    result = CliRunner().invoke(command(KeyboardInterrupt()), options)
    assert (result.exit_code, result.stderr) == (130, "Stopped; run again to resume.\n")


@pytest.mark.parametrize("fault", [ValueError("bug"), OSError("no number of the system")])
def test_a_fault_of_the_program_keeps_its_traceback(fault):
    assert CliRunner().invoke(command(fault)).exception is fault


@pytest.mark.parametrize("code", [errno.EIO, errno.EROFS, errno.EACCES, errno.EMFILE, errno.ELOOP])
def test_what_the_system_refuses_is_one_line_that_names_the_file(code):
    fault = OSError(code, os.strerror(code), "artifacts/\x1bmanifest.csv")
    result = CliRunner().invoke(command(fault))
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: artifacts/\\x1bmanifest.csv: {os.strerror(code)}. ")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "fault", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory")]
)
def test_memory_that_runs_out_is_one_line(fault):
    result = CliRunner().invoke(command(fault))
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: Out of memory.")


def test_a_thread_that_cannot_start_is_one_line():
    result = CliRunner().invoke(command(RuntimeError("can't start new thread")))
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: The system refuses to start more threads.")


@pytest.mark.parametrize("name", ["evaluate", "verify", "render", "run", "rivals"])
def test_a_stage_without_state_is_alone_too(tmp_path, name):
    with held(Workspace(tmp_path).state(name)):
        result = CliRunner().invoke(atlas, [name, "-w", str(tmp_path)])
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: Another process is running this stage")
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "artifacts").exists()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_a_workspace(name):
    result = CliRunner().invoke(atlas, [name, "--help"])
    assert result.exit_code == 0
    assert "--workspace" in result.output
    about = result.output.partition("\n\n")[2]
    assert about.strip(), "says nothing about itself"
    assert not about.startswith("Options:"), "says nothing about itself"


def test_an_unknown_command_names_those_there_are():
    result = CliRunner().invoke(atlas, ["scam"])
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    assert "scan" in result.stderr


@pytest.mark.parametrize("value", ["many", "-1", "1.5"])
def test_a_wrong_number_of_workers_is_one_line_that_names_it(value):
    result = CliRunner().invoke(atlas, ["scan"], env={"ATLAS_WORKERS": value})
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    assert "ATLAS_WORKERS" in result.stderr
    assert value in result.stderr


def test_a_bar_counts_what_is_done(capsys):
    with bar("scan", 10, "images") as advance:
        advance(4)
        advance(6)
    assert "10/10" in capsys.readouterr().err


PARENT = """
    import os, subprocess, sys, time
    os.environ["DVC_STAGE"] = "scan"
    child = subprocess.Popen([sys.executable, "-c", sys.argv[1]])
    print(child.pid, flush=True)
    time.sleep(60)
"""
CHILD = """
    import time
    from pipeline.parent import end_with_parent
    end_with_parent()
    print("bound", flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help is Linux's")
def test_a_stage_ends_when_dvc_is_killed():
    command = [sys.executable, "-c", textwrap.dedent(PARENT), textwrap.dedent(CHILD)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        lines = {parent.stdout.readline().strip() for _ in range(2)}
        child = int((lines - {"bound"}).pop())
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        assert gone(child)


def gone(process: int) -> bool:
    """Whether a process ends within ten seconds; one that nobody has reaped yet has ended."""
    for _ in range(100):
        status = Path(f"/proc/{process}/stat")
        if not status.exists() or status.read_text().rsplit(")")[1].split()[0] == "Z":
            return True
        time.sleep(0.1)
    return False
