"""LR scale trained by an unroll, in JAX: `scan` over inner steps, `vmap` over tasks."""

from typing import Any

import torch

from engine.protocol import OptimizationBatch
from tests.benchmarks.few_shot_peers import library
from tests.benchmarks.jax_peers import Side, adam_step, repeat_call

RATE, BOUND, SPAN, CLIP, HIDDEN = 0.3, 0.5, 5.0, 5.0, 16  # the part's own
SIGNALS = 7


def controller_sides(tasks: OptimizationBatch) -> dict[str, tuple[Side, int]]:
    """Return the meta-step with Adam, inner gradients taken as constants.

    Args:
        tasks: Classification by a net of one hidden layer.
    """
    jax = library("jax")
    if jax is None:
        return {}
    data = tasks.data  # type: ignore[attr-defined]
    views = tasks.layout.views(tasks.start())
    arrays = [views[name].numpy() for name in ("w0", "b0", "w1", "b1")]
    shown = (data.x[..., : data.train].numpy(), data.y[:, : data.train].numpy())
    given = jax.tree.map(jax.numpy.asarray, ([*arrays], *shown))
    draw = torch.Generator().manual_seed(0)
    first = torch.randn(HIDDEN, SIGNALS, generator=draw) / SIGNALS**0.5
    layers = (first, torch.zeros(HIDDEN), torch.zeros(1, HIDDEN), torch.zeros(1))
    theta = [jax.numpy.asarray(layer.numpy()) for layer in layers]
    zeros = [jax.numpy.zeros_like(layer) for layer in theta]
    start = (theta, zeros, zeros), jax.numpy.zeros(())
    step = jax.jit(_meta_step(jax, tasks.horizon))
    return {"JAX scan + vmap": (repeat_call(jax, step, start, given), 1)}


def _meta_step(jax: Any, horizon: int) -> Any:
    unroll = _unroll(jax, horizon)

    def member_gradient(theta: Any, *task: Any) -> Any:
        slopes = jax.grad(unroll)(theta, *task)
        size = sum((g * g).sum() for g in slopes)
        return [g / jax.numpy.sqrt(jax.numpy.maximum(size, 1e-24)) for g in slopes]

    def step(state: Any, given: Any) -> Any:
        theta = state[0][0]
        each = jax.vmap(member_gradient, (None, 0, 0, 0))(theta, *given)
        return adam_step(jax, state, [g.mean(0) for g in each])

    return step


def _unroll(jax: Any, horizon: int) -> Any:
    """Return the mean log loss of a training, as a function of the controller."""
    np, constant = jax.numpy, jax.lax.stop_gradient

    def loss(w: Any, x: Any, y: Any) -> Any:
        hidden = jax.nn.relu(w[0] @ x + w[1][:, None])
        shares = jax.nn.log_softmax(w[2] @ hidden + w[3][:, None], 0)
        return -np.take_along_axis(shares, y[None], 0).mean()

    def norm(tree: Any) -> Any:
        return np.sqrt(sum((part * part).sum() for part in tree))

    def move(carry: Any, index: Any, theta: Any, x: Any, y: Any) -> Any:
        w, scale, last = carry
        value, slopes = jax.value_and_grad(loss)(constant(w), x, y)
        slopes = constant(slopes)
        seen = np.stack([value, norm(slopes), norm(constant(w))])
        logs = np.log(np.clip(constant(seen), 1e-12, 1e12))
        last = np.where(index == 0, logs, last)
        rows = [0.5 * logs, 5 * (logs - last)[:2], constant(scale)[None]]
        signals = np.concatenate([*rows, (2 * index / horizon - 1)[None]])
        hidden = np.tanh(theta[0] @ np.clip(signals, -CLIP, CLIP) + theta[1])
        target = SPAN * np.tanh((theta[2] @ hidden + theta[3])[0] / SPAN)
        scale = scale + np.clip(target - scale, -BOUND, BOUND)
        rate = RATE * np.exp(scale)
        moved = [a - rate * b for a, b in zip(w, slopes, strict=True)]
        return (moved, scale, logs), np.log(np.clip(loss(moved, x, y), 1e-4, 1e2))

    def unroll(theta: Any, w: Any, x: Any, y: Any) -> Any:
        start = (w, np.zeros(()), np.zeros(3))
        steps = np.arange(horizon, dtype=np.float32)
        return jax.lax.scan(lambda c, i: move(c, i, theta, x, y), start, steps)[
            1
        ].mean()

    return unroll
