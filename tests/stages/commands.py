"""Commands of the atlas in this process, for tests."""

from pathlib import Path

from click.testing import CliRunner

from stages.cli import main


def atlas(root: Path, *words: str) -> str:
    """Run a command that has to succeed in a workspace; what it says."""
    result = CliRunner().invoke(main, [*words, "-w", str(root)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output
