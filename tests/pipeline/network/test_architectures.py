import pytest

from pipeline.errors import AtlasError
from pipeline.network.architectures import Variant, build_chain, parameter_count
from pipeline.network.module import Network
from pipeline.network.ops import Conv, LocalResponseNorm, MaxPool


def parameters(arch: str, **differs: object) -> int:
    return parameter_count(build_chain(arch, 1000, 224, Variant(**differs)))  # type: ignore[arg-type]


def conv(inputs: int, outputs: int, kernel: int) -> int:
    return inputs * outputs * kernel**2 + outputs


def linear(inputs: int, outputs: int) -> int:
    return inputs * outputs + outputs


ZF12 = conv(3, 96, 7) + conv(96, 256, 5)
ZF345 = conv(256, 384, 3) + conv(384, 384, 3) + conv(384, 256, 3)


@pytest.mark.parametrize(("arch", "count"), [("zfnet", 62_357_608), ("alexnet", 60_965_224)])
def test_the_papers_networks_have_the_papers_number_of_parameters(arch, count):
    assert parameters(arch) == count


def test_torchvisions_alexnet_has_its_number_of_parameters():
    assert parameter_count(build_chain("alexnet-torchvision", 1000, 223)) == 61_100_840


@pytest.mark.parametrize("arch", ["zfnet", "alexnet"])
def test_the_module_has_as_many_parameters_as_the_description(arch):
    graph = build_chain(arch, 7, 64, Variant(width=0.125))
    assert sum(p.numel() for p in Network(graph).parameters()) == parameter_count(graph)


@pytest.mark.parametrize(
    ("differs", "expected"),
    [
        ({"fc_features": 2048}, linear(9216, 2048) + linear(2048, 2048) + linear(2048, 1000)),
        ({"fc_features": 8192}, linear(9216, 8192) + linear(8192, 8192) + linear(8192, 1000)),
        ({"without": ("fc7",)}, linear(9216, 4096) + linear(4096, 1000)),
        ({"without": ("fc6", "fc7")}, linear(9216, 1000)),
    ],
)
def test_table_3_changes_of_the_fully_connected_layers(differs, expected):
    assert parameters("zfnet", **differs) == ZF12 + ZF345 + expected


def test_table_3_without_layers_3_and_4_joins_layer_2_to_layer_5():
    fc = linear(9216, 4096) + linear(4096, 4096) + linear(4096, 1000)
    assert parameters("zfnet", without=("conv3", "conv4")) == ZF12 + conv(256, 256, 3) + fc
    shallow = ("conv3", "conv4", "fc6", "fc7")
    assert parameters("zfnet", without=shallow) == ZF12 + conv(256, 256, 3) + linear(9216, 1000)


def test_the_larger_variant_widens_layers_3_to_5():
    larger = {"conv3": 512, "conv4": 1024, "conv5": 512}
    convs = ZF12 + conv(256, 512, 3) + conv(512, 1024, 3) + conv(1024, 512, 3)
    fc = linear(512 * 36, 4096) + linear(4096, 4096) + linear(4096, 1000)
    assert parameters("zfnet", conv_channels=larger) == convs + fc


@pytest.mark.parametrize(
    ("arch", "input_px", "sizes"),
    [
        ("zfnet", 224, [110, 55, 26, 13, 13, 13, 13, 6]),
        ("alexnet", 224, [55, 27, 27, 13, 13, 13, 13, 6]),
        ("alexnet-torchvision", 223, [55, 27, 27, 13, 13, 13, 13, 6]),
    ],
)
def test_maps_have_the_sizes_of_the_literature(arch, input_px, sizes):
    graph = build_chain(arch, 1000, input_px)
    shapes = [node.shape for node in graph.nodes if isinstance(node.op, Conv | MaxPool)]
    assert [shape[1:] for shape in shapes] == [(side, side) for side in sizes]


@pytest.mark.parametrize(("arch", "pool_first"), [("zfnet", True), ("alexnet", False)])
def test_zfnet_pools_before_the_norm_and_alexnet_after_it(arch, pool_first):
    kinds = [type(node.op) for node in build_chain(arch, 10, 224).nodes]
    assert (kinds.index(MaxPool) < kinds.index(LocalResponseNorm)) is pool_first


def test_width_scales_every_hidden_layer_and_not_the_classes():
    graph = build_chain("zfnet", 10, 160, Variant(width=0.5))
    assert [graph.layer(layer).channels for layer in graph.layers] == [
        48, 128, 192, 192, 128, 2048, 2048, 10,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arch", "differs", "said"),
    [
        ("vgg", {}, "vgg"),
        ("zfnet", {"conv_channels": {"conv6": 3}}, "conv6"),
        ("alexnet", {"width": 0.01}, "groups"),
    ],
)
def test_a_network_that_cannot_be_is_an_error_with_the_reason(arch, differs, said):
    with pytest.raises(AtlasError, match=said):
        build_chain(arch, 10, 224, Variant(**differs))


def test_an_input_too_small_names_where_nothing_is_left():
    with pytest.raises(AtlasError, match="too small"):
        build_chain("zfnet", 10, 5)
