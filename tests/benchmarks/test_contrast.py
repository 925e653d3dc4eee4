from click.testing import CliRunner

from benchmarks.contrast import main
from tests.atlas_site.synthetic_run import Plan, write_run


def test_each_layer_is_a_line_of_all_its_tiles_that_have_a_signal(tmp_path):
    """Ten channels of nine, and 26 of which one is dead and one has four."""
    plan = Plan(
        layers=("conv1", "conv2"),
        per_class=4,
        dead={"conv2": (1,)},
        partial={"conv2": {2: 4}},
        examples=False,
    )
    run = write_run(tmp_path / "run", plan)
    result = CliRunner().invoke(main, [str(run.root)])
    assert result.exit_code == 0, result.output
    _, _, *lines = [line.strip("| ").split(" | ") for line in result.stdout.splitlines()]
    assert [line[:2] for line in lines] == [["conv1", "90"], ["conv2", str(24 * 9 + 4)]]
    assert all(float(line[3]) > 0 for line in lines)


def test_a_folder_without_a_run_is_one_line(tmp_path):
    result = CliRunner().invoke(main, [str(tmp_path)])
    assert result.exit_code == 1
    assert "Traceback" not in result.output
