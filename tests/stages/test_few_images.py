import csv
import json

import click
import pytest
from click.testing import CliRunner

from pipeline.transfer.table import Line
from pipeline.workspace import Workspace
from stages.few_images import folds_option, per_class_option, report_lines

LINES = [Line("fc7", "svm", 15, (0.5, 0.7)), Line("fc7", "svm", 30, (0.75,))]


def test_every_line_is_said_and_written_as_soon_as_it_is_there(tmp_path, capsys):
    workspace = Workspace(tmp_path)
    workspace.report("x").parent.mkdir(parents=True)

    def lines():
        yield LINES[0]
        with workspace.report("transfer.csv").open(newline="") as file:
            assert len(list(csv.reader(file))) == 3
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        report_lines(workspace, "transfer", lines())
    assert capsys.readouterr().out == f"{LINES[0]}\n"
    report_lines(workspace, "transfer", iter(LINES))
    assert capsys.readouterr().out == "".join(f"{line}\n" for line in LINES)
    summary = json.loads(workspace.report("transfer.json").read_text())
    assert list(summary) == ["fc7_svm_15", "fc7_svm_30"]


@click.command()
@per_class_option(15, 30)
@folds_option
def said(per_class: tuple[int, ...], folds: int) -> None:
    """Say what was given."""
    click.echo(f"{per_class} {folds}")


def test_numbers_of_images_may_be_given_several_times_and_are_at_least_one():
    assert CliRunner().invoke(said, []).output == "(15, 30) 5\n"
    given = ["--per-class", "2", "--per-class", "3", "--folds", "1"]
    assert CliRunner().invoke(said, given).output == "(2, 3) 1\n"
    assert CliRunner().invoke(said, ["--per-class", "0"]).exit_code == 2
