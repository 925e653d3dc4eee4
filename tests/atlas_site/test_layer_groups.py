from atlas_site.layer_groups import layer_groups
from tests.atlas_site.plain_layers import layer


def groups(*names):
    found = layer_groups([layer(name, 8, 2, 7) for name in names])
    return [(group.name, [one.name for one in group.layers]) for group in found]


def test_few_layers_are_one_group():
    names = [f"layer{n}.0" for n in range(12)]
    assert groups(*names) == [("", names)]


def test_many_are_grouped_by_block_and_single_ones_in_a_row_together():
    blocks = [f"layer{n}.{part}" for n in (1, 2) for part in range(6)]
    found = groups("conv1", "conv2", *blocks, "fc")
    assert [name for name, _ in found] == ["conv1 … conv2", "layer1", "layer2", "fc"]
    assert [one for _, layers in found for one in layers] == ["conv1", "conv2", *blocks, "fc"]


def test_a_container_of_everything_is_not_a_group():
    names = [f"features.block{n}.conv{part}" for n in range(3) for part in range(5)]
    assert [name for name, _ in groups(*names)] == [f"features.block{n}" for n in range(3)]
