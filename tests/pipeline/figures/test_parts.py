import numpy as np
import pytest
from PIL import Image

from pipeline.dataset.framing import centre_square
from pipeline.dataset.manifest import ImageRow
from pipeline.errors import AtlasError
from pipeline.figures.parts import Part, in_input, read_parts
from pipeline.params import load_params
from pipeline.sources.protocol import Candidate
from pipeline.sources.split import by_number
from stages.preset import PRESETS


@pytest.mark.parametrize(("width", "height"), [(120, 90), (90, 130), (97, 97)])
def test_a_part_is_where_its_pixels_are_in_the_network_input(width, height):
    """A bright spot is drawn there, and found again after resizing and cropping."""
    row, col = 0.4 * height, 0.55 * width
    y, x = np.mgrid[:height, :width] + 0.5
    spot = 255 * np.exp(-((y - row) ** 2 + (x - col) ** 2) / 18)
    pixels = np.repeat(spot[..., None], 3, axis=2).astype(np.uint8)
    found = centre_square(Image.fromarray(pixels), 72, 64)[..., 0].astype(float)
    rows, cols = np.mgrid[:64, :64] + 0.5
    centre = (found * rows).sum() / found.sum(), (found * cols).sum() / found.sum()
    image = ImageRow("val", "a.png", "", width, height, "")
    assert in_input(Part("a.png", "spot", row, col), image, 72, 64) == pytest.approx(
        centre, abs=0.6
    )


def test_a_part_that_is_cut_off_is_not_there():
    image = ImageRow("val", "a.png", "", 200, 100, "")
    assert in_input(Part("a.png", "ear", 50.0, 5.0), image, 100, 100) is None
    assert in_input(Part("a.png", "ear", 50.0, 51.0), image, 100, 100) == (50.0, 1.0)


def test_without_a_file_there_are_no_parts(tmp_path):
    assert read_parts(tmp_path / "parts.csv") is None
    (tmp_path / "images.zip").write_bytes(b"")
    assert read_parts(tmp_path / "images.zip" / "parts.csv") is None


def test_a_file_is_read_with_other_columns_beside(tmp_path):
    path = tmp_path / "parts.csv"
    path.write_text('\ufeffpath,part,row,col,who\n"a,b.png",left eye,1.5,2,me\n', encoding="utf-8")
    assert read_parts(path) == (Part("a,b.png", "left eye", 1.5, 2.0),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("path,part,row\na,b,1\n", "no column 'col'"),
        ("path,part,row,col\na,b,1,x\n", "line 2"),
        ("path,part,row,col\na,b,1,2\na,b,nan,2\n", "line 3"),
        ("path,part,row,col\na,b,1\n", "line 2"),
        ("path,part,row,col\n,b,1,2\n", "line 2"),
    ],
)
def test_a_wrong_line_is_named(tmp_path, text, said):
    path = tmp_path / "parts.csv"
    path.write_text(text)
    with pytest.raises(AtlasError, match=said):
        read_parts(path)


def test_the_marks_of_caltech_are_of_validation_images_of_its_preset():
    """Of the 435 faces of the published data set, by the draw of `prepare`."""
    params, folder = load_params(PRESETS / "caltech101.yaml"), "caltech101/101_ObjectCategories"
    names = [f"{folder}/Faces_easy/image_{number:04}.jpg" for number in range(1, 436)]
    faces = [Candidate(None, name, "Faces_easy") for name in names]
    numbers = params.data.train_per_class, params.data.val_per_class
    divided = by_number(*numbers, params.seed, folder)(faces)
    marks = read_parts(PRESETS.parent / params.figures.correspondence.parts)
    by_image: dict[str, dict[str, Part]] = {}
    for mark in marks:
        by_image.setdefault(mark.path, {})[mark.part] = mark
    assert by_image.keys() <= {image.path for image in divided if image.split == "val"}
    assert len(marks) == 4 * len(by_image) == 60
    for face in by_image.values():
        left, right, nose, mouth = (
            face[part] for part in ("left eye", "right eye", "nose", "mouth")
        )
        assert max(left.row, right.row) < nose.row < mouth.row
        assert left.col < nose.col < right.col
