import numpy as np

from pipeline.figures.history import History

HISTORY = History(
    "conv3",
    [2, 5, 7, 8],
    [0, 1, 5, 20],
    np.array([[4, 4, 4, 4], [4, 1, 4, 4], [-1, -1, 0, 3], [3, 3, 3, -1]], np.int32),
    np.zeros((4, 4), np.float32),
)


def test_a_change_is_marked_at_the_epoch_that_has_another_winner():
    assert HISTORY.changed.astype(int).tolist() == [
        [0, 0, 0, 0],
        [0, 1, 1, 0],
        [0, 0, 1, 1],
        [0, 0, 0, 1],
    ]


def test_the_winner_stays_from_its_last_return_on_and_a_dead_channel_has_none():
    assert HISTORY.facts()["settled"] == [0, 5, 20, None]


def test_the_summary_leaves_out_dead_channels():
    assert HISTORY.summary() == {
        "conv3_median_settled_epoch": 5.0,
        "conv3_changed_at_the_last": 1 / 3,
    }


def test_a_dead_layer_has_no_summary():
    dead = History("a", [0], [0, 1], np.full((1, 2), -1, np.int32), np.zeros((1, 2), np.float32))
    assert dead.summary() == {}
