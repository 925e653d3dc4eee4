import csv

from pipeline.training.history import EpochRecord, write_history

RECORD = EpochRecord(1, 0.01, 2.5, 0.9, 2.25, 0.75, {"conv1": 3, "conv2": 0}, (0.01, 0.05, 0.1))


def test_each_epoch_is_a_line_with_a_column_per_conv_layer_of_dead_channels(tmp_path):
    write_history(tmp_path / "h.csv", [RECORD])
    with (tmp_path / "h.csv").open() as file:
        (line,) = csv.DictReader(file)
    assert line["epoch"] == "1"
    assert (line["train_loss"], line["val_top1_error"]) == ("2.5", "0.75")
    assert (line["dead_conv1"], line["dead_conv2"]) == ("3", "0")
    assert line["conv1_rms_max"] == "0.1"


def test_a_training_of_no_epoch_leaves_a_header(tmp_path):
    write_history(tmp_path / "h.csv", [])
    assert (tmp_path / "h.csv").read_text().startswith("epoch,")
