from pathlib import Path

from click.testing import CliRunner

from stages.compare import main as compare
from stages.render import main as render
from tests.atlas_site.synthetic_run import Plan, write_run

PLAN = Plan(layers=("conv1",))


def test_render_publishes_the_site_and_says_where(tmp_path: Path):
    run = write_run(tmp_path / "run", PLAN)
    result = CliRunner().invoke(render, ["-w", str(run.root), "--workers", "1"])
    assert result.exit_code == 0, result.output
    assert f"Open {run.site / 'index.html'}" in result.output
    assert (run.site / "conv1.html").is_file()


def test_a_failed_render_leaves_the_old_site_and_no_half_of_a_new_one(tmp_path: Path):
    run = write_run(tmp_path / "run", PLAN)
    run.site.mkdir()
    (run.site / "index.html").write_text("old")
    run.projections.rename(tmp_path / "elsewhere")
    result = CliRunner().invoke(render, ["-w", str(run.root), "--workers", "1"])
    assert result.exit_code == 1
    assert "Error:" in result.output
    assert "Traceback" not in result.output
    assert [path.name for path in run.site.iterdir()] == ["index.html"]
    assert not list(run.root.glob(".site*"))


def test_render_without_a_scan_says_what_to_run(tmp_path: Path):
    result = CliRunner().invoke(render, ["-w", str(tmp_path)])
    assert result.exit_code == 1
    assert "dvc repro" in result.output


def test_compare_tells_runs_of_one_name_apart(tmp_path: Path):
    for place in ("old", "new"):
        write_run(tmp_path / place / "run", PLAN)
    arguments = ["-w", str(tmp_path), "old/run", "new/run", "--out", "both"]
    result = CliRunner().invoke(compare, arguments, env={"ATLAS_RENDER_WORKERS": "1"})
    assert result.exit_code == 0, result.output
    text = (tmp_path / "both" / "index.html").read_text(encoding="utf-8")
    assert "run (first)" in text
    assert "run (second)" in text
