import logging

import pytest

from pipeline.dataset.manifest import ImageRow
from pipeline.errors import AtlasError
from pipeline.sources.checks import check_dataset, rejected_fraction
from pipeline.sources.protocol import Candidate
from pipeline.sources.rejected import Rejection


def row(split, label, number=0):
    return ImageRow(split, f"{split}/{label}/{number}", label, 9, 9, "")


def candidates(rows):
    return [Candidate(one.split, one.path, one.label) for one in rows]


def check(rows, rejected=(), found=None, most=0.5):
    check_dataset("photos", rows, candidates(rows) if found is None else found, rejected, most)


GOOD = [row(split, label) for split in ("train", "val") for label in ("cat", "dog")]
FAULTS = [
    Rejection("train/cat/1", "truncated: 3 bytes", False),
    Rejection("train/cat/2", "truncated: 4 bytes", False),
    Rejection("notes.txt", "no image", True),
]


def test_a_data_set_with_both_splits_of_every_class_passes():
    check(GOOD)
    check(GOOD, FAULTS)
    check([row("val", "cat")])  # enough for a network from elsewhere
    check([row("val", "")])


def test_strays_are_no_image_files():
    assert rejected_fraction(GOOD, FAULTS) == 2 / 6
    assert rejected_fraction([], []) == 0


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "No usable image in photos; 2 × truncated, e.g. 'train/cat/1'; 1 × no image"),
        ([row("train", "cat")], "No usable validation image in photos"),
        ([row("train", "cat"), row("val", "dog")], "'dog' has validation images but none to train"),
        ([*GOOD, row("train", "")], "1 images have no class, e.g. 'train//0'"),
    ],
)
def test_too_little_to_use_is_said_with_the_commonest_reasons(rows, words):
    with pytest.raises(AtlasError) as refusal:
        check(rows, FAULTS, most=1.0)
    assert words in str(refusal.value)


def test_too_many_that_cannot_be_used_are_counted():
    with pytest.raises(AtlasError, match=r"2 of 6 image files cannot be used: 33\.3%.*\(30\.0%\)"):
        check(GOOD, FAULTS, most=0.3)


def test_a_class_that_lost_all_its_images_is_named_with_its_own_reason():
    lost = Candidate("train", "train/cat/1", "owl")
    with pytest.raises(AtlasError, match="'owl' has no usable train image; 1 × truncated"):
        check(GOOD, FAULTS, [*candidates(GOOD), lost])


def test_a_class_without_validation_images_is_only_warned_of(caplog):
    with caplog.at_level(logging.WARNING):
        check(GOOD[:3])
    assert "1 classes have no validation image, the first 'dog'" in caplog.text
