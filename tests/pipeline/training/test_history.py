import csv

from pipeline.training.history import EpochRecord, write_history

RECORD = EpochRecord(
    epoch=1,
    learning_rate=0.01,
    train_loss=2.5,
    train_top1_error=0.9,
    val_loss=2.25,
    val_top1_error=0.75,
    dead={"conv1": 3, "conv2": 0},
    conv1_rms=(0.01, 0.05, 0.1),
    conv1_low_frequency=(0.3, 0.8),
    start_cosine={"conv1": 0.5, "conv2": 0.25},
)


def test_each_epoch_is_a_line_with_a_column_per_conv_layer_of_dead_channels(tmp_path):
    write_history(tmp_path / "h.csv", [RECORD])
    with (tmp_path / "h.csv").open() as file:
        (line,) = csv.DictReader(file)
    assert line["epoch"] == "1"
    assert (line["train_loss"], line["val_top1_error"]) == ("2.5", "0.75")
    assert (line["dead_conv1"], line["dead_conv2"]) == ("3", "0")
    assert line["conv1_rms_max"] == "0.1"
    assert line["conv1_low_frequency_median"] == "0.8"
    assert line["start_cosine_conv2"] == "0.25"


def test_a_training_of_no_epoch_leaves_a_header(tmp_path):
    write_history(tmp_path / "h.csv", [])
    assert (tmp_path / "h.csv").read_text().startswith("epoch,")
