"""A base learner on data, as a landscape: many small trainings side by side."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.contract.errors import Refused
from engine.contract.rng import Rng
from engine.protocol import (
    BaseLearner,
    Gradient,
    Landscapes,
    Layout,
    Place,
    Sample,
    SampledFamily,
    Setting,
    Weights,
    chosen_class,
    generator,
)

Change = Callable[[Tensor], Tensor]


class DataFamily(SampledFamily):
    """A family that draws data; the base learner makes it a landscape."""

    def draw(
        self, setting: Setting, rngs: Sequence[Rng], pool: str, place: Place
    ) -> Landscapes:
        """Draw the data of each task, change it as the setting says, and stack."""
        samples = self.samples(setting, rngs, pool)
        return stack_samples(samples, setting, rngs, place)


@dataclass(frozen=True)
class Data:
    """Stacked examples: x (member, feature, example), y (member, example).

    The first `train` examples are trained on, the rest are held out.
    """

    x: Tensor
    y: Tensor
    train: int

    def map(self, change: "Change") -> "Data":
        """Apply a function to both tensors."""
        return Data(change(self.x), change(self.y), self.train)


def stack_samples(
    samples: Sequence[Sample], setting: Setting, rngs: Sequence[Rng], place: Place
) -> "Supervised":
    """Make a landscape of drawn data: one member per sample."""
    first = samples[0]
    layout = setting.net.layout((first.x.shape[0],), first.outputs)
    if layout.resting:
        raise Refused(
            "normalization by inner step is of few-shot tasks; choose batch or layer",
            "net.knobs.normalization",
        )
    start = [setting.net.init(layout, rng.child("weights")) for rng in rngs]
    later = [s.later for s in samples if s.later is not None]
    return Supervised(
        net=setting.net,
        layout=layout,
        replicates=place.replicates,
        horizon=setting.horizon,
        weights=torch.from_numpy(np.stack(start)).to(place.device, place.dtype),
        data=_stack(samples, place),
        outputs=first.outputs,
        classes=first.y.dtype.kind == "i",
        picks=_picks(setting, rngs, first.x.shape[1], place),
        later=_stack(later, place) if later else None,
        drift=first.drift,
        held=place.held,
    )


def _stack(samples: Sequence[Sample], place: Place) -> Data:
    x = np.stack([np.concatenate([s.x, s.held_x], 1) for s in samples])
    y = np.stack([np.concatenate([s.y, s.held_y]) for s in samples])
    kind = torch.int64 if y.dtype.kind == "i" else place.dtype
    return Data(
        torch.from_numpy(x).to(place.device, place.dtype),
        torch.from_numpy(y).to(place.device, kind),
        samples[0].x.shape[1],
    )


def _picks(
    setting: Setting, rngs: Sequence[Rng], examples: int, place: Place
) -> Tensor | None:
    """Choose each step's minibatch ahead; earlier steps do not depend on later."""
    size = setting.net.batch_size
    if size == 0 or size >= examples:
        return None
    shape = (setting.horizon + 1, size)
    drawn = [generator(r.child("batches")).integers(0, examples, shape) for r in rngs]
    return torch.from_numpy(np.stack(drawn)).to(place.device)


def _sloped(loss: Tensor, grad: Tensor, weights: Tensor) -> Tensor:
    """Make a loss differentiable whose gradient is known: no graph of the net."""
    return loss + ((weights - weights.detach()) * grad).sum(1)


@dataclass
class Supervised(Landscapes):
    """Base learners and their data; see `Landscapes`."""

    net: BaseLearner
    layout: Layout
    replicates: int
    horizon: int
    weights: Tensor
    data: Data
    outputs: int
    classes: bool
    picks: Tensor | None
    later: Data | None
    drift: tuple[float, float]
    held: bool = True

    @property
    def members(self) -> int:
        return self.weights.shape[0]

    @property
    def drift_start(self) -> int | None:  # type: ignore[override]
        """First step that sees drifted data, if any does."""
        return None if self.later is None else round(self.drift[0] * self.horizon)

    def start(self) -> Tensor:
        """Return the initial weights; shape (member, weight)."""
        return self.weights

    def gradient(self, weights: Tensor, step: int, *, order: int = 0) -> Gradient:
        """Return the (mini)batch loss and its gradient; see `Landscapes`."""
        live = order > 0 and weights.requires_grad
        if self.net.explicit and not (live and order == 2):
            loss, grad = self._by_hand(weights, step)
            loss = _sloped(loss, grad, weights) if live else loss
        else:
            loss, grad = self._by_autograd(weights, step, live, order == 2)
        if self.net.weight_decay:
            grad = grad + self.net.weight_decay * weights
        norm = grad.norm(dim=1)
        if self.net.clip:
            grad = grad * (self.net.clip / norm.clamp(min=self.net.clip))[:, None]
        return Gradient(loss if live else loss.detach(), grad, norm)

    def measure(self, weights: Tensor, step: int) -> Weights:
        """Return held-out loss and accuracy, and the full training loss."""
        if not self.held and self.picks is None:
            return {}
        data = self._at(step)
        with torch.no_grad():
            views = self.layout.views(weights)
            out = self.net.apply(views, data.x, reference=data.train)
            each = self._each_loss(out, data.y)
            measured = {"held_loss": each[:, data.train :].mean(1)}
            if self.picks is not None:
                measured["loss"] = each[:, : data.train].mean(1)
            if self.classes:
                right = (chosen_class(out) == data.y)[:, data.train :]
                share = right.to(each.dtype).mean(1)
                bad = ~out.isfinite().flatten(1).all(1)
                measured["accuracy"] = share.masked_fill(bad, torch.nan)
        return measured

    def take(self, index: Sequence[int]) -> "Self":
        """Return the chosen members as one replicate."""
        chosen = torch.as_tensor(index, device=self.weights.device)
        return self._mapped(lambda tensor: tensor[chosen], 1)

    def repeat(self, particles: int) -> "Self":
        """Put copies between replicate and task."""
        return self._mapped(
            lambda tensor: (
                tensor.unflatten(0, (self.replicates, 1, -1))
                .expand(-1, particles, *[-1] * tensor.dim())
                .flatten(0, 2)
            ),
            self.replicates,
        )

    def _mapped(self, change: Change, replicates: int) -> "Self":
        return replace(
            self,
            replicates=replicates,
            weights=change(self.weights),
            data=self.data.map(change),
            picks=None if self.picks is None else change(self.picks),
            later=None if self.later is None else self.later.map(change),
        )

    def _by_autograd(
        self, weights: Tensor, step: int, live: bool, twice: bool
    ) -> tuple[Tensor, Tensor]:
        leaf = weights if live else weights.detach().requires_grad_()
        x, y = self._batch(step)
        with torch.enable_grad():
            out = self.net.apply(self.layout.views(leaf), x)
            loss = self._each_loss(out, y).mean(1)
            grad = torch.autograd.grad(
                loss.sum(), leaf, create_graph=live and twice, retain_graph=live
            )[0]
        return loss, grad

    @torch.no_grad()
    def _by_hand(self, weights: Tensor, step: int) -> tuple[Tensor, Tensor]:
        x, y = self._batch(step)

        def judge(out: Tensor) -> tuple[Tensor, Tensor]:
            if not self.classes:
                error = out[:, 0] - y
                slope = (2 / y.shape[1]) * error
                return error.square().mean(1), slope[:, None]
            log_share, index = out.log_softmax(1), y[:, None]
            loss = -log_share.gather(1, index).mean((1, 2))
            slope = log_share.exp_().scatter_(1, index, -1.0, reduce="add")
            return loss, slope.div_(y.shape[1])

        return self.net.backpropagate(self.layout.views(weights), x, judge)

    def _batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Return the (mini)batch of a step: inputs and targets."""
        data = self._at(step)
        x, y = data.x[..., : data.train], data.y[:, : data.train]
        if self.picks is None:
            return x, y
        pick = self.picks[:, min(step, self.picks.shape[1] - 1)]
        return x.gather(2, pick[:, None].expand(-1, x.shape[1], -1)), y.gather(1, pick)

    def _each_loss(self, out: Tensor, y: Tensor) -> Tensor:
        if self.classes:
            return F.cross_entropy(out, y, reduction="none")
        return (out[:, 0] - y).square()

    def _at(self, step: int) -> Data:
        """Return the data as they are at a step; a drift goes example by example."""
        if self.later is None:
            return self.data
        start, length = (share * self.horizon for share in self.drift)
        gone = 1.0 if step >= start + length else (step - start) / max(length, 1e-9)
        if step < round(start) or gone <= 0:
            return self.data
        count = self.data.y.shape[1]
        # A fixed scatter over the examples, so that train and held-out drift alike.
        rank = torch.arange(count, device=self.data.y.device) * 0.6180339887498949 % 1.0
        changed = rank < gone
        return Data(
            torch.where(changed, self.later.x, self.data.x),
            torch.where(changed, self.later.y, self.data.y),
            self.data.train,
        )
