"""Meta-LSTM: an LSTM whose cell state is the net's weights adapts them to each task.

Source: Ravi and Larochelle (2017), "Optimization as a model for few-shot learning",
ICLR, section 3 and algorithm 1; the LSTM before the gates is that of its section 5.
Differs: that LSTM is a knob and off by default, as in the paper's equations. b_I starts
at logit α and b_F at 5, where the paper says small and large; every step sees the whole
support; the gates' θ_{t−1} counts as a constant; clipping meta-gradients (the paper: at
0.25) is a choice of the outer rule.
Helps: a rate and a decay for each weight at each step, chosen by the loss and gradient
that it meets. First order: gradients of the net count as inputs, not as functions of θ.
"""

import math
from collections.abc import Iterator, Sequence
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor

from engine.algorithms.few_shot.few_shot_learner import (
    FewShotLearner,
    why_wrong_head,
)
from engine.algorithms.few_shot.implicit_gradients import (
    flatten_weights,
    unflatten_weights,
)
from engine.algorithms.few_shot.inner_loop import (
    InnerState,
    note_statistics,
    predictions,
    query_loss,
    support_gradient,
    trainable_names,
)
from engine.algorithms.few_shot.knobs import (
    inner_rate_knob,
    inner_steps_knob,
    inner_test_steps_knob,
)
from engine.algorithms.few_shot.meta_gradients import outer_through_steps
from engine.algorithms.few_shot.outer_gradient import TaskLoss
from engine.algorithms.few_shot.running_statistics import BatchStatistics
from engine.algorithms.initial_weights import draw_weights
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.nets.dense import stack_members
from engine.nets.lstm import apply_lstm, init_lstm, preprocess, start_lstm
from engine.protocol import (
    EpisodeBatch,
    Estimator,
    Meta,
    Outer,
    OuterStepContext,
    Prediction,
    TaskBatch,
    Weights,
    generator,
)

LSTM, GATES, BIAS = "lstm.", "gates.w", "gates.b"
RANGE = 10.0  # p of the encoding of gradients and losses, as in the paper
FORGET = 5.0  # initial b_F: the weights hardly decay at first
SMALL = 0.01  # initial bound of W_F and W_I, so that the gates start almost constant


class GateState(NamedTuple):
    """What the meta-learner remembers of each weight between two inner steps.

    Args:
        cells: State of the LSTM before the gates; shape (member, hidden, weight) each.
        gates: f and i of the last step; shape (member, 2, weight).
    """

    cells: Weights
    gates: Tensor


@register("learner")
class MetaLstm(FewShotLearner):
    """θ_t = f_t ∘ θ_{t−1} − i_t ∘ ∇L_t, (f_t, i_t) = σ(W [LSTM(∇, L), θ, f, i] + b)."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "magenta"
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    trains: ClassVar[bool] = True
    compiles: ClassVar[bool] = True

    inner_lr: float = inner_rate_knob(0.01, high=0.99)
    inner_steps: int = inner_steps_knob(5, low=1)
    test_steps: int = inner_test_steps_knob()
    hidden: int = knob(
        0,
        label="Hidden units",
        unit="units",
        low=0,
        high=64,
        help="Width of the LSTM that reads loss and gradient before the gates, 20 in "
        "the paper's experiments and many times as slow; with 0 the gates read them "
        "directly.",
    )

    @property
    def gradients_per_episode(self) -> float:
        """Return k inner gradients and the outer one."""
        return self.inner_steps + 1.0

    def answer_step(self, meta: Meta) -> int:
        """Return the number of inner steps at test."""
        return self.test_steps or self.inner_steps

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Draw the net's initial weights θ_0 and the meta-learner's own."""
        assert isinstance(tasks, EpisodeBatch)
        like = tasks.support.x
        start = draw_weights(tasks.net, tasks.layout, rngs, like)
        own = stack_members([self._draw_gates(rng.child("gates")) for rng in rngs])
        return Meta(start | {n: w.to(like) for n, w in own.items()}, {})

    def _draw_gates(self, rng: Rng) -> Weights:
        lstm = init_lstm(4, self.hidden, 1, rng.child("lstm")) if self.hidden else {}
        # Read by each gate: the LSTM's output or its input, θ, and the gate itself.
        shape = (2, (self.hidden or 4) + 2)
        drawn = generator(rng).uniform(-SMALL, SMALL, shape).astype(np.float32)
        rate = math.log(self.inner_lr / (1.0 - self.inner_lr))
        own = {GATES: torch.from_numpy(drawn), BIAS: torch.tensor([FORGET, rate])}
        return own | {f"{LSTM}{name}": weight for name, weight in lstm.items()}

    def predict(self, theta: Weights, tasks: EpisodeBatch) -> Iterator[Prediction]:
        """Predict after 0, 1, … inner steps."""
        start = {name: theta[name] for name in tasks.layout.names}
        count = max(tasks.horizon, self.answer_step(Meta({}, {})))
        return predictions(tasks, start, self._steps(theta, tasks, count, order=0))

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Differentiate the query loss through the gates, by θ_0 and their weights."""
        task_loss = self._adapted_loss
        return outer_through_steps(
            meta, tasks, task_loss, step_context.compile_gradient
        )

    def why_not(self, meta: Meta, tasks: TaskBatch) -> str | None:
        """Return the reason why its head does not fit the ways; None if it does."""
        assert isinstance(tasks, EpisodeBatch)
        return why_wrong_head(meta, tasks)

    def _adapted_loss(self, statistics: list[BatchStatistics]) -> TaskLoss:
        def task_loss(theta: Weights, batch: EpisodeBatch) -> Tensor:
            *_, last = self._steps(
                theta, batch, self.inner_steps, order=1, statistics=statistics
            )
            return query_loss(batch, last.weights, last.step, statistics)

        return task_loss

    def _steps(
        self,
        theta: Weights,
        tasks: EpisodeBatch,
        count: int,
        *,
        order: int,
        statistics: list[BatchStatistics] | None = None,
    ) -> Iterator[InnerState]:
        """Take inner steps; arguments and yields as of `inner_steps`.

        There is no order 2: gradients of the net are always constants.
        """
        names = trainable_names(tasks)
        weights = {name: theta[name] for name in tasks.layout.names}
        state = self._start_gates(flatten_weights(weights, names))
        for step in range(count):
            at = {n: weights[n].detach().requires_grad_() for n in names}
            loss, grads = support_gradient(tasks, weights | at, names, step=step)
            note_statistics(statistics, tasks, weights, step)
            yield InnerState(step, weights, loss.detach(), grads)
            flat, grad = flatten_weights(weights, names), flatten_weights(grads, names)
            with torch.set_grad_enabled(order > 0):
                flat, state = self._update(theta, flat, grad, loss.detach(), state)
            weights = weights | unflatten_weights(flat, weights, names)
        yield InnerState(count, weights, None, None)

    def _start_gates(self, flat: Tensor) -> GateState:
        """Return the state before the first step: zeros."""
        cells = start_lstm(flat, self.hidden, 1) if self.hidden else {}
        return GateState(cells, torch.zeros_like(flat).unsqueeze(1).repeat(1, 2, 1))

    def _update(
        self, theta: Weights, flat: Tensor, grad: Tensor, loss: Tensor, state: GateState
    ) -> tuple[Tensor, GateState]:
        """Take one inner step.

        Args:
            theta: Meta-weights of each member; shape (member, …).
            flat: The net's weights; shape (member, weight).
            grad: Gradient of the support loss by them, without a graph.
            loss: The support loss; shape (member,).
            state: What the gates remember.

        Returns:
            The weights after the step, and the new state.
        """
        losses = preprocess(loss.unsqueeze(1), RANGE).expand(-1, -1, flat.shape[1])
        seen, cells = torch.cat([preprocess(grad, RANGE), losses], 1), state.cells
        if self.hidden:
            lstm = {n[len(LSTM) :]: w for n, w in theta.items() if n.startswith(LSTM)}
            seen, cells = apply_lstm(lstm, seen, cells)
        # A copy without a graph: the gates' choice counts, not how θ got there.
        seen = torch.cat([seen, flat.detach().unsqueeze(1)], 1)
        weights, bias = theta[GATES], theta[BIAS].unsqueeze(2)
        past = weights[..., -1:] * state.gates
        gates = torch.sigmoid(torch.baddbmm(bias, weights[..., :-1], seen) + past)
        forget, take = gates.unbind(1)
        return forget * flat - take * grad, GateState(cells, gates)
