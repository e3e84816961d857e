"""Particles: perturbed copies of meta-weights, and a gradient from their losses.

Evolution strategies and their persistent form share these functions. Particles
come in antithetic pairs, both on the same task from the same weights, so that what
differs between two losses is the perturbation alone.
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
    """Draw standard normal noise; (replicate, pair, task, …) for each weight.

    Args:
        weights: What is perturbed; shape (replicate, …).
        rngs: One stream per replicate.
        shape: How many pairs and tasks: each pair on each task has noise of its
            own, which covers more directions for the same number of runs.
    """
    drawn: dict[str, list[np.ndarray]] = {name: [] for name in weights}
    for rng in rngs:
        draw = generator(rng.child("particles"))
        for name in sorted(weights):
            size = (*shape, *weights[name].shape[1:])
            drawn[name].append(draw.standard_normal(size))
    return {
        name: torch.from_numpy(np.stack(drawn[name])).to(weights[name])
        for name in weights
    }


def perturb_weights(weights: Weights, noise: Weights, sigma: float) -> Weights:
    """Return w + σε then w − σε; (replicate, sign × pair × task, …).

    A weight that no noise is drawn for is copied as it is.
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
    """Return the weights that the mean action depends on: the others stay."""
    return {k: v for k, v in weights.items() if k not in problem.exploration_weights}


def prepend_mean(weights: Weights, particles: Weights, tasks: int) -> Weights:
    """Put the unperturbed weights, once for each task, before the particles."""
    return {
        name: torch.cat([*[weight[:, None]] * tasks, particles[name]], 1)
        for name, weight in weights.items()
    }


def antithetic_differences(scores: Tensor) -> Tensor:
    """Return L⁺ − L⁻ of each pair and task, the mean over steps.

    Args:
        scores: Objective; shape (replicate, sign × pair, task, step).

    Returns:
        Differences; shape (replicate, pair, task).
    """
    above, below = scores.mean(3).chunk(2, dim=1)
    return above - below


def es_gradient(xi: Weights, gap: Tensor, sigma: float) -> Weights:
    """Return mean over pairs and tasks of ξ (L⁺ − L⁻) / 2σ²; (replicate, …).

    Args:
        xi: Noise of size σ, of each pair and task; shape (replicate, pair, task, …).
        gap: L⁺ − L⁻; shape (replicate, pair, task).
        sigma: Size of one step's noise.
    """
    count = 2 * sigma**2 * gap.shape[1] * gap.shape[2]
    return {
        name: torch.einsum("rpt,rpt...->r...", gap, noise) / count
        for name, noise in xi.items()
    }


def fill_zero_gradients(grads: Weights, weights: Weights) -> Weights:
    """Give every weight that has no gradient a zero one."""
    return {k: grads.get(k, torch.zeros_like(v)) for k, v in weights.items()}


def split_replicates(state: Weights, replicates: int) -> Weights:
    """Give every tensor the replicate axis first, as all memory has it."""
    return {k: v.unflatten(0, (replicates, -1)) for k, v in state.items()}


def merge_replicates(state: Weights) -> Weights:
    """Put replicates and members into one axis again, as problems have it."""
    return {k: v.flatten(0, 1) for k, v in state.items()}


def repeat_particles(state: Weights, particles: int) -> Weights:
    """Copy each state; (replicate, task, …) → (replicate, particle × task, …)."""
    return {k: torch.cat([v] * particles, 1) for k, v in state.items()}
