from pathlib import Path

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
