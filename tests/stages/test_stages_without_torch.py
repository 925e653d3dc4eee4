"""Commands that compute nothing with torch do not pay for its import, which takes seconds."""

import subprocess
import sys

import pytest

from tests.imports import ROOT

WITHOUT = (
    ("cli", "entry", "preset", "run", "prepare", "pack", "figure", "compare", "render"),
    ("crop",),  # alone, since it brings Dask
)
"""Commands, those of one process together."""
LINE = "import stages.{0}; assert 'torch' not in sys.modules, '{0}'"


@pytest.mark.parametrize("commands", WITHOUT, ids=" ".join)
def test_a_command_that_needs_no_torch_imports_none(commands):
    code = "\n".join(["import sys", *map(LINE.format, commands)])
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
