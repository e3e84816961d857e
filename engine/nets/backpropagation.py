"""What dense nets share whose gradients are written out by hand.

By hand, because that takes half the time of autograd. A net of padded members has
slopes of its own, from sums instead of outputs: they differ in the last bit.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "tanh": torch.tanh,
    "gelu": F.gelu,
    "sigmoid": torch.sigmoid,
    "sine": torch.sin,
}
# Variance of an initial weight times its inputs: of He for what halves a variance
# (relu, gelu) and for the sine, else of Glorot.
GAINS = {"relu": 2.0, "gelu": 2.0, "tanh": 1.0, "sigmoid": 1.0, "sine": 2.0}
# Each activation's slope times what comes back, from its own output, where that tells.
SLOPES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "relu": lambda back, out: torch.ops.aten.threshold_backward(back, out, 0),
    "tanh": lambda back, out: torch.ops.aten.tanh_backward(back, out),
    "sigmoid": lambda back, out: torch.ops.aten.sigmoid_backward(back, out),
}


def cross_entropy_gradient(out: Tensor, y: Tensor) -> Tensor:
    """Return the gradient of each member's mean cross-entropy in its answers.

    Args:
        out: Scores; shape (member, class, example).
        y: Classes; int64, shape (member, example).

    Returns:
        Shape (member, class, example).

    >>> cross_entropy_gradient(torch.zeros(1, 2, 1), torch.tensor([[0]])).tolist()
    [[[-0.5], [0.5]]]
    """
    back, right = out.softmax(1), y[:, None]
    back.scatter_add_(1, right, back.new_full((1,), -1.0).expand(right.shape))
    back /= y.shape[1]
    return back


def shorten_gradients(grad: Tensor, longest: float) -> Tensor:
    """Shorten long gradients, so that a rate that is too large fails softly.

    Args:
        grad: Shape (member, weight).
        longest: Largest L2 norm that a member's may have, above 0.
    """
    norm = torch.linalg.vector_norm(grad, dim=1, keepdim=True)
    return grad * (longest / norm.clamp(min=longest))
