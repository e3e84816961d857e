"""Base class of few-shot learners: initial weights, predictions, traces.

A learner implements its predictions after each inner step (`predict`), which become
traces here, and its meta-step (`outer`), mostly by `outer_gradient`.
"""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor

from engine.algorithms.few_shot.online_episodes import predict_prefixes
from engine.algorithms.few_shot.query_beliefs import query_beliefs
from engine.contract.rng import Rng
from engine.contract.run_spec import Budget
from engine.protocol import (
    EpisodeBatch,
    Estimator,
    Learner,
    Meta,
    Plan,
    Prediction,
    TaskBatch,
    TraceSegment,
    Weights,
    chosen_class,
    generator,
)
from engine.protocol.member_chunks import broadcast_to_members


class FewShotLearner(Learner):
    """A learner of episodes, defined by its predictions after each inner step.

    Attributes:
        reads_sequences: Whether `predict` answers online episodes itself, each query
            from the examples before it. If not, it is asked again after each example.
    """

    reads_sequences: ClassVar[bool] = False

    @abstractmethod
    def predict(self, theta: Weights, tasks: EpisodeBatch) -> Iterator[Prediction]:
        """Adapt to the support and predict the queries.

        Args:
            theta: Meta-weights of each member; shape (member, …). They need not
                require gradients.
            tasks: The episodes.

        Yields:
            The predictions before the first inner step, then after later ones. None
            of their tensors has a graph.
        """

    def predictions(self, theta: Weights, tasks: EpisodeBatch) -> Iterator[Prediction]:
        """Predict the queries, also those of online episodes; as `predict`."""
        if tasks.online and not self.reads_sequences:
            return predict_prefixes(self.predict, theta, tasks)
        return self.predict(theta, tasks)

    def training_tasks(self, tasks: TaskBatch, rng: Rng) -> TaskBatch:
        """Return online episodes as they are after a random number of examples."""
        assert isinstance(tasks, EpisodeBatch)
        if not tasks.online or self.reads_sequences:
            return tasks
        seen = generator(rng.child("seen")).integers(1, tasks.support.count)
        return tasks.split(int(seen))

    def answer_step(self, meta: Meta) -> int:
        """Return the inner step whose prediction is scored; of all replicates the last.

        Args:
            meta: The meta-learner. Without meta-weights, the result is an upper bound.
        """
        return 0

    def answer_steps(self, theta: Weights, tasks: EpisodeBatch) -> list[int]:
        """Return for each member the inner step whose prediction is scored.

        Args:
            theta: Meta-weights of each member; shape (member, …).
            tasks: The episodes.
        """
        return [self.answer_step(Meta(theta, {}))] * tasks.members

    def answer(
        self, theta: Weights, tasks: EpisodeBatch, *, with_density: bool = False
    ) -> Tensor:
        """Predict the queries at the inner steps that are scored.

        Args:
            theta: Meta-weights of each member; shape (member, …).
            tasks: The episodes.
            with_density: Whether means and standard deviations of the density's
                components, if there is one, come after the outputs.

        Returns:
            Outputs without a graph; shape (member, output, query).
        """
        steps = self.answer_steps(theta, tasks)
        found: dict[int, Tensor] = {}
        for prediction in self.predictions(theta, tasks):
            if prediction.step in steps:
                density = (prediction.density or ()) if with_density else ()
                rows = torch.cat([prediction.query_outputs, *density], 1)
                found[prediction.step] = rows.detach()
            if prediction.step == max(steps):
                break
        return _select_answers(found, steps)

    def gradients_per_test(self, horizon: int) -> float:
        """Return gradient evaluations per test task: inner steps and one prediction.

        Args:
            horizon: Inner steps that are recorded at test.
        """
        steps = self.answer_step(Meta({}, {}))
        return 1.0 + (max(steps, horizon) if steps else 0)

    def embed(
        self, theta: Weights, tasks: EpisodeBatch
    ) -> tuple[Tensor, Tensor] | None:
        """Return features of support and queries: outputs of the net without its head.

        Args:
            theta: Meta-weights of each member; shape (member, …).
            tasks: The episodes.

        Returns:
            Two tensors of shape (member, feature, example); None if the meta-weights
            do not hold such a net.
        """
        return body_features(theta, tasks)

    @property
    def gradients_per_episode(self) -> float:
        """Return gradient evaluations per episode of meta-training."""
        return 1.0

    def adapt(
        self, meta: Meta, tasks: TaskBatch, *, path: bool = False
    ) -> Iterator[TraceSegment]:
        """Measure the predictions after each inner step."""
        assert isinstance(tasks, EpisodeBatch)
        theta = broadcast_to_members(meta.weights, tasks.members)
        rows, at, beliefs = [], [], {}
        steps = self.answer_steps(theta, tasks)
        for found in self.predictions(theta, tasks):
            rows.append(answer_metrics(tasks, found))
            at.append(found.step)
            if found.step in steps:
                beliefs[found.step] = query_beliefs(tasks, found)
        traces = {
            name: torch.stack([value_or_nan(row, name, rows) for row in rows], 1)
            for name in rows[0] | rows[-1]
        }
        # `predict` always includes them; `index` raises if a learner forgets one.
        indices = tuple(at.index(step) for step in steps)
        answers = {
            name: _select_answers({s: row[name] for s, row in beliefs.items()}, steps)
            for name in beliefs[steps[0]]
        }
        yield TraceSegment(traces, None, tuple(at), indices, answers)

    def plan(self, budget: Budget, estimator: Estimator) -> Plan:
        """Divide the budget of task evaluations by the episodes per meta-step."""
        count = budget.tasks_per_step
        steps = budget.task_evaluations // count if self.trains else 0
        return Plan(steps, count, 1, 1.0, self.gradients_per_episode)


def _select_answers(found: Mapping[int, Tensor], steps: Sequence[int]) -> Tensor:
    """Return each member's rows after its inner step.

    Args:
        found: Rows of all members by inner step; shape (member, …).
        steps: The inner step of each member.
    """
    return torch.stack([found[step][member] for member, step in enumerate(steps)])


def body_features(theta: Weights, tasks: EpisodeBatch) -> tuple[Tensor, Tensor] | None:
    """Return the outputs of the net without its head, on support and queries.

    Args:
        theta: Weights of each member; those of a head and others are ignored.
        tasks: The episodes.

    Returns:
        Two tensors of shape (member, feature, example); None if `theta` does not hold
        all weights of the body.
    """
    body = {name: theta[name] for name in tasks.body.names if name in theta}
    if not body or len(body) < len(tasks.body.names):
        return None
    with torch.no_grad():
        return tasks.answer(body, tasks.support), tasks.answer(body, tasks.query)


def answer_metrics(tasks: EpisodeBatch, prediction: Prediction) -> Weights:
    """Return the metrics of a prediction.

    Args:
        tasks: The episodes.
        prediction: Outputs for the queries at one inner step.

    Returns:
        Values by metric name, without a graph; shape (member,) or (member, layer).
    """
    loss = tasks.each_loss(prediction.query_outputs, tasks.query.y).mean(1)
    # argmax of NaN outputs would still hit some class: no accuracy by chance.
    sound = prediction.query_outputs.isfinite().flatten(1).all(1)
    row: Weights = {}
    if tasks.has_classes:
        right = chosen_class(prediction.query_outputs) == tasks.query.y
        row["query_loss"] = loss
        accuracy = right.to(loss.dtype).mean(1)
        row["query_accuracy"] = accuracy.masked_fill(~sound, torch.nan)
    else:
        row["query_mse"] = loss.masked_fill(~sound, torch.nan)
    for name, value in (
        ("support_loss", prediction.support_loss),
        ("moved", prediction.distance),
        ("inner_grad_norm", prediction.layer_grad_norms),
    ):
        if value is not None:
            row[name] = value
    return {name: value.detach() for name, value in row.items()}


def value_or_nan(row: Weights, name: str, rows: Sequence[Weights]) -> Tensor:
    """Return one metric of a row; NaN if only other rows have it.

    Args:
        row: Metrics after one inner step, by name.
        name: The metric.
        rows: All rows, at least one of which has it; it gives the shape.
    """
    if name in row:
        return row[name]
    return torch.full_like(next(r[name] for r in rows if name in r), torch.nan)


def why_wrong_head(meta: Meta, tasks: EpisodeBatch) -> str | None:
    """Return the reason why a trained head does not fit the tasks; None if it does."""
    layout = tasks.layout
    for name, shape in zip(layout.names, layout.shapes, strict=True):
        if name in layout.layers[-1] and tuple(meta.weights[name].shape[1:]) != shape:
            has = meta.weights[name].shape[1]
            return f"its head was trained for {has} ways and cannot answer {shape[0]}"
    return None
