import pytest

from atlas_site.charts import curves, rebinned, spark_path


def test_bins_are_added_up_and_none_is_lost():
    assert rebinned([1, 2, 3, 4, 5], 2) == [6, 9]
    assert rebinned([1, 2], 24) == [1, 2]


def test_a_spark_reaches_full_height_at_the_fullest_bin_only():
    assert spark_path([0, 3, 1]) == "M0 20V20h1V0h1V10h1V20z"


def test_a_channel_that_never_fired_has_no_spark():
    assert spark_path([0, 0]) == ""


HISTORY = [
    {"epoch": 1.0, "val_loss": 2.0, "train_loss": 4.0},
    {"epoch": 2.0, "val_loss": 1.0, "train_loss": None},
    {"epoch": 3.0, "val_loss": 0.0, "train_loss": 2.0},
]


def test_curves_start_at_zero_and_span_the_epochs():
    chart = curves("Loss", HISTORY, {"val_loss": "validation", "train_loss": "training"})
    assert chart is not None
    assert [s.points for s in chart.series] == [
        "0.0,100.0 210.0,150.0 420.0,200.0",
        "0.0,0.0 420.0,100.0",
    ]


@pytest.mark.parametrize("history", [[], HISTORY[:1], [{"epoch": 1.0}, {"epoch": 2.0}]])
def test_too_little_history_draws_nothing(history: list[dict[str, float]]):
    assert curves("Loss", history, {"val_loss": "validation"}) is None


@pytest.mark.parametrize("top", [0.003, 0.9, 1.0, 2.31, 4.99, 7.6, 9.99, 87.0, 1234.0])
def test_ticks_are_few_and_round(top: float):
    history = [{"epoch": 1, "val_loss": top}, {"epoch": 2, "val_loss": 0.0}]
    chart = curves("Loss", history, {"val_loss": "validation"})
    assert chart is not None
    assert 2 <= len(chart.y_ticks) <= 6
    assert all(0 <= tick.at <= chart.height for tick in chart.y_ticks)
    assert all(len(tick.text) <= 6 for tick in chart.y_ticks)


def test_labels_of_close_curves_do_not_overlap():
    history = [{"epoch": 1, "a": 1.0, "b": 1.0}, {"epoch": 2, "a": 0.5, "b": 0.5}]
    chart = curves("Loss", history, {"a": "first", "b": "second"})
    assert chart is not None
    first, second = (series.last[1] for series in chart.series)
    assert abs(first - second) >= 15


def test_the_table_has_a_row_per_epoch_and_nothing_where_a_curve_has_nothing():
    chart = curves("Loss", HISTORY, {"val_loss": "validation", "train_loss": "training"})
    assert chart is not None
    assert chart.rows == (("1", "2", "4"), ("2", "1", ""), ("3", "0", "2"))
