"""Prepare over a folder with one of everything that goes wrong."""

import hashlib
import io
import os
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from pipeline.dataset.store import FolderStore
from pipeline.errors import AtlasError
from pipeline.sources.known import NothingKnown
from pipeline.sources.prepare import locate, prepare
from tests.pipeline.sources.folders import data_params, touch


def jpeg(size=(30, 20), colour=(200, 10, 10), **options):
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "JPEG", **options)
    return file.getvalue()


def png(image):
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


@pytest.fixture
def photos(tmp_path):
    """Two classes, six images to train and five to validate each, every one of its own bytes."""
    for number, label in enumerate(("cat", "dog")):
        for split, count in (("train", 6), ("val", 5)):
            for image in range(count):
                colour = (20 * image, 100 * number, 250 * (split == "val"))
                write(tmp_path / split / label / f"{image}.jpg", jpeg(colour=colour))
    return tmp_path


def prepared(root, seed=0, **changes):
    data = data_params("folder", **changes)
    found = locate(str(root), data, seed)
    return prepare(FolderStore(root), found, data, NothingKnown())


def reasons(result):
    return {r.path: r.reason for r in result.rejected}


def fault(root, **changes):
    with pytest.raises(AtlasError) as caught:
        prepared(root, **changes)
    return caught.value


def test_every_image_is_in_the_manifest_with_its_facts(photos):
    manifest = prepared(photos).manifest
    assert [len(manifest.split(name)) for name in ("train", "val")] == [12, 10]
    assert manifest.classes == ("cat", "dog")
    for row in manifest.rows:
        data = (photos / row.path).read_bytes()
        assert row.sha256 == hashlib.sha256(data).hexdigest()
        assert (row.width, row.height) == (30, 20)
        assert row.path == f"{row.split}/{row.label}/{row.path.split('/')[-1]}"


def test_each_hard_image_is_used_or_listed(photos):
    exif = Image.Exif()
    exif[0x0112] = 6
    used = {
        "turned.jpg": jpeg(exif=exif),
        "cmyk.jpg": png(Image.new("RGB", (8, 8))),
        "grey16.png": png(Image.fromarray(np.full((7, 9), 40_000, np.uint16))),
        "palette.png": png(Image.new("P", (5, 5))),
        "alpha.png": png(Image.new("RGBA", (5, 5))),
        "dot.png": png(Image.new("RGB", (1, 1))),
        "line.png": png(Image.new("RGB", (1, 4000))),
        'quote " and space.jpg': jpeg(),
        "<img src=x onerror=alert(1)>.jpg": jpeg(),
        "😀.jpg": jpeg(),
        "new\nline.jpg": jpeg(),
        "no suffix": jpeg(),
    }
    listed = {
        "half.jpg": jpeg(size=(300, 200))[:900],
        "empty.jpg": b"",
        "page.jpg": b"<html>404</html>",
        "bomb.png": png(Image.new("1", (10_000, 10_000))),
        "notes.txt": b"remember the milk",
        ".DS_Store": b"\0\0\0\1Bud1",
    }
    for name, data in (used | listed).items():
        write(photos / "train/cat" / name, data)
    write(photos / "train/cat" / os.fsdecode(b"caf\xe9.jpg"), jpeg())
    result = prepared(photos, max_rejected_fraction=0.5)
    paths = {row.path: row for row in result.manifest.rows}
    assert {f"train/cat/{name}" for name in used} <= set(paths)
    assert (paths["train/cat/turned.jpg"].width, paths["train/cat/turned.jpg"].height) == (20, 30)
    assert (paths["train/cat/line.png"].width, paths["train/cat/line.png"].height) == (1, 4000)
    kinds = {r.path.removeprefix("train/cat/"): (r.kind, r.stray) for r in result.rejected}
    assert kinds == {
        "half.jpg": ("truncated", False),
        "empty.jpg": ("empty file", False),
        "page.jpg": ("no image", False),
        "bomb.png": ("too many pixels", False),
        "caf\\xe9.jpg": ("name is not UTF-8", False),
        "notes.txt": ("no image", True),
        ".DS_Store": ("hidden", True),
    }


def test_the_rejected_are_sorted_bytewise(photos):
    touch(photos, [f"train/cat/{name}.txt" for name in "bZaé"])
    paths = [rejection.path for rejection in prepared(photos).rejected]
    assert paths == [f"train/cat/{name}.txt" for name in "Zabé"]


def test_the_result_ignores_the_order_of_what_was_found(photos):
    write(photos / "train/cat/x.txt", b"text")
    data = data_params("folder")
    found = locate(str(photos), data, 0)
    backward = replace(found, candidates=found.candidates[::-1])
    store, known = FolderStore(photos), NothingKnown()
    assert prepare(store, backward, data, known) == prepare(store, found, data, known)


def test_progress_counts_everything_found(photos):
    touch(photos, ["train/cat/.hidden", "val/dog/.hidden"])
    data = data_params("folder")
    found, advances = locate(str(photos), data, 0), []
    prepare(FolderStore(photos), found, data, NothingKnown(), advances.append)
    assert sum(advances) == len(found.candidates) + len(found.rejected) == 24


def test_no_usable_image_says_why(tmp_path):
    for name in ("a", "b", "c"):
        write(tmp_path / "cat" / f"{name}.jpg", b"<html>")
    assert "3 × no image, e.g. 'cat/a.jpg'" in fault(tmp_path).problem


def test_too_many_rejected_says_how_many_and_the_commonest_reasons(photos):
    for number in range(5):
        write(photos / "val/cat" / f"page{number}.jpg", b"<html>")
    for number in range(3):
        touch(photos, [f"val/dog/empty{number}.jpg"])
    problem = fault(photos).problem
    assert "8 of 30 image files cannot be used: 26.7%" in problem
    assert "(5.0%)" in problem
    assert "5 × no image, e.g. 'val/cat/page0.jpg'; 3 × empty file" in problem


def test_the_limit_itself_is_allowed(photos):
    touch(photos, ["train/cat/empty1.jpg", "train/cat/empty2.jpg"])
    assert len(prepared(photos, max_rejected_fraction=2 / 24).rejected) == 2
    assert "2 of 24" in fault(photos, max_rejected_fraction=2 / 25).problem


def test_strays_do_not_count_as_rejected(photos):
    touch(photos, [f"train/cat/.{number}" for number in range(100)])
    for number in range(100):
        write(photos / "train/cat" / f"{number}.txt", b"text")
    assert len(prepared(photos, max_rejected_fraction=0.0).rejected) == 200


def test_a_class_without_a_usable_image_is_named_with_the_reason(photos):
    write(photos / "train/owl/1.jpg", b"<html>")
    problem = fault(photos).problem
    assert "'owl' has no usable train image" in problem
    assert "1 × no image, e.g. 'train/owl/1.jpg'" in problem


def test_a_class_only_to_validate_is_refused(photos):
    write(photos / "val/owl/1.jpg", jpeg())
    assert "'owl' has validation images but none to train on" in fault(photos).problem


def test_a_class_only_to_train_is_said(photos, caplog):
    write(photos / "train/owl/1.jpg", jpeg())
    assert prepared(photos).manifest.classes == ("cat", "dog", "owl")
    assert "1 classes have no validation image, the first 'owl'" in caplog.text


def test_no_validation_image_is_refused_and_one_is_enough(photos):
    train = photos / "train"
    assert "No usable validation image in" in fault(train, val_fraction=0.0).problem
    for path in [*(photos / "val/cat").iterdir(), *(photos / "val/dog").iterdir()][1:]:
        path.unlink()
    (photos / "val/dog").rmdir()
    assert len(prepared(photos).manifest.split("val")) == 1


def test_validation_images_without_a_class_beside_classes_are_refused(photos):
    for label in ("cat", "dog"):
        for path in (photos / "val" / label).iterdir():
            path.rename(photos / "val" / f"{label}{path.name}")
        (photos / "val" / label).rmdir()
    problem = fault(photos).problem
    assert problem == "10 images have no class, e.g. 'val/cat0.jpg', though others have one."


def test_a_split_by_fraction_takes_the_seed(photos):
    results = [
        {row.path for row in prepared(photos / "train", s, val_fraction=0.8).manifest.split("val")}
        for s in (0, 0, 1)
    ]
    assert results[0] == results[1]
    assert results[0] != results[2]
