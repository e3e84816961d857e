"""Perturbed copies of meta-weights ("particles"), and gradients from their losses.

Evolution strategies and persistent evolution strategies share these functions.
Particles come in antithetic pairs on the same task and the same initial weights, so
that two losses of a pair differ by the perturbation alone.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from engine.contract.rng import Rng
from engine.protocol import UnrollableProblem, Weights, generator


def draw_noise(
    weights: Weights, rngs: Sequence[Rng], shape: tuple[int, int]
) -> Weights:
    """Draw standard normal noise.

    Args:
        weights: The weights to perturb; shape (replicate, …).
        rngs: One stream per replicate.
        shape: Numbers of pairs and tasks. Each pair on each task has its own noise,
            which covers more directions for the same number of runs.

    Returns:
        Noise for each weight; shape (replicate, pair, task, …).
    """
    drawn: dict[str, list[np.ndarray]] = {name: [] for name in weights}
    for rng in rngs:
        draw = generator(rng.child("particles"))
        # Sorted, so that noise does not depend on the order of a dict.
        for name in sorted(weights):
            size = (*shape, *weights[name].shape[1:])
            drawn[name].append(draw.standard_normal(size))
    return {
        name: torch.from_numpy(np.stack(drawn[name])).to(weights[name])
        for name in weights
    }


def perturb_weights(weights: Weights, noise: Weights, sigma: float) -> Weights:
    """Return w + σε, then w − σε.

    Args:
        weights: w; shape (replicate, …).
        noise: ε; shape (replicate, pair, task, …). A weight without noise is copied.
        sigma: σ.

    Returns:
        Shape (replicate, sign × pair × task, …).
    """
    pairs, tasks = next(iter(noise.values())).shape[1:3]
    spread = {}
    for name, weight in weights.items():
        lead = weight[:, None]
        if name in noise:
            step = sigma * noise[name].flatten(1, 2)
            spread[name] = torch.cat([lead + step, lead - step], 1)
        else:
            spread[name] = torch.cat([lead] * (2 * pairs * tasks), 1)
    return spread


def perturbable_weights(weights: Weights, problem: UnrollableProblem) -> Weights:
    """Return the weights that the mean action depends on; the others are not perturbed.

    Args:
        weights: All meta-weights; shape (replicate, …).
        problem: Names the exploration weights.
    """
    return {k: v for k, v in weights.items() if k not in problem.exploration_weights}


def prepend_mean(weights: Weights, particles: Weights, tasks: int) -> Weights:
    """Put the unperturbed weights, once per task, before the particles.

    Args:
        weights: Shape (replicate, …).
        particles: Shape (replicate, particle × task, …).
        tasks: Number of tasks.
    """
    return {
        name: torch.cat([*[weight[:, None]] * tasks, particles[name]], 1)
        for name, weight in weights.items()
    }


def antithetic_differences(scores: Tensor) -> Tensor:
    """Return L⁺ − L⁻ of each pair and task, averaged over steps.

    Args:
        scores: Objective; shape (replicate, sign × pair, task, step).

    Returns:
        Differences; shape (replicate, pair, task).
    """
    above, below = scores.mean(3).chunk(2, dim=1)
    return above - below


def es_gradient(xi: Weights, gap: Tensor, sigma: float) -> Weights:
    """Return the mean over pairs and tasks of ξ (L⁺ − L⁻) / 2σ².

    Args:
        xi: ξ, noise scaled by σ (in PES, summed over unrolls); shape (replicate, pair,
            task, …).
        gap: L⁺ − L⁻; shape (replicate, pair, task).
        sigma: σ, the standard deviation of one unroll's noise.

    Returns:
        The gradient; shape (replicate, …).
    """
    count = 2 * sigma**2 * gap.shape[1] * gap.shape[2]
    return {
        name: torch.einsum("rpt,rpt...->r...", gap, noise) / count
        for name, noise in xi.items()
    }


def fill_zero_gradients(grads: Weights, weights: Weights) -> Weights:
    """Return the gradients, with zeros for weights that have none."""
    return {k: grads.get(k, torch.zeros_like(v)) for k, v in weights.items()}


def split_replicates(state: Weights, replicates: int) -> Weights:
    """Split (replicate × member, …) into (replicate, member, …), the form of memory."""
    return {k: v.unflatten(0, (replicates, -1)) for k, v in state.items()}


def merge_replicates(state: Weights) -> Weights:
    """Undo `split_replicates`: problems have one axis for replicates and members."""
    return {k: v.flatten(0, 1) for k, v in state.items()}


def repeat_particles(state: Weights, particles: int) -> Weights:
    """Copy each state; (replicate, task, …) → (replicate, particle × task, …)."""
    return {k: torch.cat([v] * particles, 1) for k, v in state.items()}
