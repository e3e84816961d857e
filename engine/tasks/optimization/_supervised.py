"""Training of a base learner on data, for many members in one batch."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.contract.errors import Refused
from engine.contract.rng import Rng
from engine.kernels import trainings
from engine.kernels.dense_loss import DenseKernel, DenseLayers, find_kernel
from engine.kernels.member_loss import member_loss
from engine.kernels.trainings import Span, TrainedSpan, TrainingData
from engine.protocol import (
    BaseLearner,
    BatchSpec,
    Gradient,
    Layout,
    OptimizationBatch,
    Sample,
    SampledFamily,
    Setting,
    UpdateRule,
    Weights,
    chosen_class,
)
from engine.tasks.optimization._task_data import (
    TaskData,
    TensorMap,
    draw_batches,
    drift_data,
    stack_data,
)


class DataFamily(SampledFamily):
    """Base class of families that draw data to train a base learner on."""

    def draw(
        self, setting: Setting, rngs: Sequence[Rng], pool: str, batch_spec: BatchSpec
    ) -> OptimizationBatch:
        """Draw the data of each task, apply the setting's changes, and stack them."""
        samples = self.draw_samples(setting, rngs, pool)
        return stack_samples(samples, setting, rngs, batch_spec)


def stack_samples(
    samples: Sequence[Sample],
    setting: Setting,
    rngs: Sequence[Rng],
    batch_spec: BatchSpec,
) -> "SupervisedBatch":
    """Make a batch of sampled data, one member per sample.

    Args:
        samples: Of the same size.
        setting: The base learner and the horizon.
        rngs: One stream per sample, for initial weights and minibatches.
        batch_spec: Replicates, device and dtype.

    Raises:
        Refused: If the net keeps running statistics, which no gradient moves.
    """
    first = samples[0]
    layout = setting.net.layout((first.x.shape[0],), first.outputs)
    if layout.buffers:
        raise Refused(
            "meta_batch normalization is for few-shot tasks; choose batch or layer",
            "net.knobs.normalization",
        )
    start = [setting.net.init(layout, rng.child("weights")) for rng in rngs]
    later = [s.later for s in samples if s.later is not None]
    return SupervisedBatch(
        net=setting.net,
        layout=layout,
        replicates=batch_spec.replicates,
        horizon=setting.horizon,
        weights=torch.from_numpy(np.stack(start)).to(
            batch_spec.device, batch_spec.dtype
        ),
        data=stack_data(samples, batch_spec),
        outputs=first.outputs,
        has_classes=first.y.dtype.kind == "i",
        batch_rows=draw_batches(setting, rngs, first.x.shape[1], batch_spec),
        later=stack_data(later, batch_spec) if later else None,
        drift=first.drift,
        measure_held_out=batch_spec.measure_held_out,
    )


def _attach_gradient(loss: Tensor, grad: Tensor, weights: Tensor) -> Tensor:
    """Make a loss differentiable by its known gradient, without the net's graph."""
    # Adds 0 to the value, and `grad` to the derivative.
    return loss + ((weights - weights.detach()) * grad).sum(1)


@dataclass
class SupervisedBatch(OptimizationBatch):
    """Base learners in training, with their data; see `OptimizationBatch`."""

    net: BaseLearner
    layout: Layout
    replicates: int
    horizon: int
    weights: Tensor
    data: TaskData
    outputs: int
    has_classes: bool
    batch_rows: Tensor | None
    later: TaskData | None
    drift: tuple[float, float]
    measure_held_out: bool = True

    @property
    def members(self) -> int:
        return self.weights.shape[0]

    @property
    def drift_start(self) -> int | None:  # type: ignore[override]
        """First step with drifted data; None without drift."""
        return None if self.later is None else round(self.drift[0] * self.horizon)

    def start(self) -> Tensor:
        """Return the initial weights; shape (member, weight)."""
        return self.weights

    @property
    def chunk(self) -> int:  # type: ignore[override]
        """Number of members that are computed at once."""
        # Kernels need no more memory for more members; every call has a fixed cost.
        return 256 if self._kernel else 64

    @property
    def _kernel(self) -> DenseKernel | None:
        """The compiled code for this net; None if torch computes it."""
        return find_kernel(self._dense_layers, self.weights)

    @cached_property
    def _dense_layers(self) -> DenseLayers | None:
        return self.net.dense_layers(self.layout)

    def gradient(self, weights: Tensor, step: int, *, order: int = 0) -> Gradient:
        """Return the (mini)batch loss and its gradient; see `OptimizationBatch`."""
        live = order > 0 and weights.requires_grad
        # The explicit gradient is detached, so a second order needs autograd.
        explicit = self._kernel or self.net.can_backpropagate
        if explicit and not (live and order == 2):
            loss, grad = self._explicit_gradient(weights, step)
            loss = _attach_gradient(loss, grad, weights) if live else loss
        else:
            loss, grad = self._autograd_gradient(weights, step, live, order == 2)
        if self.net.weight_decay:
            grad = grad + self.net.weight_decay * weights
        # Before clipping, with the weight decay.
        norm = torch.linalg.vector_norm(grad, dim=1)
        if self.net.clip:
            grad = grad * (self.net.clip / norm.clamp(min=self.net.clip))[:, None]
        return Gradient(loss if live else loss.detach(), grad, norm)

    def train(
        self, rule: UpdateRule, weights: Tensor, state: Weights, span: Span
    ) -> TrainedSpan | None:
        """Train for several steps at once, by the kernels."""
        kernel = self._kernel
        # A drift changes the data from step to step.
        compiled = None if self.later or not kernel else rule.kernel_form(self.horizon)
        if not (kernel and compiled):
            return None
        measured = self.measure_held_out or self.batch_rows is not None
        data = TrainingData(
            *self.data.train_rows,
            self.batch_rows,
            self.data.held_rows if measured else None,
            self.net.weight_decay,
            self.net.clip,
            self.horizon,
        )
        return trainings.train_members(kernel, weights, data, compiled, state, span)

    def measure(self, weights: Tensor, step: int) -> Weights:
        """Return held-out loss and accuracy, and the full training loss."""
        if not self.measure_held_out and self.batch_rows is None:
            return {}
        data = self._data_at(step)
        if self._kernel:
            return self._measure_compiled(self._kernel, weights, data)
        with torch.no_grad():
            views = self.layout.views(weights)
            out = self.net.apply(views, data.x, reference=data.train)
            each = self._each_loss(out, data.y)
            measured = {"held_loss": each[:, data.train :].mean(1)}
            if self.batch_rows is not None:
                measured["loss"] = each[:, : data.train].mean(1)
            if self.has_classes:
                right = (chosen_class(out) == data.y)[:, data.train :]
                share = right.to(each.dtype).mean(1)
                # NaN counts as the highest score: such members get no accuracy.
                bad = ~out[..., data.train :].isfinite().flatten(1).all(1)
                measured["accuracy"] = share.masked_fill(bad, torch.nan)
        return measured

    def _measure_compiled(
        self, kernel: DenseKernel, weights: Tensor, data: TaskData
    ) -> Weights:
        """Return what `measure` does."""
        found = kernel.evaluate(weights, *data.held_rows, accuracy=self.has_classes)
        measured = {"held_loss": found.loss}
        if found.accuracy is not None:
            measured["accuracy"] = found.accuracy
        if self.batch_rows is not None:
            measured["loss"] = kernel.evaluate(weights, *data.train_rows).loss
        return measured

    def take(self, index: Sequence[int]) -> "Self":
        """Return the chosen members as one replicate."""
        chosen = torch.as_tensor(index, device=self.weights.device)
        return self.map_tensors(lambda tensor: tensor[chosen], 1)

    def repeat(self, particles: int) -> "Self":
        """Return the batch with each task repeated: replicate × particle × task."""
        return self.map_tensors(
            lambda tensor: (
                tensor.unflatten(0, (self.replicates, 1, -1))
                .expand(-1, particles, *[-1] * tensor.dim())
                .flatten(0, 2)
            ),
            self.replicates,
        )

    def map_tensors(self, change: TensorMap, replicates: int = 0) -> "Self":
        """Apply a function to every tensor; see `OptimizationBatch`."""
        return replace(
            self,
            replicates=replicates or self.replicates,
            weights=change(self.weights),
            data=self.data.map(change),
            batch_rows=None if self.batch_rows is None else change(self.batch_rows),
            later=None if self.later is None else self.later.map(change),
        )

    def _autograd_gradient(
        self, weights: Tensor, step: int, live: bool, twice: bool
    ) -> tuple[Tensor, Tensor]:
        leaf = weights if live else weights.detach().requires_grad_()
        x, y = self._batch(step)
        with torch.enable_grad():
            if self._kernel:
                loss = member_loss(self._kernel, (leaf,), x, y)
            else:
                out = self.net.apply(self.layout.views(leaf), x)
                loss = self._each_loss(out, y).mean(1)
            grad = torch.autograd.grad(
                loss.sum(), leaf, create_graph=live and twice, retain_graph=live
            )[0]
        return loss, grad

    @torch.no_grad()
    def _explicit_gradient(self, weights: Tensor, step: int) -> tuple[Tensor, Tensor]:
        x, y = self._batch(step)
        if self._kernel:
            found = self._kernel.evaluate(weights, x, y, grad=True)
            assert found.grad is not None
            return found.loss, found.grad

        def loss_and_slope(out: Tensor) -> tuple[Tensor, Tensor]:
            if not self.has_classes:
                error = out[:, 0] - y
                slope = (2 / y.shape[1]) * error
                return error.square().mean(1), slope[:, None]
                # In place: log p becomes p, then p − one-hot(y).
            log_share, index = out.log_softmax(1), y[:, None]
            loss = -log_share.gather(1, index).mean((1, 2))
            slope = log_share.exp_().scatter_(1, index, -1.0, reduce="add")
            return loss, slope.div_(y.shape[1])

        return self.net.backpropagate(self.layout.views(weights), x, loss_and_slope)

    def _batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Return the (mini)batch of a step: inputs and targets."""
        x, y = self._data_at(step).train_rows
        if self.batch_rows is None:
            return x, y
        pick = self.batch_rows[:, min(step, self.batch_rows.shape[1] - 1)]
        return x.gather(2, pick[:, None].expand(-1, x.shape[1], -1)), y.gather(1, pick)

    def _each_loss(self, out: Tensor, y: Tensor) -> Tensor:
        if self.has_classes:
            return F.cross_entropy(out, y, reduction="none")
        return (out[:, 0] - y).square()

    def _data_at(self, step: int) -> TaskData:
        """Return the data of a step."""
        start, length = (share * self.horizon for share in self.drift)
        return drift_data(self.data, self.later, (start, length), step)
