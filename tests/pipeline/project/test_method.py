import pytest

from pipeline.errors import AtlasError
from pipeline.network.ops import Curve, MaxPool
from pipeline.network.window import square
from pipeline.project.method import choice_of
from tests.pipeline.network.small_graphs import RELU, chained, conv

POOL = MaxPool(square(2, 2))


def graph(curve, *between):
    return chained((3, 33, 33), conv("a", 4, 3), curve, *between, conv("b", 4, 3), curve)


@pytest.mark.parametrize(
    ("network", "layer", "method", "why"),
    [
        (graph(RELU, POOL), "b", "deconvnet", "a max pool is below"),
        (graph(RELU), "b", "guided", "no max pool is below"),
        (graph(Curve("silu"), POOL), "b", "guided", "silu is below, for which"),
        (graph(RELU, POOL), "a", "deconvnet", "no activation function is below"),
        (graph(Curve("silu")), "a", "deconvnet", "no activation function is below"),
    ],
)
def test_auto_takes_the_method_that_fits_the_layer_and_says_why(network, layer, method, why):
    found = choice_of(network, layer, "auto")
    assert found.method == method
    assert why in found.why


@pytest.mark.parametrize("wanted", ["deconvnet", "guided", "gradient"])
def test_a_method_asked_for_is_taken(wanted):
    found = choice_of(graph(RELU), "b", wanted)
    assert (found.method, found.why) == (wanted, f"project.method says {wanted}")


def test_a_deconvnet_through_a_smooth_function_is_refused_by_name():
    with pytest.raises(AtlasError, match="A deconvnet cannot pass the silu below b"):
        choice_of(graph(Curve("silu"), POOL), "b", "deconvnet")
