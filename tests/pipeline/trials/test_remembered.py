import pytest

from pipeline.trials.remembered import remembered


def unwanted(folder):
    raise AssertionError("computed again")


def test_a_result_is_computed_once_and_its_folder_goes(tmp_path):
    def compute(folder):
        (folder / "checkpoint").write_text("half")
        return {"error": 0.25}

    assert remembered(tmp_path, "one", compute) == {"error": 0.25}
    assert remembered(tmp_path, "one", unwanted) == {"error": 0.25}
    assert [path.name for path in tmp_path.iterdir()] == ["one.json"]


def test_what_an_interrupted_computation_left_is_there_for_the_next(tmp_path):
    def interrupted(folder):
        (folder / "checkpoint").write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        remembered(tmp_path, "one", interrupted)

    def resumed(folder):
        return {"resumed": float((folder / "checkpoint").read_text() == "half")}

    assert remembered(tmp_path, "one", resumed) == {"resumed": 1.0}


def test_a_damaged_result_is_computed_again(tmp_path):
    remembered(tmp_path, "one", lambda folder: {"error": 0.25})
    path = tmp_path / "one.json"
    path.write_bytes(path.read_bytes().replace(b"0.25", b"0.24"))
    assert remembered(tmp_path, "one", lambda folder: {"error": 0.5}) == {"error": 0.5}
