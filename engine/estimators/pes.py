"""Persistent evolution strategies: unbiased gradients from truncated unrolls.

Source: Vicol, Metz and Sohl-Dickstein (2021), arXiv:2112.13835, algorithm 2.
Differs: each pair has its own tasks and noise; all restart together, after each
horizon. σ is 0.1 by default, 0.01 in the authors' library of learned optimizers.
Helps: the default; no short-horizon bias, and no gradient through a long, chaotic
unroll.
"""

from typing import ClassVar

from engine.algorithms.optimization.perturbations import (
    antithetic_differences,
    draw_noise,
    es_gradient,
    fill_zero_gradients,
    merge_replicates,
    perturb_weights,
    perturbable_weights,
    split_replicates,
)
from engine.contract.registry import register
from engine.estimators._evolution_strategy import ParticleEstimator
from engine.protocol import (
    Meta,
    Outer,
    OuterStepContext,
    UnrollableProblem,
    UnrollWindow,
    Weights,
)


@register("estimator")
class Pes(ParticleEstimator):
    """ĝ = 1/2nσ² Σᵢ ξᵢ (L⁺ᵢ − L⁻ᵢ), ξᵢ the sum of run i's noise σε since its start."""

    version: ClassVar[int] = 2
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})

    def cost(self, horizon: int) -> float:
        """Return task evaluations: every particle runs one unroll."""
        return 2 * self.pairs_per_task * self.window_length(horizon) / horizon

    def memory(self, weights: Weights, problem: UnrollableProblem) -> Weights:
        """Return the particles' initial states, and zero accumulated noise."""
        sums = {
            f"xi.{name}": w.new_zeros(
                w.shape[0], self.pairs_per_task, problem.tasks, *w.shape[1:]
            )
            for name, w in perturbable_weights(weights, problem).items()
        }
        state = split_replicates(
            problem.begin(2 * self.pairs_per_task), problem.replicates
        )
        return sums | {f"state.{name}": value for name, value in state.items()}

    def estimate(
        self, meta: Meta, problem: UnrollableProblem, step_context: OuterStepContext
    ) -> Outer:
        """Perturb, unroll one segment, and weight it by the accumulated noise."""
        memory = meta.memory
        if step_context.segment == 0:
            memory = self.memory(meta.weights, problem)
        start, length = self.window(step_context, problem.horizon)
        shape = self.pairs_per_task, problem.tasks
        noise = draw_noise(
            perturbable_weights(meta.weights, problem), step_context.rngs, shape
        )
        theta = perturb_weights(meta.weights, noise, self.sigma)
        state = {k[6:]: v for k, v in memory.items() if k.startswith("state.")}
        span = UnrollWindow(start, length, particles=2 * self.pairs_per_task)
        state, scores, _ = problem.segment(
            merge_replicates(theta), merge_replicates(state), span
        )
        # The sum over unrolls is what removes the short-horizon bias of ES.
        xi = {k: memory[f"xi.{k}"] + self.sigma * e for k, e in noise.items()}
        by_task = scores.unflatten(0, (problem.replicates, 2 * self.pairs_per_task, -1))
        gap = antithetic_differences(by_task)
        grads = fill_zero_gradients(es_gradient(xi, gap, self.sigma), meta.weights)
        kept = {f"xi.{name}": value for name, value in xi.items()}
        after = split_replicates(state, problem.replicates)
        kept |= {f"state.{name}": value for name, value in after.items()}
        return Outer(kept, {"meta_loss": by_task.mean((1, 2, 3))}, grads)
