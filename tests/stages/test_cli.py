from pathlib import Path

import pytest
from click.testing import CliRunner

import stages
from stages.cli import COMMANDS, main


def test_the_help_lists_every_command_in_the_order_of_the_flow():
    said = CliRunner().invoke(main, ["--help"], terminal_width=120).output
    places = [said.index(f"  {name} ") for name in COMMANDS]
    assert places == sorted(places)


def test_every_command_is_a_module_with_a_main_of_its_name():
    folder = Path(stages.__file__).parent
    for name in COMMANDS:
        text = (folder / f"{name.replace('-', '_')}.py").read_text(encoding="utf-8")
        assert "def main(" in text


def test_a_wrong_word_gives_one_line():
    result = CliRunner().invoke(main, ["paint"])
    assert result.exit_code == 2
    assert "There is no command 'paint'. Commands: preset, run" in result.output
    assert len(result.output.splitlines()) == 1


@pytest.mark.parametrize(
    "error",
    [ImportError("libtorch_cpu.so: failed to map segment from shared object"), MemoryError()],
)
def test_too_little_memory_to_import_a_stage_is_one_line(monkeypatch, error):
    def refuse(name: str) -> None:
        raise error

    monkeypatch.setattr("stages.cli.import_module", refuse)
    result = CliRunner().invoke(main, ["scan"])
    assert result.exit_code == 1
    [line] = result.stderr.splitlines()
    assert line.startswith("Error: There is too little memory to start")
    assert str(error) in line
    assert "ulimit -v" in line


def test_a_module_that_is_not_there_keeps_its_traceback(monkeypatch):
    def refuse(name: str) -> None:
        raise ImportError("No module named 'torch'")

    monkeypatch.setattr("stages.cli.import_module", refuse)
    assert isinstance(CliRunner().invoke(main, ["scan"]).exception, ImportError)
