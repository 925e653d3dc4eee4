from collections import Counter

from atlas_site.confusion import LARGEST_MATRIX, Confused, Confusion, confusion
from pipeline.atlas import open_atlas
from pipeline.workspace import Workspace

COUNTS = Counter({(0, 0): 3, (0, 1): 1, (1, 0): 2, (2, 1): 2, (2, 2): 0})


def test_accuracy_is_the_share_on_the_diagonal():
    found = Confusion(("cat", "dog", "fox", "owl"), COUNTS)
    assert [found.accuracy(label) for label in range(4)] == [0.75, 0.0, 0.0, None]
    assert found.totals == (4, 2, 2, 0)


def test_pairs_come_most_frequent_first_then_in_the_order_of_the_classes():
    pairs = Confusion(("cat", "dog", "fox"), COUNTS).pairs
    assert pairs == (Confused(1, 0, 2), Confused(2, 1, 2), Confused(0, 1, 1))


def test_the_matrix_is_left_out_where_nobody_could_read_it():
    assert Confusion(("a", "b", "c"), COUNTS).rows[0] == [3, 1, 0]
    many = tuple(str(n) for n in range(LARGEST_MATRIX + 1))
    assert Confusion(many, COUNTS).rows == []


def test_every_prediction_of_a_run_is_counted(run: Workspace):
    atlas = open_atlas(run.artifacts)
    found = confusion(atlas, atlas.card.classes)
    assert found is not None
    assert sum(found.counts.values()) == len(atlas.reports.predictions())
    right = sum(
        p.label == atlas.images[row].label for row, p in atlas.reports.predictions().items()
    )
    assert sum(n for (a, b), n in found.counts.items() if a == b) == right
