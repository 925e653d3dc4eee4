"""Numbers as the pages print them, and the assets of the pages."""

import errno
import math
import shutil

import jinja2
import pytest

from atlas_site.templating import (
    ASSETS,
    by,
    copy_assets,
    environment,
    percent,
    powers_of_ten,
    short,
    side,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0"),
        (0.5, "0.50"),
        (12.345, "12.3"),
        (123.4, "123"),
        (1234567.8, "1,234,568"),
        (0.00123, "0.0012"),
        (-0.00123, "-0.0012"),
        (-2.5, "-2.50"),
    ],
)
def test_short_numbers_have_two_or_three_digits(value, expected):
    assert short(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.00034, "3.4 × 10⁻⁴"),
        (0.0, "0.0 × 10⁰"),
        (9.96e-8, "1.0 × 10⁻⁷"),
        (-250.0, "-2.5 × 10²"),
        (1e12, "1.0 × 10¹²"),
        (math.nan, "–"),
        (math.inf, "–"),
    ],
)
def test_powers_of_ten_have_no_place_for_a_line_to_end(value, expected):
    assert powers_of_ten(value) == expected.replace(" ", "\u00a0")


def test_a_percentage_is_rounded_to_a_whole_number():
    assert [percent(f) for f in (0.0, 0.004, 0.875, 1.0)] == ["0 %", "0 %", "88 %", "100 %"]


def test_pages_escape_what_they_are_given_and_refuse_names_that_are_not_there():
    env = environment()
    assert env.from_string("{{ name }}").render(name="<b>") == "&lt;b&gt;"
    with pytest.raises(jinja2.UndefinedError, match="nowhere"):
        env.from_string("{{ nowhere }}").render()


def test_sizes_are_rows_and_columns_and_one_number_where_both_are_the_same():
    assert (by((24, 48)), by((7, 7))) == ("24 × 48", "7 × 7")
    assert (side((16, 1)), side((7, 7)), side((13.5, 13.5))) == ("16 × 1", "7", "13.5")


def test_assets_are_copied_as_they_are(tmp_path):
    copy_assets(tmp_path)
    made = {path.name: path.read_bytes() for path in (tmp_path / "assets").iterdir()}
    assert made == {path.name: path.read_bytes() for path in ASSETS.iterdir()}
    assert {"style.css", "atlas.js", "icon.svg"} <= made.keys()


def test_a_full_disk_is_the_error_of_the_first_asset(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(OSError, match="no space") as raised:
        copy_assets(tmp_path)
    assert raised.value.errno == errno.ENOSPC
