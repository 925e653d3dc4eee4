"""Files of parameters made from the demo's, and what is said of them."""

from pathlib import Path

import pytest
import yaml

from pipeline.errors import AtlasError
from pipeline.params import load_params
from stages.preset import PRESETS

DEMO = (PRESETS / "demo.yaml").read_text(encoding="utf-8")


def written(tmp_path: Path, text: str | bytes) -> Path:
    """A file with this text."""
    path = tmp_path / "params.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def changed(tmp_path: Path, section: str, **values: object) -> Path:
    """The demo's file with other values in a section."""
    document = yaml.safe_load(DEMO)
    document[section].update(values)
    return written(tmp_path, yaml.safe_dump(document))


def problem(path: Path) -> str:
    """What is wrong with a file, which is one line."""
    with pytest.raises(AtlasError) as caught:
        load_params(path)
    assert "\n" not in str(caught.value)
    return caught.value.problem
