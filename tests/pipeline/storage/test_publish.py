"""An out stands whole or not at all, whatever happens while it is written."""

import errno
import os
import resource
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from pipeline.errors import AtlasError
from pipeline.storage.publish import publish


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_when_the_block_ends(tmp_path):
    out = tmp_path / "deep" / "manifest.csv"
    with publish(out) as path:
        path.write_text("new")
        assert not out.exists()
    assert out.read_text() == "new"
    assert names(out.parent) == ["manifest.csv"]


def test_a_folder_replaces_the_one_before_with_all_its_files(tmp_path):
    out = tmp_path / "model"
    for generation in ("old", "new"):
        with publish(out) as path:
            path.mkdir()
            (path / generation).touch()
    assert names(out) == ["new"]
    assert names(tmp_path) == ["model"]


def test_a_fault_inside_leaves_the_old_out_and_nothing_else(tmp_path):
    out = tmp_path / "model"
    out.mkdir()
    (out / "old").touch()
    with pytest.raises(ZeroDivisionError), publish(out) as path:
        path.mkdir()
        (path / "half").touch()
        raise ZeroDivisionError
    assert names(out) == ["old"]
    assert names(tmp_path) == ["model"]


def test_an_interrupt_inside_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt), publish(tmp_path / "out") as path:
        path.write_text("half")
        raise KeyboardInterrupt
    assert names(tmp_path) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_reported_with_the_path_and_a_way_out(tmp_path, code):
    message = r"No space left to write .*scan\.zarr.*Free some space"
    with pytest.raises(AtlasError, match=message), publish(tmp_path / "scan.zarr"):
        raise OSError(code, os.strerror(code))


def test_another_fault_of_the_system_is_not_taken_for_a_full_disk(tmp_path):
    with pytest.raises(PermissionError), publish(tmp_path / "out"):
        raise PermissionError(errno.EACCES, "not yours")


def test_a_file_system_that_refuses_to_grow_a_file_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # half a file of it would stay
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(AtlasError, match="No space left"), publish(tmp_path / "out") as path:
            path.write_bytes(bytes(2000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert names(tmp_path) == []


def test_what_a_killed_process_wrote_is_swept_away_by_the_next(tmp_path):
    killed_inside = """
        import os, signal, sys
        from pathlib import Path
        from pipeline.storage.publish import publish
        with publish(Path(sys.argv[1])) as path:
            path.mkdir()
            (path / "half").touch()
            os.kill(os.getpid(), signal.SIGKILL)
    """
    out = tmp_path / "site"
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(killed_inside), out], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not out.exists()
    with publish(out) as path:
        path.mkdir()
    assert names(tmp_path) == ["site"]


REPLACED = """
    import os, signal, sys
    from pathlib import Path
    from pipeline.storage.publish import publish
    renames = []
    def stop(event, args):
        if event == "os.rename":
            renames.append(args)
            if len(renames) == 2:
                {how}
    sys.addaudithook(stop)
    with publish(Path(sys.argv[1])) as path:
        path.mkdir()
        (path / "new").touch()
"""


@pytest.mark.parametrize(
    ("how", "status"),
    [("os.kill(os.getpid(), signal.SIGKILL)", -9), ("raise KeyboardInterrupt", -signal.SIGINT)],
)
def test_what_stops_between_the_two_renames_of_a_replacement_loses_nothing(tmp_path, how, status):
    out = tmp_path / "site"
    out.mkdir()
    (out / "old").touch()
    script = textwrap.dedent(REPLACED).replace("{how}", how)
    done = subprocess.run([sys.executable, "-c", script, out], check=False, capture_output=True)
    assert done.returncode == status
    with pytest.raises(ZeroDivisionError), publish(out) as path:
        assert names(out) == ["old"]
        path.mkdir()
        raise ZeroDivisionError
    assert names(out) == ["old"]
    with publish(out) as path:
        path.mkdir()
        (path / "new").touch()
    assert names(out) == ["new"]
    assert names(tmp_path) == ["site"]


def test_a_folder_that_another_process_publishes_between_the_renames_is_replaced(
    tmp_path, monkeypatch
):
    out, rename = tmp_path / "site", Path.rename
    out.mkdir()

    def quicker(path: Path, target: Path) -> Path:
        found = rename(path, target)
        if path == out and not out.exists():
            out.mkdir()
            (out / "theirs").touch()
            monkeypatch.setattr(Path, "rename", rename)
        return found

    monkeypatch.setattr(Path, "rename", quicker)
    with publish(out) as path:
        path.mkdir()
        (path / "ours").touch()
    assert names(out) == ["ours"]
    assert names(tmp_path) == ["site"]


def test_what_a_living_process_is_writing_is_left_alone(tmp_path):
    theirs = tmp_path / f".site.partial-{os.getppid()}"
    theirs.mkdir()
    with publish(tmp_path / "site") as path:
        path.mkdir()
    assert theirs.is_dir()


@pytest.mark.parametrize("exists", [True, False])
def test_an_out_that_is_a_link_is_written_where_it_points(tmp_path, exists):
    disk, home = tmp_path / "disk", tmp_path / "home"
    disk.mkdir()
    home.mkdir()
    if exists:
        (disk / "site").mkdir()
        (disk / "site" / "old").touch()
    (home / "site").symlink_to("../disk/site")
    for _ in range(2):
        with publish(home / "site") as path:
            path.mkdir()
            (path / "new").touch()
    assert (home / "site").is_symlink()
    assert names(home / "site") == ["new"]
    assert names(home) == names(disk) == ["site"]


def test_a_link_that_leads_to_itself_is_refused(tmp_path):
    (tmp_path / "site").symlink_to("site")
    with pytest.raises(AtlasError, match="link to itself"), publish(tmp_path / "site"):
        pass


def test_a_link_that_a_killed_process_left_is_swept_away_not_followed(tmp_path):
    (tmp_path / "theirs").mkdir()
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    (tmp_path / f".site.old-{process.pid}").symlink_to("theirs")
    with publish(tmp_path / "site") as path:
        path.mkdir()
    assert names(tmp_path) == ["site", "theirs"]
