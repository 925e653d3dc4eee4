"""The registry knows every source that params.yaml may name, and imports only that one."""

import subprocess
import sys
from typing import get_args

import pytest

from pipeline.params import DataParams
from pipeline.sources.protocol import Source
from pipeline.sources.registry import source

NAMES = get_args(DataParams.model_fields["source"].annotation)


@pytest.mark.parametrize("name", NAMES)
def test_every_name_of_the_parameters_has_a_source(name):
    assert isinstance(source(name), Source)


def test_an_unknown_name_is_a_key_error():
    with pytest.raises(KeyError):
        source("nowhere")


def test_a_source_imports_no_other():
    code = (
        "import sys; from pipeline.sources.registry import source; source('folder');"
        "print(*(name for name in sys.modules if 'demo' in name or name == 'torch'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
