"""Prepare: many small images, as files and as tar shards; again, and after some were added."""

import io
import os
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.memory import alone, peak_mib
from benchmarks.row import Row
from pipeline.dataset.manifest import read_manifest, write_manifest
from pipeline.dataset.store import open_images
from pipeline.params import DataParams
from pipeline.sources.known import open_known
from pipeline.sources.prepare import locate, prepare

CLASSES = 100
PER_SHARD = 100
SIDE_PX = 64
ADDED = 1_000


def rows(quick: bool) -> Iterator[Row]:
    """Seconds and memory per 10⁵ images, in the layouts that large sets have."""
    count = 10_000 if quick else 100_000
    with tempfile.TemporaryDirectory() as folder:
        for layout, write in LAYOUTS.items():
            root = Path(folder) / layout.replace(" ", "-")
            write(root, count)
            state = Path(folder) / f"state-{layout}"
            first_s, mib = alone(_prepared, str(root), str(state))
            yield _time(layout, "the first time", first_s, count, 600)
            small_s, small_mib = alone(_prepared, str(_tenth(root)), f"{state}-10th")
            per_image = (mib - small_mib) * 1024 / (0.9 * count)
            note = f"{mib:.0f} MiB for {count:,}, {small_mib:.0f} MiB for a tenth ({small_s:.0f} s)"
            yield Row(f"prepare, {layout}: memory", "", per_image, "KiB an image", 1, "lower", note)
            again_s, _ = alone(_prepared, str(root), str(state))
            yield _time(layout, "again", again_s, count, 60)
            if layout == "files":
                _write_files(root, ADDED, first=count)
                added_s, _ = alone(_prepared, str(root), str(state))
                yield _time(layout, f"after {ADDED:,} were added", added_s, count, 90)


def _time(layout: str, when: str, seconds: float, count: int, goal_s: float) -> Row:
    name = f"prepare, {layout} of {SIDE_PX} × {SIDE_PX}: {when}"
    note = f"{count:,} images in {seconds:.1f} s"
    return Row(name, "", seconds * 1e5 / count, "s per 10⁵", goal_s, "lower", note)


def _prepared(root: str, state: str) -> tuple[float, float]:
    """Prepare a folder; the seconds that it took and this process's peak memory in MiB."""
    data = DataParams(
        source="folder",
        root=root,
        resize=SIDE_PX,
        crop=SIDE_PX,
        train_per_class=None,
        val_per_class=None,
        val_fraction=0.1,
        max_rejected_fraction=0.0,
    )
    started = time.perf_counter()
    with open_known(Path(state)) as known:
        done = prepare(open_images(root), locate(root, data, 0), data, known)
    write_manifest(Path(state) / "manifest.csv", done.manifest)
    seconds, mib = time.perf_counter() - started, peak_mib()
    assert len(read_manifest(Path(state) / "manifest.csv").rows) == len(done.manifest.rows)
    return seconds, mib


def _images(count: int, first: int) -> Iterator[tuple[str, str, bytes]]:
    """Class, name and bytes of many small JPEGs, each of its own bytes."""
    rng = np.random.default_rng(first)
    kept = [_jpeg(rng) for _ in range(200)]
    for number in range(first, first + count):
        data = kept[number % len(kept)] + number.to_bytes(4, "big")
        yield f"class{number % CLASSES:03}", f"image{number:07}.jpg", data


def _jpeg(rng: np.random.Generator) -> bytes:
    file = io.BytesIO()
    blocks = rng.integers(0, 256, (8, 8, 3)).astype(np.uint8)
    pixels = np.kron(blocks, np.ones((SIDE_PX // 8, SIDE_PX // 8, 1), np.uint8))
    Image.fromarray(pixels).save(file, "JPEG", quality=90)
    return file.getvalue()


def _write_files(root: Path, count: int, first: int = 0) -> None:
    for label in range(CLASSES):
        (root / f"class{label:03}").mkdir(parents=True, exist_ok=True)
    for label, name, data in _images(count, first):
        (root / label / name).write_bytes(data)


def _write_shards(root: Path, count: int) -> None:
    """Tar shards with class folders inside."""
    _write_tars(root, count, lambda label, name, data: [(f"{label}/{name}", data)])


def _write_samples(root: Path, count: int) -> None:
    """Tar shards of samples: an image, and its class in a `.cls` beside it."""
    _write_tars(
        root,
        count,
        lambda label, name, data: [
            (name, data),
            (name.replace(".jpg", ".cls"), label.removeprefix("class").encode()),
        ],
    )


def _write_tars(
    root: Path, count: int, members: Callable[[str, str, bytes], list[tuple[str, bytes]]]
) -> None:
    root.mkdir()
    images = _images(count, 0)
    for shard in range(count // PER_SHARD):
        with tarfile.open(root / f"shard-{shard:06}.tar", "w") as tar:
            for _, image in zip(range(PER_SHARD), images, strict=False):
                for name, data in members(*image):
                    member = tarfile.TarInfo(name)
                    member.size = len(data)
                    tar.addfile(member, io.BytesIO(data))


LAYOUTS: dict[str, Callable[[Path, int], None]] = {
    "files": _write_files,
    "tar shards": _write_shards,
    "tar shards with .cls": _write_samples,
}


def _tenth(root: Path) -> Path:
    """A folder of a tenth of the images, linked."""
    tenth = root.with_name(f"{root.name}-tenth")
    tenth.mkdir()
    names = sorted(os.listdir(root))
    for name in names[: max(1, len(names) // 10)]:
        (tenth / name).symlink_to(root / name)
    return tenth
