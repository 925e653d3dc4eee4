import pytest

from stages.params_file import changes, read_params_file, write_params


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"a: [", b"- 1\n"])
def test_what_is_missing_or_no_mapping_is_none(tmp_path, content):
    if content is not None:
        (tmp_path / "params.yaml").write_bytes(content)
    assert read_params_file(tmp_path / "params.yaml") is None


def test_a_file_is_replaced_and_each_change_is_told_by_its_dotted_name(tmp_path, capsys):
    path = tmp_path / "params.yaml"
    write_params(path, "a: {b: 1, c: {}}\n", "here")
    write_params(path, "a: {b: 2, c: {}}\nd: [x]\n", "there")
    write_params(path, "a: {b: 2, c: {}}\nd: [x]\n", "there")
    assert capsys.readouterr().out.splitlines() == [
        f"{path} written from here; there was no readable one before.",
        f"{path} written from there; changed:",
        "  a.b: 1 → 2",
        "  d: (not there) → [x]",
        f"{path} already says what there says.",
    ]
    assert read_params_file(path) == {"a": {"b": 2, "c": {}}, "d": ["x"]}


def test_changes_come_in_the_order_of_the_new_file():
    assert list(changes({"b": 1, "gone": None}, {"a": [1, 2], "b": 2.0})) == [
        "a: (not there) → [1, 2]",
        "b: 1 → 2.0",
        "gone: null → (not there)",
    ]
