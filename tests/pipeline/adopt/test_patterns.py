import pytest
from torch import nn

from pipeline.adopt.patterns import simplified
from pipeline.adopt.read import read
from pipeline.adopt.trace import Call, Ref, Trace
from pipeline.network.ops import Conv, Linear
from tests.pipeline.adopt.modules import INPUT, Small


def call(name, op, *args, shape=(1, 5)):
    return Call(name, op, None, args, (), "", shape)


def traced(*calls, output=None):
    return Trace(calls, "x", output or calls[-1].name, {}, {})


def last(*calls):
    made = simplified(traced(*calls)).calls[-1]
    return made.op, made.args


@pytest.mark.parametrize(("gate", "curve"), [("sigmoid", "silu"), ("hardsigmoid", "hardswish")])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_value_times_its_own_gate_is_a_curve(gate, curve, order):
    factors = (Ref("x"), Ref("s"))
    product = call("m", "mul.Tensor", *(factors[at] for at in order))
    assert last(call("s", gate, Ref("x")), product) == (curve, (Ref("x"),))


def test_a_value_times_another_gate_stays_a_product():
    made = last(call("s", "sigmoid", Ref("y")), call("m", "mul.Tensor", Ref("x"), Ref("s")))
    assert made == ("mul.Tensor", (Ref("x"), Ref("s")))


def norm(square=("x", "x"), border=(0, 0, 0, 0, 2, 2), window=(5, 1, 1), k=2.0):
    return (
        call("q", "mul.Tensor", *map(Ref, square)),
        call("u", "unsqueeze", Ref("q"), 1),
        call("p", "pad", Ref("u"), list(border)),
        call("a", "avg_pool3d", Ref("p"), list(window)),
        call("v", "squeeze.dim", Ref("a"), 1),
        call("t", "mul.Tensor", Ref("v"), 10.0),
        call("k", "add.Tensor", Ref("t"), k),
        call("w", "pow.Tensor_Scalar", Ref("k"), 0.75),
        call("d", "div.Tensor", Ref("x"), Ref("w")),
    )


def test_a_local_response_norm_is_one_operation_with_alpha_per_channel():
    assert last(*norm()) == ("local_response_norm", (Ref("x"), 5, 2.0, 0.75, 2.0))


@pytest.mark.parametrize(
    "other",
    [
        norm(square=("x", "y")),
        norm(border=(0, 0, 0, 0, 4, 0)),
        norm(window=(5, 2, 1)),
        norm(k=Ref("y")),
        norm()[5:],
    ],
)
def test_what_only_looks_like_one_stays_a_division(other):
    assert last(*other)[0] == "div.Tensor"


def channel_norm(over=(1,), power=2, epsilon=1e-6, middle="m"):
    shape = (1, 5, 4, 4)
    return (
        call("m", "mean.dim", Ref("x"), [1], True, None, shape=shape),
        call("e", "sub.Tensor", Ref("x"), Ref("m"), 1, shape=shape),
        call("p", "pow.Tensor_Scalar", Ref("e"), power, shape=shape),
        call("v", "mean.dim", Ref("p"), list(over), True, None, shape=shape),
        call("c", "sub.Tensor", Ref("x"), Ref(middle), 1, shape=shape),
        call("a", "add.Tensor", Ref("v"), epsilon, 1, shape=shape),
        call("r", "sqrt", Ref("a"), shape=shape),
        call("d", "div.Tensor", Ref("c"), Ref("r"), shape=shape),
    )


def test_a_norm_of_each_cell_s_channels_written_out_is_one_operation():
    assert last(*channel_norm()) == ("channel_norm", (Ref("x"), 1e-6))


@pytest.mark.parametrize(
    "facts", [{"over": (2,)}, {"power": 3}, {"epsilon": Ref("y")}, {"middle": "y"}]
)
def test_what_only_looks_like_a_norm_stays_a_division(facts):
    assert last(*channel_norm(**facts))[0] == "div.Tensor"


@pytest.mark.parametrize("curve", ["softmax.int", "log_softmax.int", "sigmoid"])
@pytest.mark.parametrize("shape", [(1, 5), (1, 5, 2, 2)])
def test_the_output_is_taken_before_a_curve_of_scores(curve, shape):
    calls = call("l", "conv2d", Ref("x")), call("s", curve, Ref("l"), 1, shape=shape)
    moved = call("f", "flatten.using_ints", Ref("s"), 1)
    for some in (calls, (*calls, moved)):
        assert simplified(traced(*some)).calls[1] == call("s", "_to_copy", Ref("l"), shape=shape)
    used = call("r", "relu", Ref("s"))
    assert simplified(traced(*calls, used)).calls == (*calls, used)


def test_a_softmax_over_something_else_than_the_channels_stays():
    wide = call("s", "softmax.int", Ref("x"), -1, shape=(1, 5, 2, 2))
    assert simplified(traced(wide)).calls == (wide,)


def test_the_scores_are_taken_before_a_softmax():
    graph, _ = read(nn.Sequential(Small(), nn.Softmax(dim=1)), INPUT)
    assert isinstance(graph.nodes[graph.output].op, Linear)
    of_a_map = nn.Sequential(nn.Conv2d(3, 2, 3), nn.Softmax(dim=1), nn.Flatten())
    assert isinstance(graph_end(of_a_map), Conv)


def graph_end(module):
    graph, _ = read(module, (3, 3, 3))
    return graph.nodes[graph.output].op
