"""Recurrent net: an LSTM or GRU that reads examples one by one and learns in its state.

Source: Hochreiter, Younger and Conwell (2001), Learning to Learn Using Gradient
Descent; Santoro et al. (2016), arXiv:1605.06065, section 4, for its use as a baseline.
Differs: the run's net embeds inputs; one layer; GRU is a choice.
Helps: as the plainest learner with a memory. All it knows of a task is in its state, a
vector of fixed size, so bound labels are forgotten sooner than with a memory of slots.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

from torch import Tensor

from engine.algorithms.few_shot.embedding_distances import feature_count
from engine.algorithms.few_shot.few_shot_learner import (
    FewShotLearner,
    draw_weights,
    outer_gradient,
)
from engine.algorithms.few_shot.sequence_reader import (
    input_size,
    read_episodes,
    why_other_ways,
)
from engine.algorithms.few_shot.sequences import shuffle_support
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.nets.dense import apply_dense, init_dense, stack_members
from engine.nets.gru import apply_gru, init_gru
from engine.nets.lstm import apply_lstm, init_lstm
from engine.protocol import (
    EpisodeBatch,
    Estimator,
    Meta,
    Outer,
    OuterStepContext,
    Prediction,
    TaskBatch,
    Weights,
)


@register("learner")
class Recurrent(FewShotLearner):
    """h_t = LSTM(h_{t−1}, [f(x_t), y_{t−1}]), ŷ_t = W h_t + b; loss over all ŷ_t."""

    version: ClassVar[int] = 1
    short: ClassVar[str] = "Recurrent"
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    trains: ClassVar[bool] = True
    reads_sequences: ClassVar[bool] = True

    cell: Literal["lstm", "gru"] = knob(
        "lstm",
        label="Cell",
        help="LSTM, or GRU, which has fewer weights and no separate cell state.",
    )
    hidden: int = knob(
        128,
        label="State size",
        unit="units",
        low=1,
        high=1024,
        help="Units of the cell; they hold all that it remembers of a task.",
    )

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Draw the embedding, the cell and the output layer of each replicate."""
        assert isinstance(tasks, EpisodeBatch)
        like = tasks.support.x
        weights = draw_weights(tasks.net, tasks.body, rngs, like)
        size = input_size(feature_count(weights, tasks), tasks)
        nets = [self._init_net(size, tasks.outputs, rng) for rng in rngs]
        drawn = {name: v.to(like) for name, v in stack_members(nets).items()}
        return Meta(weights | drawn, {})

    def why_not(self, meta: Meta, tasks: TaskBatch) -> str | None:
        """Return why targets of other sizes cannot be read; None if they can."""
        assert isinstance(tasks, EpisodeBatch)
        weights = meta.weights
        return why_other_ways(weights["readout.b0"], tasks) if weights else None

    def training_tasks(self, tasks: TaskBatch, rng: Rng) -> TaskBatch:
        """Return the episodes with their supports in a random order."""
        assert isinstance(tasks, EpisodeBatch)
        return shuffle_support(tasks, rng)

    def predict(self, theta: Weights, tasks: EpisodeBatch) -> Iterator[Prediction]:
        """Read the support, then each query from the state that it leaves."""
        yield Prediction(0, self._answer(theta, tasks))

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Differentiate the query loss through all steps of reading."""

        def task_loss(theta: Weights, batch: EpisodeBatch) -> Tensor:
            return batch.each_loss(self._answer(theta, batch), batch.query.y).mean(1)

        return outer_gradient(meta, tasks, task_loss, per_member=False)

    def _init_net(self, inputs: int, outputs: int, rng: Rng) -> Weights:
        if self.cell == "gru":
            cell = init_gru(inputs, self.hidden, rng.child("cell"))
        else:
            cell = init_lstm(inputs, self.hidden, 1, rng.child("cell"))
        readout = init_dense((self.hidden, outputs), rng.child("readout"), last=1.0)
        return _with_prefix("cell.", cell) | _with_prefix("readout.", readout)

    def _answer(self, theta: Weights, tasks: EpisodeBatch) -> Tensor:
        cell = {
            name.removeprefix("cell."): value
            for name, value in theta.items()
            if name.startswith("cell.")
        }

        def step(x: Tensor, state: Weights) -> tuple[Tensor, Weights]:
            hidden = self._advance(cell, x, state)
            out = apply_dense(theta, hidden["h0"].mT, "readout.")
            return out.mT, hidden

        groups = len(theta["readout.b0"])
        items = tasks.members // groups
        zero = tasks.support.x.new_zeros(groups, items, self.hidden)
        start = {"h0": zero} if self.cell == "gru" else {"h0": zero, "c0": zero}
        return read_episodes(theta, tasks, start, step)

    def _advance(self, cell: Weights, x: Tensor, state: Weights) -> Weights:
        """Return the state after one more input; shape (group, item, unit)."""
        before = {name: value.mT for name, value in state.items()}
        if self.cell == "gru":
            return {"h0": apply_gru(cell, x.mT, before["h0"]).mT}
        _, after = apply_lstm(cell, x.mT, before)
        return {name: value.mT for name, value in after.items()}


def _with_prefix(prefix: str, weights: Weights) -> Weights:
    return {f"{prefix}{name}": value for name, value in weights.items()}
