import json

import pytest

from atlas_site.script import data_script, significant
from tests.atlas_site.synthetic_run import HOSTILE, HOSTILE_NAMES


@pytest.mark.parametrize("text", [HOSTILE, *HOSTILE_NAMES, "\u2028\u2029", "<!--", "]]>"])
def test_a_script_is_ascii_cannot_be_left_and_keeps_its_text(text: str):
    script = data_script("conv1", {"name": text})
    assert script.isascii()
    assert not set("<>&") & set(script)
    value = script.removeprefix('atlasData("conv1", ').removesuffix(");\n")
    assert json.loads(value) == {"name": text}


def test_what_is_not_a_number_is_refused():
    with pytest.raises(ValueError, match="not JSON compliant"):
        data_script("conv1", {"value": float("nan")})


def test_numbers_keep_four_digits():
    assert [significant(v) for v in (0.0, 3.14159, 123456.0, 1.23456e-7)] == [
        0,
        3.142,
        123500,
        1.235e-7,
    ]
