"""Clustered MAML: several initial weights, and for each task those that fit it.

Source: Jerfel, Grant, Griffiths and Heller (2019), arXiv:1812.06080, section 3 and
algorithms 1 and 2, with a fixed number of clusters.
Differs: the prior over starts is uniform and none is ever added; the assignment is
differentiated, too, where their M-step keeps it constant; the log likelihood is minus
the mean support loss over a temperature; answers are the weighted mean of all starts'.
Helps: mixed families: one initialization is far from most of the tasks of a mixture,
and each start can specialize. It costs C times as many gradients as MAML.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor

from engine.algorithms.few_shot.few_shot_learner import (
    FewShotLearner,
    why_wrong_head,
)
from engine.algorithms.few_shot.inner_loop import InnerState, inner_steps, query_loss
from engine.algorithms.few_shot.inner_rules import sgd
from engine.algorithms.few_shot.knobs import (
    inner_clip_knob,
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
from engine.protocol import (
    EpisodeBatch,
    Estimator,
    Inspection,
    Meta,
    Outer,
    OuterStepContext,
    Prediction,
    TaskBatch,
    Weights,
)
from engine.protocol.member_chunks import broadcast_to_members


@register("learner")
class ClusteredMaml(FewShotLearner):
    """θ_c ← θ_c − β ∇ mean of Σ_c γ_c L_Q(φ_c), γ = softmax_c(−L_S(φ_c) / τ)."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "purple"
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    trains: ClassVar[bool] = True
    compiles: ClassVar[bool] = True

    inner_lr: float = inner_rate_knob()
    inner_steps: int = inner_steps_knob()
    test_steps: int = inner_test_steps_knob()
    inner_clip: float = inner_clip_knob()
    starts: int = knob(
        4,
        label="Starts C",
        unit="starts",
        low=1,
        high=16,
        work="size",
        help="Initial weights to choose from; with one this is MAML.",
    )
    temperature: float = knob(
        1.0,
        label="Temperature τ",
        unit="support loss",
        low=1e-3,
        high=1e3,
        log=True,
        help="Difference of support losses at which one start is e times as likely as "
        "another; large values share each task between all starts.",
    )

    @property
    def gradients_per_episode(self) -> float:
        """Return those of MAML, for each start."""
        return self.starts * (2.0 * self.inner_steps + 1.0)

    def gradients_per_test(self, horizon: int) -> float:
        """Return the inner steps of each start, and one prediction each."""
        return self.starts * (1.0 + max(self.answer_step(Meta({}, {})), horizon))

    def answer_step(self, meta: Meta) -> int:
        """Return the number of inner steps at test."""
        return self.test_steps or self.inner_steps

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Draw the starts; the first is that of every other learner."""
        assert isinstance(tasks, EpisodeBatch)
        net, layout, like = tasks.net, tasks.layout, tasks.support.x
        weights: Weights = {}
        for c in range(self.starts):
            stream = start_name(c, "weights")
            drawn = draw_weights(net, layout, rngs, like, stream)
            weights |= {start_name(c, name): value for name, value in drawn.items()}
        return Meta(weights, {})

    def predict(self, theta: Weights, tasks: EpisodeBatch) -> Iterator[Prediction]:
        """Predict after 0, 1, … inner steps from every start."""
        count = max(tasks.horizon, self.answer_step(Meta({}, {})))
        wide = self._repeat_tasks(tasks)
        for at in self._steps(theta, wide, count):
            weights = {name: value.detach() for name, value in at.weights.items()}
            with torch.no_grad():
                loss = _support_loss(wide, at)
                share = self._responsibilities(loss)
                out = wide.answer(weights, wide.query, at.step)
            yield Prediction(at.step, _weigh(share, out), _weigh(share, loss))

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Differentiate the weighted query loss through all inner steps."""
        task_loss = partial(self._weighted_loss, 2)
        return outer_through_steps(
            meta, tasks, task_loss, step_context.compile_gradient
        )

    def inspect(self, meta: Meta, tasks: TaskBatch) -> dict[str, Inspection]:
        """Return the starts' shares of the tasks, and how many starts have some."""
        assert isinstance(tasks, EpisodeBatch)
        wide = self._repeat_tasks(tasks)
        theta = broadcast_to_members(meta.weights, tasks.members)
        *_, last = self._steps(theta, wide, self.inner_steps)
        with torch.no_grad():
            share = self._responsibilities(_support_loss(wide, last))
        mean = share.unflatten(0, (tasks.replicates, -1)).mean(1)
        in_use = torch.special.entr(mean).sum(1).exp()
        return {
            "start_share": Inspection(("slot",), mean),
            "starts_in_use": Inspection((), in_use),
        }

    def why_not(self, meta: Meta, tasks: TaskBatch) -> str | None:
        """Return the reason why its heads do not fit the ways; None if they do."""
        assert isinstance(tasks, EpisodeBatch)
        return why_wrong_head(meta, tasks)

    def _weighted_loss(
        self, order: int, statistics: list[BatchStatistics] | None = None
    ) -> TaskLoss:
        """Return the loss to differentiate, with inner gradients of this order."""

        def task_loss(theta: Weights, batch: EpisodeBatch) -> Tensor:
            wide = self._repeat_tasks(batch)
            seen: list[BatchStatistics] = []
            *_, last = self._steps(theta, wide, self.inner_steps, order, seen)
            share = self._responsibilities(_support_loss(wide, last))
            loss = query_loss(wide, last.weights, last.step, seen)
            if statistics is not None:
                statistics.extend(map(self._name_by_start, seen))
            return _weigh(share, loss)

        return task_loss

    def _repeat_tasks(self, tasks: EpisodeBatch) -> EpisodeBatch:
        """Return each task once for every start; those of a task are consecutive."""
        rows = [row for row in range(tasks.members) for _ in range(self.starts)]
        return tasks.take(rows) if self.starts > 1 else tasks

    def _steps(
        self,
        theta: Weights,
        wide: EpisodeBatch,
        count: int,
        order: int = 0,
        statistics: list[BatchStatistics] | None = None,
    ) -> Iterator[InnerState]:
        """Take inner steps from every start on the repeated tasks."""
        names = wide.layout.names
        starts = {
            name: torch.stack(
                [theta[start_name(c, name)] for c in range(self.starts)], 1
            ).flatten(0, 1)
            for name in names
        }
        rule = sgd(self.inner_lr, self.inner_clip)
        return inner_steps(
            wide, starts, rule, count, order=order, statistics=statistics
        )

    def _name_by_start(self, seen: BatchStatistics) -> BatchStatistics:
        """Return the statistics of repeated tasks under the names of each start's."""
        values = {
            start_name(c, name): rows[c :: self.starts]
            for name, rows in seen.values.items()
            for c in range(self.starts)
        }
        return seen._replace(values=values)

    def _responsibilities(self, support_loss: Tensor) -> Tensor:
        """Return γ, shape (member, start), from losses of shape (member · start,)."""
        return torch.softmax(-support_loss.view(-1, self.starts) / self.temperature, 1)


def start_name(start: int, name: str) -> str:
    """Return the name of a start's weight; the first start has the net's own names.

    >>> start_name(0, "w1"), start_name(2, "w1")
    ('w1', 'start2.w1')
    """
    return f"start{start}.{name}" if start else name


def _support_loss(wide: EpisodeBatch, at: InnerState) -> Tensor:
    """Return the support loss at a state, also after the last step."""
    if at.support_loss is not None:
        return at.support_loss
    return wide.loss(at.weights, wide.support, at.step)


def _weigh(share: Tensor, values: Tensor) -> Tensor:
    """Return the mean over starts, weighted by their responsibilities.

    Args:
        share: γ; shape (member, start).
        values: Shape (member · start, …).

    Returns:
        Shape (member, …).
    """
    rows = values.unflatten(0, share.shape)
    return (share.view(*share.shape, *[1] * (rows.dim() - 2)) * rows).sum(1)
