"""The findings of `verify` on the first page."""

from dataclasses import replace

from atlas_site.catalogue import gather
from atlas_site.verification import verified
from pipeline.atlas import open_atlas
from pipeline.storage.reports import write_report
from pipeline.workspace import Workspace
from tests.atlas_site.synthetic_run import Plan, write_run
from tests.atlas_site.verification_reports import layer_report, report_of

REPORT = report_of({"conv1": layer_report(30, 2.1e-4), "conv2": layer_report(20, 3.4e-4)}, tied=2)


def headline(run: Workspace, **changes: int) -> str:
    made_from = open_atlas(run.artifacts).entries_provenance
    write_report(run.report("verify.json"), replace(REPORT, **changes), made_from)
    found = verified(gather(open_atlas(run.artifacts)))
    assert found is not None
    assert "2 differ only where values are equal up to rounding" in found.sentence
    assert found.layers["conv1"].worst == "2.1\u00a0×\u00a010⁻⁴"
    return found.headline


def test_the_headline_says_how_many_were_verified_of_how_many_and_the_worst_error(tmp_path):
    run = write_run(tmp_path / "run", Plan(layers=("conv1", "conv2"), dead={}, partial={}))
    assert verified(gather(open_atlas(run.artifacts))) is None
    shown = 9 * (10 + 26)
    assert headline(run) == (
        f"Verified: 50 of the {shown} entries shown were recomputed from their image files by a "
        "slow reference; all agree, worst relative error 3.4\u00a0×\u00a010⁻⁴."
    )
    assert "3 are faulty" in headline(run, faults=3)
