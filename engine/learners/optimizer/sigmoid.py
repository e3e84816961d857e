"""Sigmoid controller: a small net that can only lower the learning rate.

Source: the simple design of published student code and blog posts: raw loss,
gradient norm and weight norm → 16 ReLU → one sigmoid that multiplies the rate.
Differs: batched over replicates, each with its own controller; the gradient norm it
sees is the current step's, where published code often uses the previous one's.
Helps: to see a design that cannot win. A sigmoid in (0, 1) can only lower the
rate. The improvement at a step was caused by the previous action, yet is credited
to the next one; it is positive whenever the loss falls, so the controller only
learns to output 1, and at best becomes plain SGD at an untuned rate.
Its inputs are not normalized, and it learns from one task.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from engine.algorithms.optimization.training_loop import (
    objective,
    optimizer_input,
    run_training,
)
from engine.algorithms.optimization.update_rules import adam_step, zeros
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.contract.run_spec import Budget
from engine.nets.dense import stack_members
from engine.protocol import (
    Estimator,
    Learner,
    Meta,
    OptimizationBatch,
    OptimizerInput,
    OptimizerUpdate,
    Outer,
    OuterStepContext,
    Plan,
    TraceSegment,
    UpdateRule,
    Weights,
    generator,
)
from engine.protocol.member_chunks import broadcast_to_members

BETAS, EPS = (0.9, 0.999), 1e-8


@register("learner")
class Sigmoid(Learner):
    """w ← w − η σ(ψ(L, ‖g‖, ‖w‖)) g; ψ follows ∇ψ of −(Lₜ₋₁ − Lₜ) σₜ at every step."""

    version: ClassVar[int] = 1
    short: ClassVar[str] = "Sigmoid"
    hue: ClassVar[str] = "purple"
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})
    trains: ClassVar[bool] = True
    keeps_last: ClassVar[bool] = True

    lr: float = knob(
        0.01,
        label="Base learning rate η",
        unit="per step",
        low=1e-8,
        high=1e3,
        log=True,
        help="The rate that the controller multiplies by a factor below 1.",
        follows="rate",
    )
    hidden: int = knob(
        16,
        label="Hidden units",
        unit="units",
        low=1,
        high=128,
        work="size",
        help="Width of the controller's one hidden layer.",
    )
    controller_lr: float = knob(
        1e-3,
        label="Controller learning rate",
        unit="per step",
        low=1e-7,
        high=1.0,
        log=True,
        help="Learning rate of Adam for the controller's weights.",
    )
    tasks: int = knob(
        1,
        label="Training tasks",
        unit="tasks",
        low=1,
        high=256,
        help="Number of tasks, trained for one horizon each, one after the other.",
    )

    @property
    def scale_limits(self) -> tuple[float, float]:
        """Return the range of a sigmoid."""
        return 0.0, 1.0

    def init(self, rngs: Sequence[Rng], tasks: OptimizationBatch) -> Meta:
        """Draw a controller per replicate, uniform as `torch.nn.Linear`."""
        start = tasks.start()
        nets = [self._draw_controller(rng.child("controller")) for rng in rngs]
        weights = stack_members(nets)
        return Meta(
            {k: v.to(start.device, start.dtype) for k, v in weights.items()}, {}
        )

    def _draw_controller(self, rng: Rng) -> Weights:
        draw, weights = generator(rng), {}
        for i, shape in enumerate([(self.hidden, 3), (1, self.hidden)]):
            bound = 1 / math.sqrt(shape[1])
            for name, size in ((f"w{i}", shape), (f"b{i}", shape[:1])):
                drawn = draw.uniform(-bound, bound, size).astype(np.float32)
                weights[name] = torch.from_numpy(drawn)
        return weights

    def adapt(
        self, meta: Meta, tasks: OptimizationBatch, *, path: bool = False
    ) -> Iterator[TraceSegment]:
        """Train the base learners with the frozen controller."""
        theta = broadcast_to_members(meta.weights, tasks.members)
        rule = self.rule(theta, tasks)
        return run_training(tasks, rule, path=path, learner=self.name)

    def rule(self, theta: Weights, tasks: OptimizationBatch) -> UpdateRule:
        """Return the frozen controller as an update rule.

        Args:
            theta: Its weights; shape (member, …).
            tasks: The tasks that it will train.
        """
        return SigmoidRule(self.lr, theta)

    def outer(
        self,
        meta: Meta,
        tasks: OptimizationBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Train for one whole horizon, updating the controller at every step."""
        theta, weights = dict(meta.weights), tasks.start()
        moments = {name: zeros(value, "m", "v") for name, value in theta.items()}
        losses: list[Tensor] = []
        last = None
        for step in range(tasks.horizon):
            seen = optimizer_input(tasks, weights, step)
            # The first step has no loss before it, so nothing to learn from.
            gain = torch.zeros_like(seen.loss) if last is None else last - seen.loss
            scale, grads = _scale_and_gradient(theta, seen, gain)
            # Late by one action, as published: see the module's docstring.
            for name, grad in grads.items():
                moved = adam_step(grad, moments[name], step, BETAS, EPS)
                theta[name] = theta[name] - self.controller_lr * moved.step
                moments[name] = moved.state
            weights = weights - self.lr * scale[:, None] * seen.grad
            losses.append(objective(seen.loss))
            last = seen.loss
        score = torch.stack(losses, 1).mean(1).unflatten(0, (tasks.replicates, -1))
        info = {"meta_loss": score.mean(1)}
        return Outer(memory={}, info=info, weights=theta)

    def plan(self, budget: Budget, estimator: Estimator) -> Plan:
        """Return one meta-step per training task, whatever the budget."""
        return Plan(self.tasks, 1, 1, 1.0, float(budget.horizon))


@dataclass(frozen=True)
class SigmoidRule(UpdateRule):
    """The frozen controller as an update rule; `theta` is of shape (member, …)."""

    lr: float
    theta: Weights

    def start(self, weights: Tensor) -> Weights:
        """Return an empty state."""
        return {}

    def step(self, inputs: OptimizerInput, state: Weights) -> OptimizerUpdate:
        """Take an SGD step at the scaled rate."""
        scale = controller_scale(self.theta, inputs)
        return OptimizerUpdate(
            -self.lr * scale[:, None] * inputs.grad, state, {"lr_scale": scale}
        )


def controller_scale(theta: Weights, inputs: OptimizerInput) -> Tensor:
    """Return the controller's output.

    Args:
        theta: The controller's weights; shape (member, …).
        inputs: Loss, gradient norm and weights at this step.

    Returns:
        Factors between 0 and 1; shape (member,).
    """
    norms = (inputs.norm, inputs.weights.norm(dim=1))
    seen = torch.stack([inputs.loss, *norms], 1).unsqueeze(-1)
    inner = torch.relu(torch.baddbmm(theta["b0"].unsqueeze(-1), theta["w0"], seen))
    answer = torch.baddbmm(theta["b1"].unsqueeze(-1), theta["w1"], inner)
    return torch.sigmoid(answer[:, 0, 0])


def _scale_and_gradient(
    theta: Weights, seen: OptimizerInput, gain: Tensor
) -> tuple[Tensor, Weights]:
    """Return the outputs, and ∇ψ of −gain × output for each replicate."""
    live = {name: value.detach().requires_grad_() for name, value in theta.items()}
    replicates = next(iter(live.values())).shape[0]
    with torch.enable_grad():
        scale = controller_scale(broadcast_to_members(live, len(gain)), seen)
        score = -(gain * scale).unflatten(0, (replicates, -1)).mean(1)
        grads = torch.autograd.grad(score.sum(), list(live.values()))
    # A diverged task must not destroy its replicate's controller.
    safe = [torch.nan_to_num(grad, 0.0, 0.0, 0.0) for grad in grads]
    return scale.detach(), dict(zip(live, safe, strict=True))
