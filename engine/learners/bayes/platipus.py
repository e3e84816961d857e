"""PLATIPUS: MAML whose initial weights are a distribution, sampled for each task.

Source: Finn, Xu and Levine (2018), arXiv:1806.02817, algorithms 1 and 2.
Differs: log s lies between −6 and 0 by a sigmoid; a clamp would have no gradient
beyond its bounds. The divergence is weighed as in the evidence lower bound: λ times
2σ²/n for n queries of noise σ, λ/n for classes. σ² is the moving average of
expectation maximization over meta-training's queries. All derivatives are of second
order. At test, the tasks of a replicate share their draws of N(0, 1), so that a
prediction does not depend on which tasks are predicted with it.
Helps: where a few examples leave several functions open: each sample adapts to one of
them, and samples differ where the support says little.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor

from engine.algorithms.few_shot.gradient_learner import Adaptation
from engine.algorithms.few_shot.inner_loop import adapt_weights, trainable_names
from engine.algorithms.few_shot.inner_rules import sgd, sgd_with_rates
from engine.algorithms.few_shot.knobs import particles_knob, training_share_knob
from engine.algorithms.few_shot.outer_gradient import outer_gradient
from engine.algorithms.few_shot.particle_learner import (
    ParticleLearner,
    TrainingRecord,
    adapt_in_training,
    initial_noise,
    particle_losses,
)
from engine.algorithms.few_shot.particles import (
    NOISE,
    repeat_members,
    standard_normals,
    update_noise,
)
from engine.algorithms.few_shot.running_statistics import update_statistics
from engine.algorithms.initial_weights import draw_weights
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import (
    EpisodeBatch,
    Estimator,
    Meta,
    Outer,
    OuterStepContext,
    TaskBatch,
    Weights,
    generator,
)

LOWEST = -6.0  # the lower bound of log s
KEYS = 1 << 24  # float32 holds whole numbers up to here
DRAW, PRIOR, POSTERIOR = "draw.", "prior_sd.", "posterior_sd."


@register("learner")
class Platipus(ParticleLearner):
    """θ ~ N(μ − γ_p ∇L_S(μ), s_p²), φ ← θ − α ∇L_S(θ); trained on L_Q(φ) + λ KL(q‖p).

    In meta-training θ ~ q = N(μ − γ_q ∇L_Q(μ), s_q²). All but α and λ are learned.
    """

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "orange"
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    trains: ClassVar[bool] = True

    particles: int = particles_knob(label="Samples at test")
    prior_rate: float = knob(
        0.01,
        label="Initial prior step γ_p",
        unit="per step",
        low=0.0,
        high=10.0,
        help="Moves the prior's mean along the support's gradient; learned from this "
        "value on.",
    )
    posterior_rate: float = knob(
        0.01,
        label="Initial posterior step γ_q",
        unit="per step",
        low=0.0,
        high=10.0,
        help="Moves the mean of q along the queries' gradient; learned from this value "
        "on.",
    )
    deviation: float = knob(
        0.1,
        label="Initial deviation s",
        low=0.01,
        high=0.9,
        log=True,
        help="Standard deviation of every weight under prior and q; learned from this "
        "value on.",
    )
    divergence_weight: float = knob(
        1.0,
        label="KL weight λ",
        low=0.0,
        high=100.0,
        help="1 is the evidence lower bound; less lets q go further from the prior.",
    )
    rise: float = training_share_knob(
        0.0,
        label="KL weight rises for",
        help="Share of meta-training during which λ rises from 0 to its value.",
    )

    @property
    def gradients_per_episode(self) -> float:
        """Return the steps of prior, q and sample, differentiated again, and outer."""
        return 2.0 * self.inner_steps + 5.0

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Draw μ as every net is drawn; deviations and rates start the same in all."""
        assert isinstance(tasks, EpisodeBatch)
        like = tasks.support.x
        weights = draw_weights(tasks.net, tasks.layout, rngs, like)
        share = math.log(self.deviation) / LOWEST
        for name in trainable_names(tasks):
            raw = torch.full_like(weights[name], math.log(share / (1.0 - share)))
            weights |= {f"{PRIOR}{name}": raw, f"{POSTERIOR}{name}": raw.clone()}
        weights["prior_rate"] = like.new_full((len(rngs),), self.prior_rate)
        weights["posterior_rate"] = like.new_full((len(rngs),), self.posterior_rate)
        keys = [int(generator(r.child("draws")).integers(KEYS)) for r in rngs]
        weights["draws"] = like.new_tensor(keys)
        return Meta(weights | initial_noise(rngs, tasks), {})

    def adaptation(self, theta: Weights, tasks: EpisodeBatch) -> Adaptation:
        """Start each sample at a draw from the prior given the support."""
        mean = {name: theta[name].detach() for name in tasks.layout.names}
        prior = self._move(mean, theta["prior_rate"], tasks, 0)
        draws = prior_draws(theta["draws"], self.particles, tasks)
        start = repeat_members(prior, self.particles)
        for name in trainable_names(tasks):
            sd = log_deviation(theta[f"{PRIOR}{name}"].detach()).exp()
            spread = sd.repeat_interleave(self.particles, 0)
            start[name] = torch.addcmul(start[name], spread, draws[name])
        return Adaptation(start, sgd(self.inner_lr, self.inner_clip))

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Differentiate the loss of one sample of q per task, and q's divergence."""
        assert isinstance(tasks, EpisodeBatch)
        record, each = TrainingRecord(), tasks.members // tasks.replicates
        streams = [r.child("draw", t) for r in step_context.rngs for t in range(each)]
        draws = standard_normals(tasks, streams)
        done = min(1.0, step_context.share_done / self.rise) if self.rise else 1.0
        found = outer_gradient(
            meta,
            tasks,
            partial(self._loss, self.divergence_weight * done, record),
            noise={f"{DRAW}{name}": value for name, value in draws.items()},
        )
        # No outer rule may change the key of the draws, not even by weight decay.
        return found._replace(
            statistics={"draws": meta.weights["draws"]}
            | update_noise(meta.weights, record.variances, tasks.replicates)
            | update_statistics(meta.weights, record.statistics, tasks.replicates)
        )

    def _loss(
        self,
        divergence_weight: float,
        record: TrainingRecord,
        theta: Weights,
        tasks: EpisodeBatch,
    ) -> Tensor:
        """Return the negative evidence lower bound, in units of the query loss."""
        mean = {name: theta[name] for name in tasks.layout.names}
        seen = replace(tasks, support=tasks.query)
        posterior = self._move(mean, theta["posterior_rate"], seen, 2)
        prior = self._move(mean, theta["prior_rate"], tasks, 2)
        start, total = dict(mean), torch.zeros_like(theta["prior_rate"])
        for name in trainable_names(tasks):
            log_q = log_deviation(theta[f"{POSTERIOR}{name}"])
            log_p = log_deviation(theta[f"{PRIOR}{name}"])
            start[name] = torch.addcmul(
                posterior[name], log_q.exp(), theta[f"{DRAW}{name}"]
            )
            total = total + divergence(posterior[name], log_q, prior[name], log_p)
        path = Adaptation(start, sgd(self.inner_lr, self.inner_clip))
        last = adapt_in_training(path, tasks, 1, self.inner_steps, record)
        loss = particle_losses(theta, tasks, last, 1, record)[:, 0]
        unit = 1.0 if tasks.has_classes else 2.0 * theta[NOISE].detach()
        return loss + divergence_weight / tasks.query.count * unit * total

    def _move(
        self, mean: Weights, rate: Tensor, tasks: EpisodeBatch, order: int
    ) -> Weights:
        """Return the mean after one gradient step on the support at a learned rate."""
        rates = {n: rate.view(-1, *[1] * (v.dim() - 1)) for n, v in mean.items()}
        rule = sgd_with_rates(lambda step: rates, self.inner_clip)
        return adapt_weights(tasks, mean, rule, 1, order=order)


def log_deviation(raw: Tensor) -> Tensor:
    """Return log s, from −6 to 0, of the number that is learned in its place."""
    return LOWEST * raw.sigmoid()


def prior_draws(keys: Tensor, count: int, tasks: EpisodeBatch) -> Weights:
    """Return the draws of N(0, 1) with which the prior is sampled at test.

    Args:
        keys: The number of each member's replicate; shape (member,).
        count: Samples per member; more of them leave the earlier ones unchanged.
        tasks: The episodes, for the net's layout.

    Returns:
        Shape (member × sample, …).
    """
    found, member = keys.unique(return_inverse=True)
    streams = [Rng(int(k)).child("sample", i) for k in found for i in range(count)]
    drawn = standard_normals(tasks, streams)
    return {
        name: value.unflatten(0, (-1, count))[member].flatten(0, 1)
        for name, value in drawn.items()
    }


def divergence(mean_q: Tensor, log_q: Tensor, mean_p: Tensor, log_p: Tensor) -> Tensor:
    """Return KL(q ‖ p) of normal distributions with diagonal covariances.

    Args:
        mean_q: Mean of q; shape (member, …), as all.
        log_q: Log of its standard deviations.
        mean_p: Mean of p.
        log_p: Log of its standard deviations.

    Returns:
        Nats; shape (member,).
    """
    square = (2.0 * (log_q - log_p)).exp() + ((mean_q - mean_p) / log_p.exp()).square()
    return (log_p - log_q + 0.5 * square - 0.5).flatten(1).sum(1)
