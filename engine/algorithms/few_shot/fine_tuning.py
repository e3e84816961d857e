"""Training on all classes at once, and fitting a support by plain gradient steps.

Pretraining sees the same episodes as meta-learners do, support and queries alike,
but is told which class of all a row belongs to. What is fitted to a support is
described by a `FitProblem`; rate and number of steps are meta-weights, `lr` and
`steps`, given or chosen on validation episodes by `engine.runner.adaptation_tuning`.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar, Literal, NamedTuple

import torch
from torch import Tensor

from engine.algorithms.few_shot.embedding_distances import (
    class_means,
    cosines,
    embed_examples,
)
from engine.algorithms.few_shot.few_shot_learner import FewShotLearner, outer_gradient
from engine.algorithms.few_shot.inner_loop import (
    InnerRule,
    InnerState,
    distance,
    layer_grad_norms,
)
from engine.contract.parts import knob
from engine.protocol import (
    Compile,
    EpisodeBatch,
    ExampleBatch,
    Layout,
    Meta,
    Outer,
    Prediction,
    TaskBatch,
    Weights,
    run_eagerly,
)

CHOSEN = ("lr", "steps")
SHOWN = tuple(m * 10**e for e in range(4) for m in (1, 2, 5))


class FitProblem(NamedTuple):
    """What is fitted to a support.

    Args:
        start: The weights that move; shape (member, …).
        lost: These weights → loss on the support; shape (member,).
        answer: These weights → answers to the queries.
        layers: Their names, layer by layer.
    """

    start: Weights
    loss: Callable[[Weights], Tensor]
    answer: Callable[[Weights], Tensor]
    layers: tuple[tuple[str, ...], ...]


class FineTuningLearner(FewShotLearner):
    """A learner that fits something to each support by gradient descent."""

    tunable: ClassVar[bool] = True
    # Its rate is chosen once training is over: until then a check, made at the given
    # rate, can blow up on every task, and would then keep a net that saw none.
    keeps_last: ClassVar[bool] = True

    lr: float = knob(
        0.01,
        label="Fine-tuning rate",
        unit="per step",
        low=1e-6,
        high=100.0,
        log=True,
        help="Size of each step on the support, where it is not tuned.",
    )
    steps: int = knob(
        50,
        label="Fine-tuning steps",
        unit="steps",
        low=0,
        high=1000,
        help="Steps on the support; where the rate is tuned, the most that are tried.",
    )
    momentum: float = knob(
        0.9,
        label="Momentum",
        low=0.0,
        high=0.999,
        help="Share of the last step that is taken again.",
        advanced=True,
    )
    tuning: Literal["given", "tuned"] = knob(
        "tuned",
        label="Rate and steps are",
        help="Tuned: those that do best on validation episodes, once training is over.",
    )

    @abstractmethod
    def fit_problem(self, theta: Weights, tasks: EpisodeBatch) -> FitProblem:
        """Say what is fitted to the supports, from where."""

    def answer_step(self, meta: Meta) -> int:
        """Return the number of steps that is given or was chosen."""
        chosen = meta.weights.get("steps")
        return self.steps if chosen is None else int(chosen.max())

    def rate_and_steps(self, replicates: int, tasks: EpisodeBatch) -> Weights:
        """Return the given rate and steps as meta-weights."""
        like = tasks.support.x
        steps = like.new_full((replicates,), float(self.steps))
        return {"lr": like.new_full((replicates,), self.lr), "steps": steps}

    def predict(self, theta: Weights, tasks: EpisodeBatch) -> Iterator[Prediction]:
        """Answer at the start and after 1, 2, 5, 10, … steps."""
        found = self.fit_problem(theta, tasks)
        last = int(theta["steps"].max())
        shown = shown_steps(max(last, tasks.horizon), last)
        rule = momentum_sgd(theta["lr"], self.momentum)
        for at in descent_steps(found, rule, shown):
            grads = at.grads
            yield Prediction(
                at.step,
                found.answer(at.weights),
                at.support_loss,
                distance(at.weights, found.start),
                None if grads is None else layer_grad_norms(grads, found.layers),
            )


def shown_steps(last: int, answer: int) -> tuple[int, ...]:
    """Return after which steps answers are shown: 0, 1, 2, 5, 10, … and the last.

    >>> shown_steps(30, 20)
    (0, 1, 2, 5, 10, 20, 30)
    """
    few = {step for step in SHOWN if step <= last}
    return tuple(sorted(few | {0, answer, last}))


def momentum_sgd(rate: Tensor, momentum: float) -> InnerRule:
    """Return gradient descent v ← μ v + g, w ← w − η v at one rate a member."""
    velocity: Weights = {}

    def rule(step: int, weights: Weights, grads: Weights) -> Weights:
        after = {}
        for name, grad in grads.items():
            last = velocity.get(name)
            velocity[name] = grad if last is None else momentum * last + grad
            each = rate.view(-1, *[1] * (grad.dim() - 1))
            after[name] = weights[name] - each * velocity[name]
        return after

    return rule


def descent_steps(
    found: FitProblem, rule: InnerRule, shown: Sequence[int]
) -> Iterator[InnerState]:
    """Follow the loss on the support; yield the shown steps, the last among them.

    No graph is kept from step to step, and what is yielded has none.
    """
    weights = {name: w.detach() for name, w in found.start.items()}
    for step in range(shown[-1]):
        leaves = {name: w.clone().requires_grad_() for name, w in weights.items()}
        loss = found.loss(leaves)
        slopes = torch.autograd.grad(
            loss.sum(), list(leaves.values()), materialize_grads=True
        )
        grads = dict(zip(leaves, slopes, strict=True))
        if step in shown:
            yield InnerState(step, weights, loss.detach(), grads)
        weights = rule(step, weights, grads)
    yield InnerState(shown[-1], weights, found.loss(weights).detach(), None)


def pooled_layout(tasks: EpisodeBatch) -> Layout:
    """Return the layout of the net with an output for each known class."""
    return tasks.net.layout(tasks.shape, tasks.known_classes or tasks.outputs)


def pooled_loss(
    tasks: EpisodeBatch, answer: Callable[[ExampleBatch], Tensor]
) -> Tensor:
    """Return the mean loss over support and queries together; shape (member,).

    Args:
        tasks: The episodes.
        answer: Answers about all known classes, or values.
    """
    out = torch.cat([answer(tasks.support), answer(tasks.query)], 2)
    goals = [s.y if s.ids is None else s.ids for s in (tasks.support, tasks.query)]
    return tasks.each_loss(out, torch.cat(goals, 1)).mean(1)


def pretraining_step(
    meta: Meta,
    tasks: TaskBatch,
    lost: Callable[[Weights, EpisodeBatch], Tensor],
    compile_gradient: Compile = run_eagerly,
) -> Outer:
    """Return how pooled training moves the net; rate and steps stay as they are."""
    found = outer_gradient(meta, tasks, lost, compile_gradient)
    stay = {name: meta.weights[name] for name in CHOSEN if name in meta.weights}
    return found._replace(statistics=(found.statistics or {}) | stay)


def pooled_net_loss(theta: Weights, tasks: EpisodeBatch) -> Tensor:
    """Return the pooled loss of a net with an output for each known class."""
    return pooled_loss(tasks, lambda shots: tasks.answer(theta, shots))


def whole_net_problem(start: Weights, tasks: EpisodeBatch) -> FitProblem:
    """Fit a net's every weight.

    Args:
        start: Weights of the net with its head; shape (member, …).
        tasks: The episodes.
    """
    layout = tasks.layout
    moving = {name: start[name] for name in layout.names if name not in layout.buffers}
    rest = {name: start[name] for name in layout.buffers}
    return FitProblem(
        moving,
        lambda weights: tasks.loss(rest | weights, tasks.support),
        lambda weights: tasks.answer(rest | weights, tasks.query),
        layout.layers,
    )


def with_zero_head(theta: Weights, tasks: EpisodeBatch) -> Weights:
    """Return a trained net with a head of zeros, which knows nothing yet.

    One whose answers are values keeps its head: it means the same in every task.
    """
    layout, members = tasks.layout, tasks.members
    head = layout.layers[-1] if tasks.has_classes else ()
    return {
        name: theta[name].new_zeros(members, *shape) if name in head else theta[name]
        for name, shape in zip(layout.names, layout.shapes, strict=True)
    }


def linear_head_problem(theta: Weights, tasks: EpisodeBatch) -> FitProblem:
    """Fit a new linear head, zero at its start, to features that stay as they are."""
    support, query = embed_examples(theta, tasks)
    shape = (tasks.members, tasks.outputs)
    start = {
        "head.w": support.new_zeros(*shape, support.shape[1]),
        "head.b": support.new_zeros(shape),
    }

    def head_outputs(weights: Weights, features: Tensor) -> Tensor:
        return torch.baddbmm(weights["head.b"][..., None], weights["head.w"], features)

    return _head_problem(start, head_outputs, (support, query), tasks)


def cosine_head_problem(
    theta: Weights, tasks: EpisodeBatch, scale: float
) -> FitProblem:
    """Fit a new head of cosines, the class means at its start, to fixed features."""
    support, query = embed_examples(theta, tasks)
    means = class_means(support, tasks.support.y, tasks.outputs)

    def head_outputs(weights: Weights, features: Tensor) -> Tensor:
        return scale * cosines(weights["head.w"].mT, features)

    return _head_problem({"head.w": means.mT}, head_outputs, (support, query), tasks)


def _head_problem(
    start: Weights,
    answer: Callable[[Weights, Tensor], Tensor],
    features: tuple[Tensor, Tensor],
    tasks: EpisodeBatch,
) -> FitProblem:
    support, query = features

    def support_loss(weights: Weights) -> Tensor:
        return tasks.each_loss(answer(weights, support), tasks.support.y).mean(1)

    layers = (tuple(start),)
    return FitProblem(
        start, support_loss, lambda weights: answer(weights, query), layers
    )
