import pytest

from pipeline.dataset.manifest import ImageRow
from pipeline.errors import AtlasError
from pipeline.transfer.folds import Protocol, draw_fold


def rows(each: int) -> list[ImageRow]:
    return [
        ImageRow("val" if n % 2 else "train", f"{label}/{n}.jpg", label, 1, 1, "")
        for label in ("ant", "bee")
        for n in range(each)
    ]


def test_a_fold_has_so_many_training_images_of_each_class_and_tests_at_most_so_many_others():
    manifest = draw_fold(rows(20), Protocol(per_class=5, test_per_class=8, folds=1), 0, 0)
    counts = {
        split: [
            sum(row.label == label for row in manifest.split(split)) for label in ("ant", "bee")
        ]
        for split in ("train", "val")
    }
    assert counts == {"train": [5, 5], "val": [8, 8]}
    assert not {r.path for r in manifest.split("train")} & {r.path for r in manifest.split("val")}


def test_folds_differ_and_depend_neither_on_the_order_nor_on_the_split_of_the_rows():
    protocol = Protocol(5, 50, 2)
    first, second = (draw_fold(rows(20), protocol, 0, fold) for fold in (0, 1))
    assert first != second
    assert draw_fold(rows(20)[::-1], protocol, 0, 0) == first


def test_a_class_with_too_few_images_is_named():
    with pytest.raises(AtlasError, match="'ant' has 5 images"):
        draw_fold(rows(5), Protocol(5, 50, 1), 0, 0)
