"""Evolution strategies: the gradient of a smoothed loss, from perturbed runs.

Source: Rechenberg (1973); Salimans et al. (2017), arXiv:1703.03864, section 2;
truncated as in Vicol et al. (2021), arXiv:2112.13835, algorithm 1.
Differs: antithetic pairs, each with its own tasks and noise.
Helps: needs no gradient through the unroll, so chaotic training does not hurt it. Over
the full horizon it is unbiased; truncated, each unroll ignores the effect of earlier
noise, so it is biased toward short-term gains. PES corrects this.
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
    prepend_mean,
    repeat_particles,
    split_replicates,
)
from engine.contract.registry import register
from engine.estimators._evolution_strategy import ParticleEstimator, unroll_knob
from engine.protocol import (
    Meta,
    Outer,
    OuterStepContext,
    UnrollableProblem,
    UnrollWindow,
    Weights,
)


@register("estimator")
class Es(ParticleEstimator):
    """ĝ = 1/2nσ² Σᵢ ξᵢ (L(θ + ξᵢ) − L(θ − ξᵢ)), ξᵢ = σεᵢ, from the mean run's state."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})

    unroll: int = unroll_knob(
        5000, "Steps of each perturbed run; shorter than the horizon is biased."
    )

    def cost(self, horizon: int) -> float:
        """Return task evaluations: of the particles and, if truncated, the mean run."""
        return self._particles(horizon) * self.window_length(horizon) / horizon

    def _particles(self, horizon: int) -> int:
        # Truncated, an unperturbed run is added: later unrolls start from its state.
        return 2 * self.pairs_per_task + (self.window_length(horizon) < horizon)

    def memory(self, weights: Weights, problem: UnrollableProblem) -> Weights:
        """Return the initial state of the base learners."""
        return split_replicates(problem.begin(1), problem.replicates)

    def estimate(
        self, meta: Meta, problem: UnrollableProblem, step_context: OuterStepContext
    ) -> Outer:
        """Run all pairs from the unperturbed run's state, and continue that run."""
        memory = meta.memory
        if step_context.segment == 0:
            memory = self.memory(meta.weights, problem)
        start, length = self.window(step_context, problem.horizon)
        shape = self.pairs_per_task, problem.tasks
        noise = draw_noise(
            perturbable_weights(meta.weights, problem), step_context.rngs, shape
        )
        theta = perturb_weights(meta.weights, noise, self.sigma)
        particles = self._particles(problem.horizon)
        if particles > 2 * self.pairs_per_task:
            theta = prepend_mean(meta.weights, theta, problem.tasks)
        state = merge_replicates(repeat_particles(memory, particles))
        span = UnrollWindow(start, length, particles=particles)
        state, scores, _ = problem.segment(merge_replicates(theta), state, span)
        by_task = scores.unflatten(0, (problem.replicates, particles, -1))
        xi = {name: self.sigma * e for name, e in noise.items()}
        gap = antithetic_differences(by_task[:, -2 * self.pairs_per_task :])
        grads = es_gradient(xi, gap, self.sigma)
        # Only the first particle's state is kept: the mean run, if there is one.
        after = split_replicates(state, problem.replicates)
        kept = {name: value[:, : by_task.shape[2]] for name, value in after.items()}
        info = {"meta_loss": by_task.mean((1, 2, 3))}
        return Outer(kept, info, fill_zero_gradients(grads, meta.weights))
