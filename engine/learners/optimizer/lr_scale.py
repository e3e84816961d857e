"""LR scale: a small net reads the training state and scales SGD's learning rate.

Source: ours, after Daniel, Taylor and Nowozin (2016) and Xu et al. (2019),
arXiv:1909.09712: training-state features, a policy over the learning rate.
Differs: the net outputs a target for the log scale, which moves there by bounded
steps; summing log-rate changes instead would drift exponentially.
Helps: where one rate does not fit all tasks, or inputs are rescaled; in
distribution a well-tuned rate is about as good.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np
import torch
from torch import Tensor

from engine.algorithms.optimization.learned_optimizer import WRITTEN, LearnedOptimizer
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.kernels.trainings import CompiledRule
from engine.nets.dense import apply_dense, init_dense, stack_members
from engine.protocol import (
    Meta,
    OptimizationBatch,
    OptimizerInput,
    OptimizerUpdate,
    UpdateRule,
    Weights,
    generator,
)

Signal = Literal["loss", "grad_norm", "weight_norm", "changes", "scale", "progress"]
_LOGS = ("loss", "grad_norm", "weight_norm")
# Plain logs differ by several units between tasks; a net's inputs should be about 1.
_SIZE = 0.5


@register("learner")
class LrScale(LearnedOptimizer):
    """w ← w − η exp(s) g, s ← s + clip(κ tanh(net(signals)/κ) − s, ±c)."""

    version: ClassVar[int] = 2
    hue: ClassVar[str] = "blue"
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})
    estimators: ClassVar[tuple[str, ...]] = (
        "pes",
        "es",
        "unroll",
        "policy_gradient",
        "ppo",
    )
    exploration_weights: ClassVar[tuple[str, ...]] = ("log_std",)

    lr: float = knob(
        0.3,
        label="Base learning rate η",
        unit="per step",
        low=1e-8,
        high=1e3,
        log=True,
        help="The rate that is scaled; before training, this is SGD at that rate.",
        follows="rate",
    )
    hidden: int = knob(
        16,
        label="Hidden units",
        unit="units",
        low=1,
        high=128,
        work="size",
        help="Width of the net that reads the signals.",
    )
    bound: float = knob(
        0.5,
        label="Step bound c",
        unit="ln ×",
        low=0.01,
        high=5.0,
        help="How far the log scale may move in one step.",
    )
    span: float = knob(
        5.0,
        label="Range κ",
        unit="ln ×",
        low=0.1,
        high=10.0,
        help="The log scale stays within ±κ.",
    )
    scope: Literal["global", "layer"] = knob(
        "global", label="Scope", help="One scale for the whole net, or one per layer."
    )
    signals: tuple[Signal, ...] = knob(
        ("loss", "grad_norm", "weight_norm", "changes", "scale", "progress"),
        label="Signals",
        help="Inputs of the net; they determine to which tasks it transfers.",
    )
    normalize: Literal["start", "fixed"] = knob(
        "fixed",
        label="Signal normalization",
        help="Fixed: plain logs, which distinguish steep from flat tasks at once. "
        "Start: relative to their first value, which does not.",
    )
    clip: float = knob(
        5.0,
        label="Signal clip",
        low=0.1,
        high=100.0,
        advanced=True,
        help="Largest absolute value of a signal, against outliers.",
    )
    noise: float = knob(
        0.3,
        label="Policy noise σ",
        unit="ln ×",
        low=0.01,
        high=3.0,
        advanced=True,
        help="Initial standard deviation of the action, for policy gradient and PPO.",
    )

    def init(self, rngs: Sequence[Rng], tasks: OptimizationBatch) -> Meta:
        """Draw nets whose initial output is 0: the optimizer starts as SGD."""
        sizes = (self.inputs, self.hidden, 1)
        device = tasks.start().device
        nets = [init_dense(sizes, rng.child("controller")) for rng in rngs]
        weights = stack_members(nets)
        weights["log_std"] = torch.full((len(rngs), 1), float(np.log(self.noise)))
        return Meta(
            {k: v.to(device, tasks.start().dtype) for k, v in weights.items()}, {}
        )

    @property
    def scale_limits(self) -> tuple[float, float]:
        """Return the smallest and the largest scale."""
        return math.exp(-self.span), math.exp(self.span)

    @property
    def inputs(self) -> int:
        """Return the number of signals that the net sees."""
        logs = sum(name in self.signals for name in _LOGS)
        changes = 2 * ("changes" in self.signals)
        # Without any signal, progress is shown: a net needs an input.
        return max(
            1, logs + changes + sum(n in self.signals for n in ("scale", "progress"))
        )

    def policy(self, theta: Weights, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Return the net's output (the mean action) and log σ; see `PolicyProblem`."""
        return apply_dense(_net_weights(theta), seen)[:, 0], theta["log_std"]

    def rule(
        self, theta: Weights, tasks: OptimizationBatch, noise: tuple[Rng, ...] = ()
    ) -> UpdateRule:
        """Return the rule; with noise streams, its actions are sampled."""
        sizes = tasks.layout.layer_sizes() if self.scope == "layer" else (0,)
        return ScaleRule(self, theta, sizes, noise)


@dataclass(frozen=True)
class ScaleRule(UpdateRule):
    """The controller with frozen meta-weights.

    `layers` holds the number of weights of each layer, or (0,) if one scale is for all.
    """

    knobs: LrScale
    theta: Weights
    layers: tuple[int, ...]
    noise: tuple[Rng, ...]

    def start(self, weights: Tensor) -> Weights:
        """Return a log scale of 0, and empty first and last signals."""
        blank = weights.new_zeros(weights.shape[0], len(self.layers))
        logs = weights.new_zeros(weights.shape[0], len(_LOGS), len(self.layers))
        return {"scale": blank, "first": logs, "last": logs.clone()}

    def kernel_form(self, horizon: int) -> CompiledRule | None:
        """Return the kernels' form of the mean action with one scale for all."""
        if self.noise or len(self.layers) > 1:
            return None
        knobs, seen = self.knobs, self.knobs.signals
        shown = [name in seen for name in get_args(Signal)]
        # Without any signal, progress is shown.
        shown[-1] = shown[-1] or not seen
        fixed = [knobs.lr, knobs.span, knobs.bound, knobs.clip]
        fixed += [knobs.normalize == "start", *shown, knobs.hidden]
        net = [
            self.theta[name].double().flatten(1) for name in ("w0", "b0", "w1", "b1")
        ]
        shared = net[0].new_tensor(fixed).expand(len(net[0]), -1)
        state = ("scale", "first", "last")
        return CompiledRule("lr_scale", torch.cat([shared, *net], 1), state)

    def step(self, inputs: OptimizerInput, state: Weights) -> OptimizerUpdate:
        """Compute the signals, move the log scale and take the scaled step."""
        logs = self._logs(inputs)
        first = logs if inputs.step == 0 else state["first"]
        last = logs if inputs.step == 0 else state["last"]
        seen = self._signals(inputs, logs, (first, last, state["scale"]))
        action = apply_dense(_net_weights(self.theta), seen)[:, 0]
        if self.noise:
            action = action + self._draw_noise(action, inputs.step)
        span, bound = self.knobs.span, self.knobs.bound
        # tanh keeps the target within ±κ; the clamp bounds the step toward it.
        target = span * torch.tanh(action / span)
        scale = state["scale"] + (target - state["scale"]).clamp(-bound, bound)
        update = -self.knobs.lr * self._expand_layers(scale.exp()) * inputs.grad
        info = {"lr_scale": scale.exp() if len(self.layers) > 1 else scale.exp()[:, 0]}
        if self.noise:
            info |= {f"{WRITTEN}seen": seen, f"{WRITTEN}action": action}
        return OptimizerUpdate(
            update, {"scale": scale, "first": first, "last": logs}, info
        )

    def _logs(self, inputs: OptimizerInput) -> Tensor:
        """Return log loss, gradient and weight norm; (member, 3, layer)."""
        # Signals are constants even in second order: only the update is differentiated.
        loss = inputs.loss.detach()[:, None].expand(-1, len(self.layers))
        norms = [
            self._norms(t) for t in (inputs.grad.detach(), inputs.weights.detach())
        ]
        logs = torch.stack([loss, *norms], 1).clamp(1e-12, 1e12).log()
        # NaN reads as too large: 27 is just below ln 1e12.
        return torch.nan_to_num(logs, nan=27.0)

    def _norms(self, flat: Tensor) -> Tensor:
        if len(self.layers) == 1:
            return flat.norm(dim=1, keepdim=True)
        return torch.stack([p.norm(dim=1) for p in flat.split(self.layers, 1)], 1)

    def _signals(
        self, inputs: OptimizerInput, logs: Tensor, past: tuple[Tensor, Tensor, Tensor]
    ) -> Tensor:
        """Return what the net sees; (member, signal, layer)."""
        first, last, scale = past
        knobs = self.knobs
        level = logs - first if knobs.normalize == "start" else _SIZE * logs
        rows = [level[:, i] for i, name in enumerate(_LOGS) if name in knobs.signals]
        if "changes" in knobs.signals:
            # Changes of loss and gradient norm, scaled to about 1.
            rows += [5 * (logs - last)[:, i] for i in (0, 1)]
        if "scale" in knobs.signals:
            rows.append(scale.detach())
        if "progress" in knobs.signals or not rows:
            rows.append(torch.full_like(scale, 2 * inputs.step / inputs.horizon - 1))
        return torch.stack(rows, 1).clamp(-knobs.clip, knobs.clip)

    def _draw_noise(self, action: Tensor, step: int) -> Tensor:
        """Draw exploration noise from one stream per replicate and step."""
        per = (action.shape[0] // len(self.noise), action.shape[1])
        drawn = [
            generator(r.child("noise", step)).standard_normal(per) for r in self.noise
        ]
        noise = torch.from_numpy(np.concatenate(drawn)).to(action)
        return noise * self.theta["log_std"].exp()

    def _expand_layers(self, scale: Tensor) -> Tensor:
        """Give each weight its layer's scale; (member, layer) → (member, weight)."""
        if len(self.layers) == 1:
            return scale
        counts = torch.tensor(self.layers, device=scale.device)
        return scale.repeat_interleave(counts, 1)


def _net_weights(theta: Weights) -> Weights:
    # w0, b0, …; all but log_std.
    return {name: value for name, value in theta.items() if name[0] in "wb"}
