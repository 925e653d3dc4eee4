import csv
from dataclasses import replace

import pytest

from pipeline.errors import AtlasError
from pipeline.storage.history import EpochRecord, read_history, write_history

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
    start_tenths={"conv1": tuple(range(10)), "conv2": (0,) * 9 + (7,)},
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
    tenths = [[line[f"start_tenth{n}_{layer}"] for n in range(10)] for layer in ("conv1", "conv2")]
    assert tenths == [list("0123456789"), [*"000000000", "7"]]


def test_a_training_of_no_epoch_leaves_a_header(tmp_path):
    write_history(tmp_path / "h.csv", [])
    assert (tmp_path / "h.csv").read_text().startswith("epoch,")


def test_a_table_without_one_of_the_tenths_is_refused(tmp_path):
    write_history(tmp_path / "h.csv", [RECORD])
    text = (tmp_path / "h.csv").read_text()
    (tmp_path / "h.csv").write_text(text.replace("start_tenth4_conv2", "another"))
    with pytest.raises(AtlasError, match="not a training history"):
        read_history(tmp_path / "h.csv")


def test_what_was_written_is_read_again(tmp_path):
    without_images = replace(RECORD, epoch=2, val_loss=None, val_top1_error=None)
    write_history(tmp_path / "h.csv", [RECORD, without_images])
    assert read_history(tmp_path / "h.csv") == (RECORD, without_images)


def damaged(line: str, header: str) -> list[bytes]:
    """A table as `write_history` makes it, with one fault each."""
    cut = line.rsplit(",", 1)[0]
    faults = [
        (header, cut),
        (header, f"{line},2"),
        (header, line.replace("2.5", "x")),
        (header, line.replace("2.5", "nan")),
        (header.replace("train_loss", "tram_loss"), line),
        (header.replace("epoch", "epech"), line),
    ]
    return [f"{first}\n{second}\n".encode() for first, second in faults]


def test_what_is_not_a_history_is_one_line(tmp_path):
    path = tmp_path / "h.csv"
    write_history(path, [RECORD])
    header, line = path.read_text().splitlines()
    for content in [*damaged(line, header), b"\xff\xff\n1\n"]:
        path.write_bytes(content)
        with pytest.raises(AtlasError, match=r"h\.csv is not a training history: .*-s train"):
            read_history(path)
