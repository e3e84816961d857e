"""The data that base learners are trained on: stacked, cut in minibatches, drifting."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.contract.rng import Rng
from engine.protocol import BatchSpec, Sample, Setting, generator

TensorMap = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class TaskData:
    """Stacked examples.

    Args:
        x: Inputs; shape (member, feature, example).
        y: Targets; shape (member, example).
        train: Number of training examples; the rest are held out.
    """

    x: Tensor
    y: Tensor
    train: int

    @property
    def train_rows(self) -> tuple[Tensor, Tensor]:
        """Return the inputs and targets that are trained on."""
        return self.x[..., : self.train], self.y[:, : self.train]

    @property
    def held_rows(self) -> tuple[Tensor, Tensor]:
        """Return the other inputs and targets."""
        return self.x[..., self.train :], self.y[:, self.train :]

    def map(self, change: TensorMap) -> "TaskData":
        """Apply a function to both tensors."""
        return TaskData(change(self.x), change(self.y), self.train)


def stack_data(samples: Sequence[Sample], batch_spec: BatchSpec) -> TaskData:
    """Stack the data of tasks of the same size, one member each."""
    x = np.stack([np.concatenate([s.x, s.held_x], 1) for s in samples])
    y = np.stack([np.concatenate([s.y, s.held_y]) for s in samples])
    kind = torch.int64 if y.dtype.kind == "i" else batch_spec.dtype
    return TaskData(
        torch.from_numpy(x).to(batch_spec.device, batch_spec.dtype),
        torch.from_numpy(y).to(batch_spec.device, kind),
        samples[0].x.shape[1],
    )


def draw_batches(
    setting: Setting, rngs: Sequence[Rng], examples: int, batch_spec: BatchSpec
) -> Tensor | None:
    """Draw the minibatches of all steps; a longer horizon keeps the earlier ones."""
    size = setting.net.batch_size
    if size == 0 or size >= examples:
        return None
    # One more than steps: the final loss is measured on a batch of its own.
    shape = (setting.horizon + 1, size)
    drawn = [generator(r.child("batches")).integers(0, examples, shape) for r in rngs]
    return torch.from_numpy(np.stack(drawn)).to(batch_spec.device)


def drift_data(
    data: TaskData, later: TaskData | None, drift: tuple[float, float], step: int
) -> TaskData:
    """Return the data of a step; a drift changes one example after the other.

    Args:
        data: Before the drift.
        later: After it; None if there is none.
        drift: Its start and its length, in steps.
        step: The step.
    """
    start, length = drift
    # The floor avoids 0 / 0 for an abrupt drift.
    gone = 1.0 if step >= start + length else (step - start) / max(length, 1e-9)
    if later is None or step < round(start) or gone <= 0:
        return data
    count = data.y.shape[1]
    # Golden-ratio order over the examples, so that train and held-out drift alike.
    rank = torch.arange(count, device=data.y.device) * 0.6180339887498949 % 1.0
    changed = rank < gone
    return TaskData(
        torch.where(changed, later.x, data.x),
        torch.where(changed, later.y, data.y),
        data.train,
    )
