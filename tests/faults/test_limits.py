"""Full disks, limits of the system, and folders that may not be written."""

import os
import resource
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from tests.faults.forks import OUTS, STAGES, Ended, contents, copied, mount_small_disk, run

pytestmark = pytest.mark.slow
NOBODY = 65534


def file_size(workspace: Path, limit: int) -> None:
    sys.dont_write_bytecode = True  # half a file of it would stay, for every process after this
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))


def few_files(workspace: Path) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))


def no_temporary_folder(workspace: Path) -> None:
    os.environ["TMPDIR"] = str(workspace / "there-is-none")


def full_temporary_folder(workspace: Path) -> None:
    os.environ["TMPDIR"] = str(folder := workspace / "temporary")
    folder.mkdir()
    mount_small_disk(folder, 4096)
    (folder / "full").write_bytes(bytes(4096))


def no_shared_memory(workspace: Path) -> None:
    mount_small_disk(Path("/dev/shm"), 4096)


def another_user(workspace: Path) -> None:
    """Become a user to whom nothing in the workspace belongs."""
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


LIMITS = {
    "files of a kibibyte at most": partial(file_size, limit=1 << 10),
    "files of 64 kibibytes at most": partial(file_size, limit=1 << 16),
    "64 open files": few_files,
    "no temporary folder": no_temporary_folder,
    "a full temporary folder": full_temporary_folder,
    "4 KiB of shared memory": no_shared_memory,
    "another user": another_user,
}


@pytest.mark.parametrize("limit", LIMITS)
def test_limits(finished, tmp_path, tally, faults, limit):
    """One line, the old outs whole; or the stage does without."""
    if limit == "another user" and os.getuid() != 0:
        pytest.skip("only root becomes another user")
    for stage in STAGES[:: 1 if faults > 1 else 3]:
        copy = copied(finished, tmp_path / stage)
        for folder in tmp_path.parents:
            if limit == "another user" and folder != Path("/"):
                folder.chmod(folder.stat().st_mode | 0o555)
        ended = run(copy, stage, before=LIMITS[limit])
        if ended.unmounted:
            pytest.skip("no disk can be mounted here")
        tally.note(
            ended.clean and contents(copy, stage) == contents(finished, stage),
            f"{stage} with {limit}: {ended.status} {ended.said[-500:]}",
        )
        shutil.rmtree(copy)
    tally.settle()


def test_a_full_temporary_folder_for_processes_that_train_together(finished, tmp_path, tally):
    """They meet in shared memory and through pipes: it does not matter, or is one line."""
    copy = copied(finished, tmp_path / "run")
    ended = run(copy, "train", "--workers", "2", before=full_temporary_folder)
    if ended.unmounted:
        pytest.skip("no disk can be mounted here")
    tally.note(
        ended.status == 0
        or (ended.clean and contents(copy, "train") == contents(finished, "train")),
        f"{ended.status} {ended.said[-500:]}",
    )
    tally.settle()


def test_two_gigabytes_of_addresses(finished, tmp_path, tally, faults):
    """A stage that starts in so little: torch alone maps more. A fork would hold it already."""
    start = [sys.executable, "-c", "from stages.entry import main; main()"]
    for stage in STAGES[:: 1 if faults > 1 else 3]:
        copy = copied(finished, tmp_path / stage)
        found = subprocess.run(
            [*start, stage, "-w", copy],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30)),
        )
        ended = Ended(found.returncode, found.stdout)
        tally.note(
            ended.clean and contents(copy, stage) == contents(finished, stage),
            f"{stage} with 2 GiB of addresses: {ended.status} {ended.said[-500:]}",
        )
        shutil.rmtree(copy)
    tally.settle()


def full_disk(workspace: Path, outs: Path, free: int, files: int) -> None:
    """Move the workspace to a disk that only this process sees.

    It has so many bytes left; and, unless 0, room for so many more files.
    """
    held = workspace.with_name("held")
    shutil.copytree(workspace, held, symlinks=True)
    kept = list(held.rglob("*"))
    size = sum(p.stat().st_size // 4096 * 4096 + 8192 for p in kept)
    mount_small_disk(workspace, size + free, files and len(kept) + 1 + files)
    shutil.copytree(held, workspace, symlinks=True, dirs_exist_ok=True)
    pid = os.fork()
    if pid:  # the parent looks at what the stage left on the disk, and ends as it did
        _, status = os.waitpid(pid, 0)
        for name in ("artifacts", "reports", "site"):
            shutil.copytree(workspace / name, outs / name, dirs_exist_ok=True)
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


@pytest.mark.parametrize("stage", STAGES)
def test_full_disk(finished, tmp_path, tally, faults, chance, stage):
    """One line, the old outs whole."""
    for number in range(faults):
        copy = copied(finished, tmp_path / f"{number}")
        shutil.rmtree(copy / ".state")
        (outs := tmp_path / "outs").mkdir()
        parts = [p for out in OUTS[stage] for p in [copy / out, *(copy / out).rglob("*")]]
        need = sum(p.stat().st_size + 4096 for p in parts)
        free, files = int(chance.uniform(0, 1) * need), 0
        if chance.random() < 0.3:
            free, files = 10 * need, int(chance.integers(1, len(parts) + 1))
        ended = run(copy, stage, before=partial(full_disk, outs=outs, free=free, files=files))
        if ended.unmounted:
            pytest.skip("no disk can be mounted here")
        tally.note(
            ended.clean and contents(outs, stage) == contents(finished, stage),
            f"{stage} with {free} bytes and {files} files free: {ended.status} {ended.said[-500:]}",
        )
        shutil.rmtree(copy)
        shutil.rmtree(outs)
        shutil.rmtree(tmp_path / "held")
    tally.settle()
