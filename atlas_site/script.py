"""Data as a classic script, since pages opened from disk may not fetch."""

import json
from collections.abc import Mapping

import numpy as np
from jaxtyping import Shaped

UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


def data_script(name: str, value: Mapping[str, object]) -> str:
    """A script that hands `value` to the page under `name`.

    ASCII only, and free of what could end a script element or begin a comment.
    """
    return f"atlasData({_json(name)}, {_json(value)});\n"


def _json(value: object) -> str:
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    for character, escape in UNSAFE.items():
        text = text.replace(character, escape)
    return text


def significant(value: float) -> float:
    """Four significant digits: what a page shows, and no more."""
    return float(f"{value:.4g}")


def rounded_rows(rows: Shaped[np.ndarray, "row value"]) -> list[list[float]]:
    """The same of rows of values."""
    return [[significant(value) for value in row] for row in rows.tolist()]
