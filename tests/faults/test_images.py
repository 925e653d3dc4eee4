"""Malformed images in nine formats, and what is not an image at all under an image's name."""

import csv
import io
import os
import resource
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.dataset.images import FORMATS
from pipeline.sources import prepare
from pipeline.sources.decoders import decoded
from tests.faults.forks import run
from tests.workspaces import waves, write_params

pytestmark = pytest.mark.slow
EACH = 56
"""Malformed images of a format, for one of --faults: 10,080 of all formats for 20."""
MOST_S, MOST_BYTES = 10.0, 1 << 30
"""What the decoding of one file may cost."""


@dataclass(frozen=True)
class Measured:
    """A decoder's work that notes, in its process, what each file costs."""

    work: Callable[[object], object]
    costs: Path
    """A line for each: processor seconds, and the bytes by which its process grew."""

    def __call__(self, job: object) -> object:
        """Do the work."""
        before = resource.getrusage(resource.RUSAGE_SELF)
        try:
            return self.work(job)
        finally:
            after = resource.getrusage(resource.RUSAGE_SELF)
            took = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            grew = (after.ru_maxrss - before.ru_maxrss) << 10
            with self.costs.open("a") as file:
                file.write(f"{took} {grew}\n")


def measuring(workspace: Path) -> None:
    """Let this process's decoders note what each file costs."""
    costs = workspace / "costs"
    prepare.decoded = lambda work, *rest: decoded(Measured(work, costs), *rest)  # type: ignore[assignment]


def drawn(format_: str, chance: np.random.Generator) -> bytes:
    """A small image of a format, of one of its kinds."""
    pixels = waves(np.random.default_rng(1), int(chance.integers(5)))
    image = Image.fromarray(pixels[:40, :48])
    modes = {"PNG": "RGB RGBA L LA P 1", "TIFF": "RGB RGBA L 1 CMYK P", "GIF": "P L"}
    image = image.convert(str(chance.choice(modes.get(format_, "RGB L").split())))
    packed = {"TIFF": [None, "tiff_lzw", "packbits", "tiff_deflate", "jpeg"]}
    options = {}
    if (how := chance.choice(packed.get(format_, [None]))) and image.mode in ("RGB", "L"):
        options["compression"] = how
    file = io.BytesIO()
    image.save(file, format_, **options)
    return file.getvalue()


def malformed(content: bytes, chance: np.random.Generator) -> bytes:
    """An image file with some bytes changed, cut out, repeated or put in."""
    changed = bytearray(content)
    for _ in range(int(chance.integers(1, 6))):
        at, length = int(chance.integers(len(changed))), int(chance.integers(1, 64))
        match int(chance.integers(6)):
            case 0:
                changed[at] ^= 1 << int(chance.integers(8))
            case 1:
                changed[at] = int(chance.choice([0, 255, 127, 128]))
            case 2:
                del changed[at : at + length]
            case 3:
                changed[at:at] = changed[at : at + length]
            case 4:
                changed[at:at] = chance.bytes(length)
            case _:
                changed[at : at + 4] = chance.choice(
                    [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\xff\xff"]
                )
        if not changed:
            break
    return bytes(changed)


def prepared(folder: Path) -> tuple[int | None, str, dict[str, str]]:
    """How `prepare` ends, what it says, and of every file that it lists what it says of it."""
    write_params(
        folder,
        {"data": {"max_rejected_fraction": 1.0}, "scan": {"layers": ["conv1"]}},
    )
    ended = run(folder, "prepare", before=measuring)
    listed = {}
    for name, column in (("manifest", "split"), ("rejected", "reason")):
        table = folder / "artifacts" / f"{name}.csv"
        if table.exists():
            with table.open(newline="", encoding="utf-8") as file:
                listed |= {row["path"]: row[column] for row in csv.DictReader(file)}
    return ended.status, ended.said, listed


def plain(folder: Path) -> None:
    """Enough images without fault for a run."""
    for split in ("train", "val"):
        (folder / "photos" / split / "cat").mkdir(parents=True)
        for number in range(10):
            pixels = waves(np.random.default_rng(number), number)
            Image.fromarray(pixels).save(folder / "photos" / split / "cat" / f"{number}.png")


def foreign(said: str) -> Iterator[str]:
    """Lines that are neither of a bar nor the stage's own."""
    for line in said.replace("\r", "\n").splitlines():
        ours = line.startswith(("find:", "prepare:", "scan:", "Computing on ", "Error: "))
        ours = ours or "rejected" in line
        if line.strip() and not ours:
            yield line


@pytest.mark.parametrize("format_", FORMATS)
def test_malformed_images(tmp_path, tally, faults, chance, format_, finished):
    """Each is used or listed with a reason; no decoder takes all down; nothing foreign is said.

    Nor is it by a scan, which decodes those that are used in the stage's own process.
    """
    plain(tmp_path)
    folder = tmp_path / "photos" / "val" / "cat"
    names = [f"{number:05}.{format_.lower()}" for number in range(EACH * faults)]
    for name in names:
        (folder / name).write_bytes(malformed(drawn(format_, chance), chance))
    status, said, listed = prepared(tmp_path)
    assert status == 0, said
    assert not list(foreign(said))
    for name in names:
        tally.note(f"val/cat/{name}" in listed, f"{name} is in no list")
    costs = [line.split() for line in (tmp_path / "costs").read_text().splitlines()]
    assert len(costs) >= len(names) / 2  # one that a limit ended has left no line
    assert max(float(took) for took, _ in costs) < MOST_S
    assert max(int(grew) for _, grew in costs) < MOST_BYTES
    if faults > 1 or format_ == "TIFF":
        shutil.copytree(finished / "artifacts" / "model", tmp_path / "artifacts" / "model")
        ended = run(tmp_path, "scan")
        assert ended.status == 0, ended.said
        assert not list(foreign(ended.said))
    tally.settle()


def test_hostile_files(tmp_path, tally, finished):
    """Pipes, devices, links out of the folder, loops, and names of control characters."""
    plain(tmp_path)
    secret = tmp_path / "secret"
    secret.write_text("the password is swordfish\n")
    folder = tmp_path / "photos" / "val" / "cat"
    os.mkfifo(folder / "pipe.png")
    links = {"zero.png": "/dev/zero", "null.jpg": "/dev/null", "secret.png": str(secret)}
    links |= {"loop.png": "loop.png", "gone.png": "nowhere", "folder.png": "/etc"}
    for name, target in links.items():
        (folder / name).symlink_to(target)
    names = ["a\nb.png", "a\x1b[31mb.png", "a\u202eb.png", ' "=cmd|.png', "x" * 240 + ".png"]
    for name in names:
        (folder / name).write_bytes(b"no image\x1b[2J swordfish")
    (folder / "plain.txt").write_text("")
    with open(os.fsencode(folder) + b"/bad\xff.png", "wb") as file:
        file.write(b"no image")
    status, said, listed = prepared(tmp_path)
    assert status == 0, said
    assert "\x1b" not in said
    table = (tmp_path / "artifacts" / "rejected.csv").read_text("utf-8", "surrogateescape")
    assert "swordfish" not in table
    for name in (*links, "pipe.png", *names):
        seen = any(Path(path).name == name or repr(name)[1:-1] in path for path in listed)
        tally.note(seen, f"{name!r} is in no list")
    tally.settle()


def test_photographs_that_are_pipes_later(finished, tmp_path, tally, chance):
    """An image that turned into a pipe, a device or a folder after `prepare` is one line."""
    for kind in ("pipe", "device", "folder", "link"):
        copy = tmp_path / kind
        shutil.copytree(finished, copy)
        path = sorted((copy / "photos" / "val").rglob("*.jpg"))[0]
        path.unlink()
        match kind:
            case "pipe":
                os.mkfifo(path)
            case "device":
                path.symlink_to("/dev/zero")
            case "folder":
                path.mkdir()
            case _:
                path.symlink_to("/etc/passwd")
        for stage in ("scan", "evaluate", "crop"):
            ended = run(copy, stage)
            fine = ended.status == 1 and path.name in ended.error and ended.clean
            tally.note(fine, f"{stage}, {kind}: {ended.status} {ended.said[-300:]}")
    tally.settle()
