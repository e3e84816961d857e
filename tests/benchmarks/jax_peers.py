"""The same meta-steps in JAX: whole, jit-compiled, vectorized over tasks."""

from collections.abc import Callable
from typing import Any

import torch

from engine.protocol import EpisodeBatch
from tests.benchmarks.few_shot_peers import ALPHA, library

Side = Callable[[], object]
SCANNED = 100  # meta-steps in one call of `scan`
BETA = 1e-3


def sinusoid_sides(tasks: EpisodeBatch, steps: int) -> dict[str, tuple[Side, int]]:
    """Return second-order MAML with Adam; each side, and its meta-steps a call.

    Args:
        tasks: Episodes of regression.
        steps: Inner steps.
    """
    jax = library("jax")
    if jax is None:
        return {}
    shots = (tasks.support, tasks.query)
    data = [jax.numpy.asarray(t.numpy()) for s in shots for t in (s.x, s.y)]
    step = _meta_step(jax, steps)
    once = jax.jit(step)

    def scan(state: Any, data: Any) -> Any:
        return jax.lax.scan(lambda s, _: (step(s, data), None), state, None, SCANNED)[0]

    many, weights = jax.jit(scan), _weights(jax)
    zeros = [jax.numpy.zeros_like(weight) for weight in weights]
    start = (weights, zeros, zeros), jax.numpy.zeros(())
    return {
        "JAX jit": (repeat_call(jax, once, start, data), 1),
        f"JAX scan of {SCANNED}": (repeat_call(jax, many, start, data), SCANNED),
    }


def repeat_call(jax: Any, step: Any, start: Any, data: Any) -> Side:
    """Return a function that goes on from where its last call ended."""
    held = [start]

    def call() -> object:
        held[0] = jax.block_until_ready(step(held[0], data))
        return held[0]

    return call


def _weights(jax: Any) -> list[Any]:
    draw = torch.Generator().manual_seed(0)
    sizes = (1, 40, 40, 1)
    layers = []
    for i in range(3):
        spread = sizes[i] ** -0.5 / 2  # smaller than usual: no step may diverge
        weight = spread * torch.randn(sizes[i + 1], sizes[i], generator=draw)
        layers += [weight, torch.zeros(sizes[i + 1], 1)]
    return [jax.numpy.asarray(tensor.numpy()) for tensor in layers]


def _meta_step(jax: Any, steps: int) -> Callable[[Any, Any], Any]:
    """Return one meta-step: weights and Adam's moments, then the data."""

    def loss(w: Any, x: Any, y: Any) -> Any:
        for i in (0, 2):
            x = jax.nn.relu(w[i] @ x + w[i + 1])
        return ((w[4] @ x + w[5])[0] - y).__pow__(2).mean()

    def adapted_loss(w: Any, x: Any, y: Any, held_x: Any, held_y: Any) -> Any:
        fast = w
        for _ in range(steps):
            slopes = jax.grad(loss)(fast, x, y)
            fast = [a - ALPHA * b for a, b in zip(fast, slopes, strict=True)]
        return loss(fast, held_x, held_y)

    def mean_loss(w: Any, data: Any) -> Any:
        return jax.vmap(adapted_loss, (None, 0, 0, 0, 0))(w, *data).mean()

    def step(state: Any, data: Any) -> Any:
        return adam_step(jax, state, jax.grad(mean_loss)(state[0][0], data))

    return step


def adam_step(jax: Any, state: Any, slopes: Any) -> Any:
    """Return weights, both moments and the step count after a step of Adam."""
    (weights, first, second), t = state

    def move(w: Any, g: Any, m: Any, v: Any) -> tuple[Any, Any, Any]:
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        root = jax.numpy.sqrt(v / (1 - 0.999 ** (t + 1))) + 1e-8
        return w - BETA * m / (1 - 0.9 ** (t + 1)) / root, m, v

    moved = [move(*e) for e in zip(weights, slopes, first, second, strict=True)]
    return tuple(map(list, zip(*moved, strict=True))), t + 1
