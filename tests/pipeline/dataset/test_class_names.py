import pytest

from pipeline.dataset.class_names import (
    ClassNames,
    class_name,
    read_class_names,
    write_class_names,
)
from pipeline.errors import AtlasError

FISH = ClassNames(
    ("tench, Tinca tinca", "great white shark", "crane, bird", "crane, machine"),
    ("n01440764", "n01484850", "n02012849", "n03126707"),
)


@pytest.mark.parametrize(
    ("folder", "meant"),
    [
        ("n01484850", "great white shark"),
        ("1", "great white shark"),
        ("0001", "great white shark"),
        ("Great_White-Shark", "great white shark"),
        ("tinca tinca", "tench, Tinca tinca"),
        ("tench, Tinca tinca", "tench, Tinca tinca"),
        ("crane", None),
        ("crane, machine", "crane, machine"),
        ("4", None),
        ("n99999999", None),
        ("whale", None),
        ("²", None),
    ],
)
def test_a_folder_means_a_class_by_id_number_or_name(folder, meant):
    assert FISH.meant_by(folder) == meant


def test_a_class_whose_name_is_a_number_goes_by_its_name():
    assert ClassNames(("7", "0")).meant_by("0") == "0"


@pytest.mark.parametrize("classes", [FISH, ClassNames(("a b", "c")), ClassNames(())])
def test_a_list_is_read_as_it_was_written(tmp_path, classes):
    write_class_names(tmp_path / "classes.txt", classes)
    assert read_class_names(tmp_path / "classes.txt") == classes


def test_comments_and_empty_lines_are_no_classes(tmp_path):
    (tmp_path / "c.txt").write_text("# of a network\n\n  cat \ndog\n")
    assert read_class_names(tmp_path / "c.txt").names == ("cat", "dog")


def test_a_list_that_is_none_is_refused(tmp_path):
    (tmp_path / "c.txt").write_text("a\nb\na\n")
    with pytest.raises(AtlasError, match="names 'a' twice"):
        read_class_names(tmp_path / "c.txt")
    with pytest.raises(AtlasError, match="cannot be read"):
        read_class_names(tmp_path / "missing.txt")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_names_are_composed_and_a_byte_order_mark_is_none_of_them(tmp_path, encoding):
    (tmp_path / "c.txt").write_text("cre\u0300me\ndog\n", encoding=encoding)
    classes = read_class_names(tmp_path / "c.txt")
    assert classes.names == ("cr\u00e8me", "dog")
    assert classes.meant_by("Cr\u00e8me") == "cr\u00e8me"


@pytest.mark.parametrize(
    ("said", "name"),
    [
        (" cre\u0300me ", "cr\u00e8me"),
        ("x" * 255, "x" * 255),
        ("", ""),
        ("x" * 256, None),
        ("two\nlines", None),
        ("\x1b[31m", None),
        ("a\0b", None),
        ("\ud800", None),
    ],
)
def test_a_label_names_a_class_in_one_line_that_can_be_written(said, name):
    assert class_name(said) == name
