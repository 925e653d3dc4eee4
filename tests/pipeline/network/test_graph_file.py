import json

import pytest

from pipeline.errors import AtlasError
from pipeline.network.graph_file import from_json, to_json
from tests.pipeline.network.small_graphs import joined


def test_a_graph_comes_back_as_it_was():
    assert from_json(to_json(joined())) == joined()


def test_a_file_without_facts_that_came_later_opens():
    text = to_json(joined())
    assert from_json(text.replace(', "factor": null', "")) == joined()
    assert '"factor": null' in text


def changed(at: int, **fields: object) -> str:
    content = json.loads(to_json(joined()))
    content["nodes"][at] |= fields
    return json.dumps(content)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Expecting value"),
        ("[" * 100_000, "does not describe a network"),
        ("{}", "does not hold `format`"),
        (json.dumps({"format": 2, "output": 0, "nodes": []}), "its format is 2"),
        (json.dumps({"format": 1, "output": 0, "nodes": []}), "its output is not one"),
        (json.dumps({"format": 1, "output": 0, "nodes": [3]}), "other fields"),
        (changed(3, op="__import__"), "no operation '__import__'"),
        (changed(3, facts={"kind": "cosine"}), "`kind`"),
        (changed(3, facts={"kind": "relu", "extra": 1}), "other fields"),
        (changed(3, inputs=[4]), "does not come before it"),
        (changed(3, inputs=[-1]), "does not come before it"),
        (changed(3, inputs=["2"]), "`inputs"),
        (changed(3, shape=[8, 17, 13]), "cannot make a map"),
        (changed(4, shape=[8, 9, 11]), "does not give"),
        (changed(8, inputs=[7, 3]), "cannot make a map"),
        (changed(8, inputs=[7]), "cannot make a map"),
        (changed(1, op="Input", facts={}, inputs=[]), "node 0, and no other"),
        (changed(5, facts={"window": {"kernel": [0, 1]}, "weight": "w"}), "its window is"),
        (changed(7, shape=[9, 9, 7]), "node 8"),
    ],
)
def test_what_is_not_a_sound_graph_is_refused_with_the_place(text, said):
    with pytest.raises(AtlasError, match="does not describe a network") as refusal:
        from_json(text)
    assert said in str(refusal.value)


def test_a_number_that_json_lacks_is_refused():
    with pytest.raises(AtlasError, match="NaN is not a number"):
        from_json(to_json(joined()).replace("1e-05", "NaN"))
