"""A small net in numpy that adapts to a sine curve, from weights of the recorded run.

y = W₂ relu(W₁ relu(W₀ x + b₀) + b₁) + b₂, trained on the mean squared error, as the
recorded experiment does it.
"""

from collections.abc import Mapping

import numpy as np

from app.figures.figure_types import Floats

Net = dict[str, Floats]
LAYERS = 3
SPAN = 5.0  # x lies between −5 and 5


def first_net(arrays: Mapping[str, Floats]) -> Net:
    """Return the first replicate's weights of recorded ones, in float64."""
    names = [f"{kind}{layer}" for layer in range(LAYERS) for kind in "wb"]
    return {name: np.asarray(arrays[name][0], dtype=np.float64) for name in names}


def sine(amplitude: float, phase: float, x: Floats) -> Floats:
    """Return A sin(x − p)."""
    values: Floats = amplitude * np.sin(x - phase)
    return values


def answer(net: Net, x: Floats) -> Floats:
    """Return the net's answers at x, shape (point,)."""
    return _layers(net, x)[-1][:, 0]


def _layers(net: Net, x: Floats) -> list[Floats]:
    """Return the input of each layer and the output, each of shape (point, unit)."""
    made = [x[:, None]]
    for layer in range(LAYERS):
        given = made[-1] @ net[f"w{layer}"].T + net[f"b{layer}"]
        made.append(given if layer == LAYERS - 1 else np.maximum(given, 0.0))
    return made


def loss_gradient(net: Net, x: Floats, y: Floats) -> Net:
    """Return the gradient of the mean squared error by the weights."""
    made, found = _layers(net, x), Net()
    back = 2.0 * (made[-1] - y[:, None]) / len(x)
    for layer in reversed(range(LAYERS)):
        found[f"w{layer}"], found[f"b{layer}"] = back.T @ made[layer], back.sum(0)
        # The derivative of relu is 1 where its output is positive.
        back = (back @ net[f"w{layer}"]) * (made[layer] > 0)
    return found


def adapt(net: Net, x: Floats, y: Floats, rate: float, steps: int) -> Net:
    """Return the net after gradient steps on a support set.

    Args:
        net: Its weights before.
        x: Inputs of the support, shape (point,).
        y: Their targets.
        rate: Step size.
        steps: How many steps.
    """
    for _ in range(steps):
        slope = loss_gradient(net, x, y)
        net = {name: values - rate * slope[name] for name, values in net.items()}
    return net
