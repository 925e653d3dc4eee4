"""The facts of the first page."""

import dataclasses

import pytest

from atlas_site.catalogue import gather
from atlas_site.index_page import error_rate_facts, has_local_response_norm, summary
from pipeline.atlas import ErrorRates, LocalResponseNorm, open_atlas
from pipeline.storage.reports import write_report
from tests.atlas_site.synthetic_run import Plan, write_run

PLAN = Plan(layers=("conv1",), dead={}, partial={})


@pytest.mark.parametrize("measured", [{"top1_error": 0.25, "top5_error": 0.125}, {}])
def test_error_rates_are_told_as_far_as_they_were_measured(tmp_path, measured):
    run = write_run(tmp_path / "run", PLAN)
    path, made_from = run.report("evaluate.json"), open_atlas(run.artifacts).provenance
    write_report(path, ErrorRates(images=8, **measured), made_from, run.predictions)
    catalogue = gather(open_atlas(run.artifacts))
    rates = [(fact.name, fact.value) for fact in error_rate_facts(catalogue)]
    both = [("top-1 error, one crop", "25.0 %"), ("top-5 error, one crop", "12.5 %")]
    assert rates == (both if measured else [])
    assert ("25.0 %" in [headline.value for headline in summary(catalogue)]) == bool(measured)


def test_local_response_norms_are_spoken_of_where_the_network_has_them(tmp_path):
    graph = open_atlas(write_run(tmp_path / "run", PLAN).artifacts).graph
    assert has_local_response_norm(graph)  # ZFNet's, behind conv1 and conv2
    nodes = tuple(node for node in graph.nodes if not isinstance(node.op, LocalResponseNorm))
    assert not has_local_response_norm(dataclasses.replace(graph, nodes=nodes))
