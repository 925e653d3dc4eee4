from pathlib import Path

import pytest

from atlas_site.names import Name, read_names
from pipeline.atlas import Run, open_atlas
from pipeline.errors import AtlasError
from pipeline.workspace import Workspace
from tests.atlas_site.synthetic_run import Plan, write_run


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return write_run(tmp_path_factory.mktemp("named") / "run", Plan(layers=("conv1",)))


def opened(run: Workspace, text: str) -> Run:
    (run.root / "names.csv").write_text(text, encoding="utf-8")
    return open_atlas(run.artifacts)


def test_a_run_without_names_has_none(named: Workspace):
    Path(named.root / "names.csv").unlink(missing_ok=True)
    assert read_names(open_atlas(named.artifacts)) == {}


def test_names_are_read_by_layer_and_channel_and_may_be_anything(named: Workspace):
    text = 'layer,channel,name,note,family\nconv1,3,"</script>, ""x""","a\nb",edges\nconv9,1,x,,\n'
    names = read_names(opened(named, text))
    assert names == {("conv1", 3): Name('</script>, "x"', "a\nb", "edges")}


def test_columns_may_be_missing_but_for_the_address(named: Workspace):
    assert read_names(opened(named, "channel,layer\n0,conv1\n")) == {("conv1", 0): Name("", "", "")}


@pytest.mark.parametrize(
    ("text", "words"),
    [("name\nx\n", "has the columns"), ("layer,channel\nconv1,two\n", "line 2: 'two'")],
)
def test_a_file_that_is_not_a_table_of_names_is_refused(named: Workspace, text: str, words: str):
    with pytest.raises(AtlasError, match=words):
        read_names(opened(named, text))
