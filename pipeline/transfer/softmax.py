"""A new softmax on fixed features."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional

DECAY = 1e-3
"""L2 penalty on the weights, for features of unit mean square."""
STEPS = 100
"""Most iterations of L-BFGS."""


def fit_softmax(
    features: Float[Tensor, "image feature"], labels: Int64[Tensor, " image"], classes: int
) -> tuple[Float[Tensor, "class feature"], Float[Tensor, " class"]]:
    """Weights and biases of the softmax regression with the smallest penalised loss.

    The problem is convex and the start is 0, so nothing is drawn.
    """
    weight = torch.zeros(classes, features.shape[1], requires_grad=True, device=features.device)
    bias = torch.zeros(classes, requires_grad=True, device=features.device)
    optimiser = torch.optim.LBFGS(
        [weight, bias], max_iter=STEPS, history_size=10, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        optimiser.zero_grad()
        scores = functional.linear(features, weight, bias)
        penalised = functional.cross_entropy(scores, labels) + DECAY * weight.square().sum()
        torch.autograd.backward(penalised)
        return penalised

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    return weight.detach(), bias.detach()


def probabilities_of(
    train: Float[Tensor, "image feature"],
    labels: Int64[Tensor, " image"],
    test: Float[Tensor, "other feature"],
    classes: int,
) -> Float[Tensor, "other class"]:
    """Learn a softmax on some images and apply it to others.

    Features are scaled by one factor, so that those learnt from have unit mean square.
    """
    size = train.square().mean().sqrt().clamp(min=1e-12)
    weight, bias = fit_softmax(train / size, labels, classes)
    return functional.linear(test / size, weight, bias).softmax(dim=1)
