import numpy as np

from pipeline.network.ops import Curve
from pipeline.scan.layer_statistics import (
    STATISTICS,
    LayerStatistics,
    empty_statistics,
    layer_facts,
)
from tests.pipeline.network.small_graphs import chained, conv
from tests.pipeline.scan.batches import batch, facts

PEAKS = np.random.default_rng(0).integers(0, 5, (40, 3)).astype(np.float32)


def counted(rows):
    statistics = LayerStatistics(facts(3, ranks=2))
    statistics.add(batch(PEAKS[rows], rows))
    return statistics


def arrays(statistics):
    return {name: variable.values.tobytes() for name, variable in statistics.result().items()}


def test_parts_merge_to_the_whole_in_any_order():
    whole, parts = counted(np.arange(40)), np.array_split(np.arange(40), 4)
    for order in ((0, 1, 2, 3), (3, 1, 0, 2)):
        merged = LayerStatistics(facts(3, ranks=2))
        for number in order:
            part = LayerStatistics(facts(3, ranks=2))
            part.set_limits(merged.limits())
            part.add(batch(PEAKS[parts[number]], parts[number]))
            merged.merge(part)
        assert arrays(merged) == arrays(whole)


def test_every_statistic_is_in_the_state_and_comes_back_from_it():
    first, second = counted(np.arange(40)), LayerStatistics(facts(3, ranks=2))
    state = first.state()
    assert {name.split("/")[0] for name in state} == set(STATISTICS)
    second.restore(state)
    assert arrays(second) == arrays(first)


def test_a_cell_is_wanted_if_any_statistic_wants_it():
    statistics = LayerStatistics(facts(3, ranks=2))
    statistics.add(batch(PEAKS[:20]))
    later, images = batch(PEAKS[20:], np.arange(20, 40)), slice(5, 15)
    each = [statistic.wants(later.rows) for statistic in statistics.by_name.values()]
    masks = [wanted(later.peaks[images], images) for wanted in each if wanted is not None]
    assert len(masks) == 2
    found = statistics.wants(later.rows)(later.peaks[images], images)
    assert (found == (masks[0] | masks[1])).all()
    assert 0 < found.sum() < found.size


def test_the_facts_of_a_layer_come_from_the_graph():
    graph = chained((3, 12, 8), conv("a", 4, 3, 2), Curve("relu"), conv("b", 5, 1))
    one, two = layer_facts(graph, "a", 9, ("x",)), layer_facts(graph, "b", 9, ("x",))
    assert (one.channels, one.map_size, one.signed) == (4, (6, 4), False)
    assert (two.channels, two.signed, two.ranks, two.classes) == (5, True, 9, ("x",))
    assert (one.field.rows.size, one.field.rows.jump) == (3, 2)
    assert list(empty_statistics(graph, ("b", "a"), 9, ())) == ["b", "a"]
