"""Pretraining on all classes at once, and fine-tuning on a support by gradient steps.

Pretraining sees the same episodes as the meta-learners, support and queries alike, but
with the global class of each example. A `FitProblem` describes what is fitted to a
support. Learning rate and number of steps are the meta-weights `lr` and `steps`: given,
or chosen on validation episodes by `engine.runner.adaptation_tuning`.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar, Literal

import torch
from torch import Tensor

from engine.algorithms.few_shot.few_shot_learner import FewShotLearner
from engine.algorithms.few_shot.fine_tuning_heads import FitProblem
from engine.algorithms.few_shot.inner_loop import InnerState, distance, layer_grad_norms
from engine.algorithms.few_shot.inner_rules import InnerRule
from engine.algorithms.few_shot.outer_gradient import outer_gradient
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

# Meta-weights that tuning sets and no gradient moves.
CHOSEN = ("lr", "steps")
# Steps 1, 2, 5, 10, …, 5000: evenly spaced on a log axis.
SHOWN = tuple(m * 10**e for e in range(4) for m in (1, 2, 5))


class FineTuningLearner(FewShotLearner):
    """A learner that fits weights to each support by gradient descent."""

    tunable: ClassVar[bool] = True
    # The rate is tuned after training. Until then validation uses the given rate, may
    # diverge on every task, and would then select the untrained net.
    keeps_last: ClassVar[bool] = True

    lr: float = knob(
        0.01,
        label="Fine-tuning rate",
        unit="per step",
        low=1e-6,
        high=100.0,
        log=True,
        help="Learning rate on the support, unless it is tuned.",
    )
    steps: int = knob(
        50,
        label="Fine-tuning steps",
        unit="steps",
        low=0,
        high=1000,
        work="test_steps",
        help="Steps on the support; with tuning, the largest number that is tried.",
    )
    momentum: float = knob(
        0.9,
        label="Momentum",
        low=0.0,
        high=0.999,
        help="Momentum coefficient.",
        advanced=True,
    )
    tuning: Literal["given", "tuned"] = knob(
        "tuned",
        label="Rate and steps",
        help="Given: as set above. Tuned: the best on validation episodes, chosen "
        "after training.",
    )

    @abstractmethod
    def fit_problem(self, theta: Weights, tasks: EpisodeBatch) -> FitProblem:
        """Return what is fitted to the supports, and its initial weights.

        Args:
            theta: Meta-weights of each member; shape (member, …).
            tasks: The episodes.
        """

    def answer_step(self, meta: Meta) -> int:
        """Return the number of steps, given or tuned; of all replicates the largest."""
        chosen = meta.weights.get("steps")
        return self.steps if chosen is None else int(chosen.max())

    def answer_steps(self, theta: Weights, tasks: EpisodeBatch) -> list[int]:
        """Return each member's number of steps, given or tuned in its replicate."""
        return [int(steps) for steps in theta["steps"].tolist()]

    def rate_and_steps(self, replicates: int, tasks: EpisodeBatch) -> Weights:
        """Return the given rate and steps as meta-weights; shape (replicate,) each."""
        like = tasks.support.x
        steps = like.new_full((replicates,), float(self.steps))
        return {"lr": like.new_full((replicates,), self.lr), "steps": steps}

    def predict(self, theta: Weights, tasks: EpisodeBatch) -> Iterator[Prediction]:
        """Predict before the first step and after 1, 2, 5, 10, … steps."""
        found = self.fit_problem(theta, tasks)
        # Recorded beyond the tuned number, so that all replicates have the same steps.
        shown = shown_steps(max(self.steps, tasks.horizon), self.steps)
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
    """Return the steps whose predictions are recorded: 0, 1, 2, 5, 10, … and the last.

    Args:
        last: The last step that is taken.
        answer: The step whose prediction is scored.

    >>> shown_steps(30, 20)
    (0, 1, 2, 5, 10, 20, 30)
    """
    few = {step for step in SHOWN if step <= last}
    return tuple(sorted(few | {0, answer, last}))


def momentum_sgd(rate: Tensor, momentum: float) -> InnerRule:
    """Return gradient descent v ← μ v + g, w ← w − η v.

    Args:
        rate: η; shape (member,).
        momentum: μ.
    """
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
    """Minimize the loss on the support, keeping no graph from step to step.

    Args:
        found: What is fitted.
        rule: The update rule.
        shown: The steps to yield, in ascending order.

    Yields:
        The states at the shown steps, without a graph.
    """
    weights = {name: w.detach() for name, w in found.start.items()}
    for step in range(shown[-1]):
        leaves = {name: w.clone().requires_grad_() for name, w in weights.items()}
        loss = found.loss(leaves)
        # Weights without influence get zeros, so that the rule finds every name.
        slopes = torch.autograd.grad(
            loss.sum(), list(leaves.values()), materialize_grads=True
        )
        grads = dict(zip(leaves, slopes, strict=True))
        if step in shown:
            yield InnerState(step, weights, loss.detach(), grads)
        weights = rule(step, weights, grads)
    yield InnerState(shown[-1], weights, found.loss(weights).detach(), None)


def pooled_layout(tasks: EpisodeBatch) -> Layout:
    """Return the layout of the net with one output per training class."""
    return tasks.net.layout(tasks.shape, tasks.known_classes or tasks.outputs)


def pooled_loss(
    tasks: EpisodeBatch, answer: Callable[[ExampleBatch], Tensor]
) -> Tensor:
    """Return the mean loss over support and queries together; shape (member,).

    Args:
        tasks: The episodes.
        answer: Examples → outputs over all training classes, or values; shape
            (member, output, example).
    """
    out = torch.cat([answer(tasks.support), answer(tasks.query)], 2)
    # `ids` are classes across all tasks; `y` counts them within an episode.
    goals = [s.y if s.ids is None else s.ids for s in (tasks.support, tasks.query)]
    return tasks.each_loss(out, torch.cat(goals, 1)).mean(1)


def pretraining_step(
    meta: Meta,
    tasks: TaskBatch,
    task_loss: Callable[[Weights, EpisodeBatch], Tensor],
    compile_gradient: Compile = run_eagerly,
) -> Outer:
    """Return the outer gradient of pretraining; rate and steps stay as they are.

    Args:
        meta: The meta-learner.
        tasks: The episodes of this meta-step.
        task_loss: Meta-weights of each member and their episodes → loss, (member,).
        compile_gradient: As in `OuterStepContext`.
    """
    found = outer_gradient(meta, tasks, task_loss, compile_gradient)
    # As statistics, they overwrite the outer rule's result, weight decay included.
    stay = {name: meta.weights[name] for name in CHOSEN if name in meta.weights}
    return found._replace(statistics=(found.statistics or {}) | stay)


def pooled_net_loss(theta: Weights, tasks: EpisodeBatch) -> Tensor:
    """Return the pooled loss of a net with one output per class; shape (member,)."""
    return pooled_loss(tasks, lambda shots: tasks.answer(theta, shots))
