"""The demo source keeps its folder right, and touches nothing that it did not draw."""

import csv
import hashlib
import json
from pathlib import Path

import pytest
from PIL import Image

from demo import CLASSES
from demo.gallery import Shot, take
from demo.scene import WITH_PARTS
from pipeline.errors import AtlasError
from pipeline.params import DataParams
from pipeline.progress import no_progress
from pipeline.sources.demo import DemoSource


def params(train: int | None = 1, val: int | None = 1) -> DataParams:
    return DataParams(
        source="demo",
        root="unused",
        resize=176,
        crop=160,
        train_per_class=train,
        val_per_class=val,
        val_fraction=0.2,
        max_rejected_fraction=0.05,
    )


def locate(root: Path, train: int = 1, val: int = 1, seed: int = 0) -> tuple[set[str], int]:
    """Run the source; give the candidates' paths and how many pictures were drawn."""
    drawn = []
    DemoSource().fetch(str(root), params(train, val), seed, drawn.append)
    found = DemoSource().locate(str(root), params(train, val), seed, no_progress)
    return {candidate.path for candidate in found.candidates}, sum(drawn)


def digests(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*.jpg")
    }


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    root = tmp_path_factory.mktemp("demo") / "data"
    locate(root)
    return root


@pytest.fixture
def root(drawn, tmp_path):
    """A folder as an earlier run of one picture a class and split left it."""
    copy = tmp_path / "data"
    for path in drawn.rglob("*"):
        if path.is_file():
            target = copy / path.relative_to(drawn)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    return copy


def test_candidates_are_the_files_there_with_split_and_label_of_their_path(drawn):
    candidates = DemoSource().locate(str(drawn), params(), 0, no_progress).candidates
    assert len(candidates) == 2 * len(CLASSES)
    for candidate in candidates:
        split, label, name = candidate.path.split("/")
        assert (candidate.split, candidate.label) == (split, label)
        assert name == f"{label}_0000.jpg"
        with Image.open(drawn / candidate.path) as image:
            assert image.format == "JPEG"
    assert {candidate.path for candidate in candidates} == set(digests(drawn))


def test_a_second_run_draws_nothing(root):
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    assert locate(root)[1] == 0
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before


def test_only_missing_pictures_are_drawn_and_come_out_as_before(root):
    before = digests(root)
    (root / "val/eye/eye_0000.jpg").unlink()
    (root / "train/maze/maze_0000.jpg").unlink()
    assert locate(root)[1] == 2
    assert digests(root) == before


def test_pictures_do_not_depend_on_order_or_on_the_other_pictures(root, tmp_path):
    shot = Shot("val", "fish", 0)
    (tmp_path / "val/fish").mkdir(parents=True)
    take(tmp_path, 0, shot)
    assert digests(tmp_path)[shot.path] == digests(root)[shot.path]


def test_processes_draw_the_same_pictures_as_one_alone(tmp_path):
    """48 pictures are more than one process draws itself."""
    shared, alone = tmp_path / "shared", tmp_path / "alone"
    locate(shared, train=2, val=1, seed=5)
    for label in ("bricks", "wheel"):
        (alone / "train" / label).mkdir(parents=True)
        take(alone, 5, Shot("train", label, 1))
    assert digests(alone).items() <= digests(shared).items()
    assert len(digests(shared)) == 48


def test_more_pictures_keep_the_old_ones_and_fewer_remove_the_rest(root):
    before = digests(root)
    (root / "val/eye/eye_0000.jpg").unlink()
    assert locate(root, val=2)[1] == len(CLASSES) + 1
    assert before.items() <= digests(root).items()
    assert locate(root)[1] == 0
    assert digests(root) == before


def test_another_seed_draws_everything_again(root):
    before = digests(root)
    assert locate(root, seed=1)[1] == 2 * len(CLASSES)
    after = digests(root)
    assert after.keys() == before.keys()
    assert not set(after.values()) & set(before.values())


def test_an_older_drawing_is_replaced(root):
    marker = root / "drawn.json"
    held = json.loads(marker.read_text())
    marker.write_text(json.dumps(held | {"drawing_version": 0}))
    assert locate(root)[1] == 2 * len(CLASSES)
    assert json.loads(marker.read_text()) == held


def test_files_of_a_user_stay_and_stop_the_run(tmp_path):
    photo = tmp_path / "train" / "cat" / "cat.jpg"
    photo.parent.mkdir(parents=True)
    photo.write_bytes(b"a cat")
    with pytest.raises(AtlasError, match="did not draw"):
        locate(tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [photo]


def test_files_put_beside_the_drawn_ones_are_neither_listed_nor_removed(root):
    note = root / "train" / "eye" / "note.txt"
    note.write_text("mine")
    paths, _ = locate(root, seed=2)
    assert note.read_text() == "mine"
    assert not any("note" in path for path in paths)


def test_no_temporary_file_stays(drawn):
    assert not list(drawn.rglob("*.partial"))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"seed": 0}', "null"])
def test_a_damaged_marker_is_an_error_that_removes_nothing(root, text):
    before = digests(root)
    (root / "drawn.json").write_text(text)
    with pytest.raises(AtlasError, match="damaged"):
        locate(root)
    assert digests(root) == before


def test_a_marker_cannot_lead_out_of_the_folder(root, tmp_path):
    outside = tmp_path / "victim" / "victim_0000.jpg"
    outside.parent.mkdir()
    outside.write_bytes(b"keep me")
    held = json.loads((root / "drawn.json").read_text())
    (root / "drawn.json").write_text(json.dumps(held | {"seed": 9, "classes": ["../../victim"]}))
    with pytest.raises(AtlasError, match="damaged"):
        locate(root)
    assert outside.exists()


def test_a_root_that_is_a_file_is_an_error(tmp_path):
    (tmp_path / "data").write_text("")
    with pytest.raises(AtlasError):
        locate(tmp_path / "data")


@pytest.mark.parametrize("counts", [(None, 1), (1, None)])
def test_the_demo_needs_to_know_how_many_pictures_to_draw(tmp_path, counts):
    with pytest.raises(AtlasError, match="null"):
        DemoSource().fetch(str(tmp_path / "data"), params(*counts), 0, no_progress)


def test_a_folder_that_cannot_be_written_to_is_an_error_that_names_it(root):
    (root / "val/eye/eye_0000.jpg").unlink()
    (root / "val/eye").rmdir()
    (root / "val/eye").write_text("in the way")
    with pytest.raises(AtlasError, match="cannot be written"):
        locate(root)


def parts(root: Path) -> list[dict[str, str]]:
    with (root / "parts.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_parts_of_the_validation_pictures_are_listed_beside_them(drawn):
    listed = parts(drawn)
    assert {line["path"].split("/")[0] for line in listed} == {"val"}
    assert {line["path"].split("/")[1] for line in listed} <= set(WITH_PARTS)
    for line in listed:
        with Image.open(drawn / line["path"]) as image:
            assert 0 <= float(line["row"]) < image.height
            assert 0 <= float(line["col"]) < image.width


def test_a_list_of_parts_that_is_gone_is_made_again_without_new_pictures(root):
    before, pictures = (root / "parts.csv").read_bytes(), digests(root)
    (root / "parts.csv").unlink()
    assert locate(root)[1] == 0
    assert (root / "parts.csv").read_bytes() == before
    assert digests(root) == pictures


def test_a_list_of_parts_follows_the_pictures(root):
    before = (root / "parts.csv").read_bytes()
    locate(root, val=2)
    assert {line["path"][-8:] for line in parts(root)} == {"0000.jpg", "0001.jpg"}
    locate(root)
    assert (root / "parts.csv").read_bytes() == before
    (root / "val/fish/fish_0000.jpg").unlink()
    locate(root)
    assert (root / "parts.csv").read_bytes() == before
    locate(root, seed=1)
    assert (root / "parts.csv").read_bytes() != before


def test_a_kill_while_pictures_are_drawn_leaves_no_list_with_gaps(root, monkeypatch):
    """The list is away while a picture is missing, so the next run makes it whole."""
    before = (root / "parts.csv").read_bytes()
    (root / "val/face/face_0000.jpg").unlink()

    def killed(*arguments: object) -> list[object]:
        take(root, 0, Shot("val", "face", 0))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("pipeline.sources.demo.take_all", killed)
        locate(root)
    assert not (root / "parts.csv").exists()
    assert locate(root)[1] == 0
    assert (root / "parts.csv").read_bytes() == before
