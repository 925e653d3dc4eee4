"""Draws, by what must hold of any draw."""

import pytest

from pipeline.errors import AtlasError
from pipeline.sources.protocol import Candidate
from pipeline.sources.split import by_fraction, by_number
from tests.pipeline.sources.folders import splits


def images(sizes, folder="", names=lambda number: f"{number:03}.jpg"):
    start = f"{folder}/" if folder else ""
    return [
        Candidate(None, f"{start}{label}/{names(n)}", label)
        for label, size in sizes.items()
        for n in range(size)
    ]


def sizes(found):
    return {split: len(paths) for split, paths in splits(found).items()}


@pytest.mark.parametrize(
    ("files", "fraction", "val"),
    [
        (10, 0.2, 2),
        (10, 0.01, 1),
        (10, 1.0, 10),
        (1, 1.0, 1),
        (2, 0.5, 1),
        (3, 0.9, 2),
        (9, 0.0, 0),
        (1, 0.0, 0),
    ],
)
def test_a_fraction_leaves_each_split_an_image_unless_it_is_0_or_1(files, fraction, val):
    found = list(by_fraction(fraction, seed=0)(images({"cat": files})))
    assert sizes(found) == {"train": files - val, "val": val}


@pytest.mark.parametrize(
    ("files", "train", "val", "expected"),
    [
        (100, 30, 50, (30, 50)),
        (60, 30, 50, (30, 30)),
        (31, 30, 50, (30, 1)),
        (30, 30, 50, (29, 1)),
        (5, 30, 50, (4, 1)),
        (100, 30, None, (30, 70)),
        (100, None, 50, (50, 50)),
        (20, None, 50, (1, 19)),
    ],
)
def test_numbers_count_training_images_first(files, train, val, expected):
    found = list(by_number(train, val, seed=0)(images({"cat": files})))
    assert tuple(sizes(found).values()) == expected


def test_no_image_is_in_both_splits():
    for found in (
        by_fraction(0.3, seed=1)(images({"cat": 50})),
        by_number(20, 20, seed=1)(images({"cat": 50})),
    ):
        parts = splits(found)
        assert not parts["train"] & parts["val"]


def draw(seed=0, **options):
    return splits(by_fraction(0.25, seed, **options)(images({"cat": 40, "dog": 40}, **options)))


def test_the_draw_depends_on_the_seed_alone():
    assert draw(seed=3) == draw(seed=3)
    assert draw(seed=3) != draw(seed=4)


def test_the_draw_ignores_the_order_of_listing():
    forward = images({"cat": 40})
    drawn = [splits(by_number(10, 10, seed=5)(each)) for each in (forward, forward[::-1])]
    assert drawn[0] == drawn[1]


def test_the_draw_ignores_where_the_folder_lies():
    here, there = draw(), draw(folder="deep/down")
    assert {path.removeprefix("deep/down/") for path in there["val"]} == here["val"]


def test_classes_are_drawn_apart():
    cats, dogs = ({p[4:] for p in draw()["val"] if p.startswith(c)} for c in ("cat", "dog"))
    assert len(cats) == len(dogs) == 10
    assert cats != dogs


def test_a_class_that_is_added_moves_no_image():
    alone = splits(by_fraction(0.25, 0)(images({"cat": 40})))
    assert alone["val"] == {path for path in draw()["val"] if path.startswith("cat/")}


def test_a_file_that_is_added_moves_at_most_one_other():
    before, after = (splits(by_fraction(0.25, 0)(images({"cat": n})))["val"] for n in (40, 41))
    assert len(before - after) <= 1


def test_every_image_is_as_likely_to_be_drawn():
    times = dict.fromkeys((image.path for image in images({"cat": 10})), 0)
    for seed in range(600):
        for path in splits(by_fraction(0.5, seed)(images({"cat": 10})))["val"]:
            times[path] += 1
    assert min(times.values()) > 240
    assert max(times.values()) < 360


def test_a_class_of_one_image_cannot_be_divided():
    with pytest.raises(AtlasError, match=r"'cat' has a single image, 'cat/000\.jpg'"):
        list(by_fraction(0.2, seed=0)(images({"cat": 1})))
    with pytest.raises(AtlasError, match="single image"):
        list(by_number(30, 50, seed=0)(images({"cat": 1})))
