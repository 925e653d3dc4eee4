from io import BytesIO

import numpy as np
import pytest

from pipeline.errors import AtlasError
from pipeline.storage.figures import (
    FigureData,
    load_arrays,
    read_figures,
    save_arrays,
    write_figures,
)
from pipeline.storage.provenance import Provenance

RUN = Provenance("weights", "manifest")
FIGURES = {
    "occlusion": FigureData(
        {"class": "Käfer"}, {"heat": np.arange(6, dtype=np.float32).reshape(2, 3)}, {"drop": 0.5}
    ),
    "evolution": FigureData(missing="There are no snapshots."),
}


def test_figures_come_back_as_they_were_in_their_order(tmp_path):
    write_figures(tmp_path / "figures", FIGURES, RUN)
    found = read_figures(tmp_path / "figures", RUN)
    assert list(found) == ["occlusion", "evolution"]
    assert found["occlusion"].facts == {"class": "Käfer"}
    assert found["occlusion"].summary == {"drop": 0.5}
    assert found["occlusion"].arrays["heat"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert found["occlusion"].arrays["heat"].dtype == np.float32
    assert found["evolution"].missing == "There are no snapshots."


def test_equal_figures_give_equal_bytes(tmp_path):
    for name in ("a", "b"):
        write_figures(tmp_path / name, FIGURES, RUN)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_where_there_are_none_there_is_none(tmp_path):
    assert read_figures(tmp_path / "figures", RUN) == {}


def test_figures_of_another_run_are_refused(tmp_path):
    write_figures(tmp_path / "figures", FIGURES, RUN)
    with pytest.raises(AtlasError, match="made from another run: weights_sha256 differs"):
        read_figures(tmp_path / "figures", Provenance("others", "manifest"))


@pytest.mark.parametrize("name", ["occlusion.npz", "evolution.json"])
def test_a_changed_or_lost_file_is_named(tmp_path, name):
    write_figures(tmp_path / "figures", FIGURES, RUN)
    path = tmp_path / "figures" / name
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(AtlasError, match=f"{name} cannot be used: it is not the file that was"):
        read_figures(tmp_path / "figures", RUN)
    path.unlink()
    with pytest.raises(AtlasError, match=f"{name} cannot be used"):
        read_figures(tmp_path / "figures", RUN)


def test_arrays_that_are_cut_short_are_a_fault():
    file = BytesIO()
    save_arrays(file, {"a": np.arange(1000)})
    assert load_arrays(BytesIO(file.getvalue()))["a"].tolist() == list(range(1000))
    with pytest.raises(ValueError, match="not a zip file"):
        load_arrays(BytesIO(file.getvalue()[:200]))
