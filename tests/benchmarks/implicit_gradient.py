"""iMAML's gradient beside the one through an unroll, and how near its steps come.

The tasks are sinusoids, K = 10, and the net is MAML's.
"""

import torch

from engine.algorithms.few_shot.implicit_gradients import proximal_sgd
from engine.algorithms.few_shot.inner_loop import adapt_weights
from engine.algorithms.few_shot.outer_gradient import outer_gradient
from engine.contract.rng import Rng
from engine.estimators.unroll import Unroll
from engine.learners.gradient.imaml import Imaml
from engine.nets.initialization import Start
from engine.nets.mlp import Mlp
from engine.outers.adam import Adam
from engine.protocol import BatchSpec, EpisodeBatch, Meta, OuterStepContext, Setting
from engine.tasks.few_shot.sinusoids import Sinusoids

# A pull of 10, the default, makes the held objective convex at a fresh start; with 2,
# as for Omniglot, it is not, 2000 steps do not arrive, and no implicit gradient exists.
UNROLL, PULL, RATE, FEW = 100, 10.0, 0.001, 8


def drawn(seed: int, place: int, start: Start = "he") -> EpisodeBatch:
    """Draw a few waves."""
    family = Sinusoids()
    rngs = [Rng(seed).child("waves", place, t) for t in range(FEW)]
    net = Mlp(depth=2, width=40, start=start)
    setting = Setting(family, net, 1)
    return family.draw(setting, rngs, "train", BatchSpec(dtype=torch.float64))


def trained(
    learner: Imaml, meta: Meta, steps: int, seed: int, start: Start = "he"
) -> Meta:
    """Train for some meta-steps."""
    outer = Adam(lr=0.001, clip=0.0)
    state = outer.start(meta.weights)
    for step in range(1, steps + 1):
        step_context = OuterStepContext(step, 0, 1, (Rng(seed),))
        tasks = drawn(seed, step, start)
        grads = learner.outer(meta, tasks, step_context, Unroll()).grads
        assert grads is not None
        weights, state = outer.step(meta.weights, grads, state)
        meta = Meta(weights, {})
    return meta


def cosine(learner: Imaml, meta: Meta, tasks: EpisodeBatch) -> float:
    """Compare the implicit meta-gradient with the one through an unroll."""

    def lost(theta: dict[str, torch.Tensor], batch: EpisodeBatch) -> torch.Tensor:
        rule = proximal_sgd(RATE, PULL, theta)
        return batch.loss(
            adapt_weights(batch, theta, rule, UNROLL, order=2), batch.query
        )

    step_context = OuterStepContext(0, 0, 1, (Rng(0),))
    one = learner.outer(meta, tasks, step_context, Unroll()).grads
    two = outer_gradient(meta, tasks, lost).grads
    assert one is not None and two is not None
    rows = [torch.cat([g.flatten() for g in grads.values()]) for grads in (one, two)]
    return float(torch.cosine_similarity(*rows, 0))


def steepness(learner: Imaml, meta: Meta, tasks: EpisodeBatch) -> float:
    """Return how large the held objective's gradient is where adaptation ends."""
    theta = {n: v.expand(FEW, *v.shape[1:]) for n, v in meta.weights.items()}
    rule = proximal_sgd(RATE, PULL, theta)
    ends = adapt_weights(tasks, theta, rule, learner.inner_steps)
    further = adapt_weights(tasks, ends, proximal_sgd(RATE, PULL, theta), 1)
    rows = torch.cat([(further[n] - ends[n]).flatten(1) for n in ends], 1)
    return float(rows.norm(dim=1).mean()) / RATE


def way_left(learner: Imaml, meta: Meta, tasks: EpisodeBatch) -> float:
    """Return what share of the way to the inner optimum adaptation leaves, median."""
    theta = {n: v.expand(FEW, *v.shape[1:]) for n, v in meta.weights.items()}
    rate, pull = learner.inner_lr, learner.pull
    rule = proximal_sgd(rate, pull, theta)
    ends = adapt_weights(tasks, theta, rule, learner.inner_steps)
    best = adapt_weights(tasks, ends, rule, 400)
    # Smaller steps at last: at a kink of the rectifier, larger ones go to and fro.
    best = adapt_weights(tasks, best, proximal_sgd(rate / 10, pull, theta), 800)
    far, whole = (
        torch.cat([(best[n] - at[n]).detach().flatten(1) for n in best], 1).norm(dim=1)
        for at in (ends, theta)
    )
    return float((far / whole).median())
