from atlas_site.layers import Channel
from atlas_site.sprites import SpriteRegion
from atlas_site.striking import striking

REGION = SpriteRegion("", 0, 0, 1, 1)


def channel(number: int, selectivity: float, images: tuple[int, ...], favourite: str) -> Channel:
    return Channel(
        layer="conv1",
        key="conv1",
        number=number,
        peak=1.0,
        fired=9,
        images=images,
        selectivity=selectivity,
        effective_classes=1.0,
        favourite=favourite,
        spark="",
        start_cosine=None,
        projections=REGION,
        crops=REGION,
    )


A = channel(0, 0.9, (1, 2), "cat")
SAME_IMAGES = channel(1, 0.8, (2, 3), "dog")
SAME_CLASS = channel(2, 0.7, (4, 5), "cat")
OTHER = channel(3, 0.6, (6, 7), "fox")
PARTIAL = channel(4, 1.0, (8,), "owl")
DEAD = channel(5, 0.0, (), "")
ALL = [DEAD, PARTIAL, OTHER, SAME_CLASS, SAME_IMAGES, A]


def test_the_most_selective_with_new_images_and_a_new_class_come_first():
    assert striking(ALL, 2) == [A, OTHER]


def test_then_new_images_then_any_that_fires_on_enough():
    assert striking(ALL, 9) == [A, OTHER, SAME_CLASS, SAME_IMAGES]


def test_equal_ones_come_by_number():
    twins = [channel(n, 0.5, (n,), str(n)) for n in (3, 1, 2)]
    assert [c.number for c in striking(twins, 3)] == [1, 2, 3]
    assert striking([DEAD], 3) == []
