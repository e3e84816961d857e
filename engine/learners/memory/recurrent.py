"""Recurrent net: an LSTM or GRU that reads examples one by one and learns in its state.

Source: Hochreiter, Younger and Conwell (2001), Learning to Learn Using Gradient
Descent; Santoro et al. (2016), arXiv:1605.06065, section 4, for its use as a baseline.
Differs: the run's net embeds inputs; one layer; GRU is a choice. Where the whole
support is there from the start, only queries are answered, each as the next example.
Helps: as the plainest learner with a memory. All it knows of a task is in its state, a
vector of fixed size, so bound labels are forgotten sooner than with a memory of slots.
"""

from typing import ClassVar, Literal

from torch import Tensor

from engine.algorithms.few_shot.sequence_reader import ReadStep
from engine.algorithms.few_shot.step_learner import READ_OUT, StepLearner
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.nets.dense import apply_dense, init_dense
from engine.nets.gru import apply_gru, init_gru
from engine.nets.lstm import apply_lstm, init_lstm
from engine.protocol import EpisodeBatch, Weights


@register("learner")
class Recurrent(StepLearner):
    """h_t = LSTM(h_{t−1}, [f(x_t), y_{t−1}]), ŷ_t = W h_t + b; loss over queries."""

    version: ClassVar[int] = 1
    short: ClassVar[str] = "Recurrent"
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    trains: ClassVar[bool] = True

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
        work="size",
        help="Units of the cell; they hold all that it remembers of a task.",
    )

    def init_net(self, inputs: int, outputs: int, rng: Rng) -> Weights:
        """Draw the cell and the output layer."""
        if self.cell == "gru":
            cell = init_gru(inputs, self.hidden, rng.child("cell"))
        else:
            cell = init_lstm(inputs, self.hidden, 1, rng.child("cell"))
        readout = init_dense((self.hidden, outputs), rng.child("readout"), last=1.0)
        return _with_prefix("cell.", cell) | _with_prefix(READ_OUT, readout)

    def start(self, theta: Weights, tasks: EpisodeBatch) -> Weights:
        """Return a state of zeros."""
        groups = len(theta[f"{READ_OUT}b0"])
        items = tasks.members // groups
        zero = tasks.support.x.new_zeros(groups, items, self.hidden)
        return {"h0": zero} if self.cell == "gru" else {"h0": zero, "c0": zero}

    def step(self, theta: Weights) -> ReadStep:
        """Return one step of the cell."""
        cell = {
            name.removeprefix("cell."): value
            for name, value in theta.items()
            if name.startswith("cell.")
        }

        def advance(x: Tensor, state: Weights) -> tuple[Tensor, Weights]:
            hidden = self._advance(cell, x, state)
            out = apply_dense(theta, hidden["h0"].mT, READ_OUT)
            return out.mT, hidden

        return advance

    def _advance(self, cell: Weights, x: Tensor, state: Weights) -> Weights:
        """Return the state after one more input; shape (group, item, unit)."""
        before = {name: value.mT for name, value in state.items()}
        if self.cell == "gru":
            return {"h0": apply_gru(cell, x.mT, before["h0"]).mT}
        _, after = apply_lstm(cell, x.mT, before)
        return {name: value.mT for name, value in after.items()}


def _with_prefix(prefix: str, weights: Weights) -> Weights:
    return {f"{prefix}{name}": value for name, value in weights.items()}
