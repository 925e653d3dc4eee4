"""ImageNet's folders, and the names files that lie beside them."""

import json

import pytest
import torch

from pipeline.errors import AtlasError
from pipeline.sources.imagenet import ImagenetSource, class_names
from tests.pipeline.sources.folders import data_params, locate, refused, splits, touch
from tests.pipeline.sources.matlab_files import meta_mat

TENCH, BIRD, MACHINE = "n01440764", "n02012849", "n03126707"


def touch_imagenet(root):
    touch(root, [f"{s}/{i}/{i}_1.JPEG" for s in ("train", "val") for i in (TENCH, BIRD, MACHINE)])


def located(root):
    return locate(ImagenetSource(), root, data_params("imagenet"))


def labels(root):
    return {item.path.split("/")[1]: item.label for item in located(root).candidates}


def test_train_and_val_are_taken_as_they_are(tmp_path):
    touch_imagenet(tmp_path)
    assert [len(part) for part in splits(located(tmp_path)).values()] == [3, 3]


def test_without_a_names_file_classes_keep_their_ids(tmp_path):
    touch_imagenet(tmp_path)
    assert labels(tmp_path) == {i: i for i in (TENCH, BIRD, MACHINE)}


LINES = f"{TENCH} tench, Tinca tinca\n{BIRD} crane\n{MACHINE} crane\n"


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("LOC_synset_mapping.txt", LINES),
        ("synset_words.txt", LINES),
        ("words.txt", LINES.replace(" ", "\t", 1) + "n00001740\ttench\n"),
        ("classes.txt", f"{TENCH}: tench\n{BIRD},crane\n\n# note\n{MACHINE}\tcrane\r\n"),
        (
            "imagenet_class_index.json",
            json.dumps({0: [TENCH, "tench"], 134: [BIRD, "crane"], 517: [MACHINE, "crane"]}),
        ),
    ],
)
def test_names_come_from_any_of_the_usual_files(tmp_path, file, text):
    touch_imagenet(tmp_path)
    (tmp_path / file).write_text(text)
    assert labels(tmp_path) == {
        TENCH: "tench",
        BIRD: f"crane ({BIRD})",
        MACHINE: f"crane ({MACHINE})",
    }


def test_names_come_from_torchvisions_digest_of_the_devkit(tmp_path):
    names = {TENCH: ("tench", "Tinca tinca"), BIRD: ("crane",)}
    torch.save((names, [TENCH, BIRD]), tmp_path / "meta.bin")
    assert class_names(tmp_path) == {TENCH: "tench", BIRD: "crane"}


def test_underscores_of_the_json_are_spaces(tmp_path):
    index = {"0": [TENCH, "great_white_shark"]}
    (tmp_path / "imagenet_class_index.json").write_text(json.dumps(index))
    assert class_names(tmp_path) == {TENCH: "great white shark"}


def test_a_file_without_names_is_passed_over(tmp_path):
    (tmp_path / "classes.txt").write_text("tench\ncrane\n")
    (tmp_path / "imagenet_class_index.json").write_text(json.dumps({0: [TENCH, "tench"]}))
    assert class_names(tmp_path) == {TENCH: "tench"}


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("meta.bin", b"not a torch file"),
        ("words.txt", b"\xff\xfe"),
        ("imagenet_class_index.json", b"["),
        ("imagenet_class_index.json", b'["tench"]'),
        ("imagenet_class_index.json", b'{"0": 3}'),
    ],
)
def test_a_names_file_that_cannot_be_read_is_named(tmp_path, file, content):
    (tmp_path / file).write_bytes(content)
    with pytest.raises(AtlasError, match=f"{file} cannot be read as class names"):
        class_names(tmp_path)


def test_it_is_never_downloaded(tmp_path):
    with pytest.raises(AtlasError, match="cannot be downloaded: unpack ILSVRC2012"):
        located(tmp_path)


def test_flat_validation_images_without_classes_are_explained(tmp_path):
    touch(tmp_path, [f"train/{TENCH}/1.JPEG", "val/ILSVRC2012_val_00000001.JPEG"])
    with pytest.raises(AtlasError, match="flat files, and no file there has their classes"):
        located(tmp_path)


WNIDS = [MACHINE, TENCH, BIRD, TENCH]
NUMBERS = {MACHINE: 1, TENCH: 3, BIRD: 2}


def write_meta_bin(root):
    names = {TENCH: ("tench",), BIRD: ("crane",), MACHINE: ("crane",)}
    torch.save((names, WNIDS), root / "meta.bin")


def write_devkit(root):
    folder = root / "ILSVRC2012_devkit_t12" / "data"
    folder.mkdir(parents=True)
    rows = [(number, wnid, "words") for wnid, number in NUMBERS.items()]
    (folder / "meta.mat").write_bytes(meta_mat(rows, compressed=True))
    lines = "".join(f"{NUMBERS[wnid]}\n" for wnid in WNIDS)
    (folder / "ILSVRC2012_validation_ground_truth.txt").write_text(lines)


def write_solution(root):
    lines = [f"ILSVRC2012_val_{n:08},{wnid} 1 2 3 4\n" for n, wnid in enumerate(WNIDS, start=1)]
    text = "ImageId,PredictionString\n" + "".join(reversed(lines))
    (root / "LOC_val_solution.csv").write_text(text)


def write_wnids(root):
    (root / "imagenet_2012_validation_synset_labels.txt").write_text("\n".join(WNIDS))


@pytest.mark.parametrize("write", [write_meta_bin, write_devkit, write_solution, write_wnids])
@pytest.mark.parametrize("train", [True, False])
def test_the_official_flat_validation_images_have_their_classes(tmp_path, write, train):
    images = [f"val/ILSVRC2012_val_{n:08}.JPEG" for n in range(1, 5)]
    touch(tmp_path, [*images, "val/notes.txt", "val/ILSVRC2012_val_00000005.JPEG"])
    if train:
        touch(tmp_path, [f"train/{wnid}/{wnid}_1.JPEG" for wnid in NUMBERS])
    write(tmp_path)
    (tmp_path / "synset_words.txt").write_text(f"{TENCH} tench\n{BIRD} bird\n{MACHINE} machine\n")
    if write is write_meta_bin:
        names = {TENCH: "tench", BIRD: f"crane ({BIRD})", MACHINE: f"crane ({MACHINE})"}
    else:
        names = {TENCH: "tench", BIRD: "bird", MACHINE: "machine"}
    found = located(tmp_path)
    val = {image.path: image.label for image in found.candidates if image.split == "val"}
    assert val == {path: names[wnid] for path, wnid in zip(images, WNIDS, strict=True)}
    assert sum(image.split == "train" for image in found.candidates) == 3 * train
    assert refused(found) == {
        "val/notes.txt": ("no official validation image", True),
        "val/ILSVRC2012_val_00000005.JPEG": ("no official validation image", False),
    }


def test_a_ground_truth_without_its_meta_mat_is_named(tmp_path):
    touch(tmp_path, ["val/ILSVRC2012_val_00000001.JPEG"])
    (tmp_path / "ILSVRC2012_validation_ground_truth.txt").write_text("1\n")
    with pytest.raises(AtlasError, match=r"ground_truth\.txt cannot be read as validation classes"):
        located(tmp_path)
