"""Persistent evolution strategies: unbiased gradients from truncated unrolls.

Source: Vicol, Metz and Sohl-Dickstein (2021), arXiv:2112.13835, algorithm 2.
Differs: antithetic pairs share tasks and restart together, after each horizon.
Helps: the default; no short-horizon bias, and no gradient through long chaos.
"""

from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from engine.contract.knobs import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import (
    Estimator,
    Lesson,
    Meta,
    Outer,
    Span,
    Unrolled,
    Weights,
    generator,
)


@register("estimator")
class Pes(Estimator):
    """ĝ = 1/(2nσ²) Σᵢ ξᵢ (L⁺ᵢ − L⁻ᵢ), ξᵢ the sum of pair i's noise since its start."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"landscapes"})

    sigma: float = knob(
        0.1, label="Noise σ", low=1e-4, high=2.0, log=True,
        help="Size of the perturbations of the meta-weights.",
    )  # fmt: skip
    pairs: int = knob(
        4, label="Antithetic pairs", unit="pairs", low=1, high=64,
        help="More pairs: less noise in the gradient, more cost.",
    )  # fmt: skip
    unroll: int = knob(
        25, label="Unroll length", unit="steps", low=1, high=5000,
        help="Inner steps between two outer steps.",
    )  # fmt: skip

    def span(self, horizon: int) -> int:
        """Return the unroll length, at most the horizon."""
        return min(self.unroll, horizon)

    def cost(self, horizon: int) -> float:
        """Return task evaluations: every particle runs one unroll."""
        return 2 * self.pairs * self.span(horizon) / horizon

    def memory(self, weights: Weights, problem: Unrolled) -> Weights:
        """Return particle states at the start, and no noise summed yet."""
        sums = {f"xi.{k}": _no_noise(v, self.pairs) for k, v in weights.items()}
        state = problem.begin(2 * self.pairs)
        return sums | {f"state.{k}": v for k, v in _led(state, problem).items()}

    def estimate(self, meta: Meta, problem: Unrolled, lesson: Lesson) -> Outer:
        """Perturb, unroll one segment, and weigh it by all noise so far."""
        memory = meta.memory
        if lesson.segment == 0:
            memory = self.memory(meta.weights, problem)
        start = lesson.segment * self.span(problem.horizon)
        length = min(self.span(problem.horizon), problem.horizon - start)
        noise = draw_noise(meta.weights, lesson.rngs, self.pairs)
        theta = perturbed(meta.weights, noise, self.sigma)
        state = {k[6:]: v.flatten(0, 1) for k, v in memory.items() if k[:6] == "state."}
        span = Span(start, length, particles=2 * self.pairs)
        state, scores, _ = problem.segment(theta, state, span)
        # (replicate, sign, pair): each particle's mean over its tasks and steps
        loss = scores.mean(1).reshape(problem.replicates, 2, self.pairs, -1).mean(-1)
        xi = {k: memory[f"xi.{k}"] + self.sigma * e for k, e in noise.items()}
        kept = {f"xi.{k}": v for k, v in xi.items()}
        kept |= {f"state.{k}": v for k, v in _led(state, problem).items()}
        grads = weigh(xi, loss[:, 0] - loss[:, 1], self.sigma)
        return Outer(kept, {"meta_loss": loss.mean((1, 2))}, grads)


def draw_noise(weights: Weights, rngs: tuple[Rng, ...], pairs: int) -> Weights:
    """Draw standard normal noise; shape (replicate, pair, …) for each weight."""
    drawn: dict[str, list[np.ndarray]] = {name: [] for name in weights}
    for rng in rngs:
        draw = generator(rng.child("particles"))
        for name in sorted(weights):
            shape = (pairs, *weights[name].shape[1:])
            drawn[name].append(draw.standard_normal(shape))
    return {
        name: torch.from_numpy(np.stack(drawn[name])).to(weights[name])
        for name in weights
    }


def perturbed(weights: Weights, noise: Weights, sigma: float) -> Weights:
    """Return w + σε then w − σε; (replicate × sign × pair, …)."""
    return {
        name: torch.cat(
            [w[:, None] + sigma * noise[name], w[:, None] - sigma * noise[name]], 1
        ).flatten(0, 1)
        for name, w in weights.items()
    }


def weigh(noise: Weights, difference: Tensor, sigma: float) -> Weights:
    """Return mean over pairs of noise × (L⁺ − L⁻) / 2σ²; (replicate, …)."""
    return {
        name: torch.einsum("rp,rp...->r...", difference, xi)
        / (2 * sigma**2 * xi.shape[1])
        for name, xi in noise.items()
    }


def _no_noise(weights: Tensor, pairs: int) -> Tensor:
    return torch.zeros_like(weights[:, None]).repeat_interleave(pairs, 1)


def _led(state: Weights, problem: Unrolled) -> Weights:
    """Give every tensor the replicate axis first, as all memory has it."""
    return {k: v.unflatten(0, (problem.replicates, -1)) for k, v in state.items()}
