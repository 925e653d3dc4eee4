from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from pipeline.workspace import Workspace
from stages.figure import main
from tests.atlas_site.synthetic_run import Plan, write_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return write_run(tmp_path_factory.mktemp("figure") / "a run", Plan(layers=("conv1", "conv3")))


def draw(run: Workspace, *arguments: str):
    return CliRunner().invoke(main, ["-w", str(run.root), *arguments])


def test_a_figure_is_seven_inches_at_300_dpi_with_its_caption(run: Workspace):
    assert draw(run, "conv3", "--channels", "3,0", "--out", "f.png").exit_code == 0
    with Image.open(run.root / "f.png") as figure:
        assert tuple(round(float(d)) for d in figure.info["dpi"]) == (300, 300)
        assert 2040 <= figure.width <= 2100
        pixels = np.asarray(figure)
    assert (pixels == 128).all(axis=2).mean() > 0.05
    text = (run.root / "f.txt").read_text(encoding="utf-8")
    assert "Channels 3, 0 of conv3" in text
    assert "a run" in text
    assert text.count("sha256") == 3


def test_equal_inputs_give_equal_bytes(run: Workspace):
    for name in ("a.png", "b.png", "a.pdf", "b.pdf"):
        assert draw(run, "conv1", "--out", name).exit_code == 0
    root = run.root
    assert (root / "a.png").read_bytes() == (root / "b.png").read_bytes()
    assert (root / "a.pdf").read_bytes() == (root / "b.pdf").read_bytes()
    assert (root / "a.pdf").read_bytes().startswith(b"%PDF")


def test_pixels_of_a_first_layer_are_squares(run: Workspace):
    assert draw(run, "conv1", "--channels", "0", "--out", "one.png").exit_code == 0
    pixels = np.asarray(Image.open(run.root / "one.png"))
    corner = pixels[40 : 40 + 343, :343]
    colours = {tuple(colour) for colour in corner.reshape(-1, 3).tolist()}
    assert len(colours) <= 7 * 7 + 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["conv9"], "no scanned layer 'conv9'"),
        (["conv3", "--channels", "1,99"], "has no channel 99"),
        (["conv3", "--channels", "1;2"], "'1;2' is not a channel number"),
        (["conv3", "--out", "f.gif"], "not written as 'f.gif'"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_one_line(run: Workspace, arguments: list[str], words: str):
    result = draw(run, *arguments)
    assert result.exit_code == 1
    assert words in result.output
    assert not list(Path(run.root).glob(".*partial*"))
