"""Trainings over several steps at once, by the compiled kernels."""

from functools import cache
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from engine.kernels.dense_loss import DenseKernel

# What a training records at each step, in the kernel's order.
RECORDED = (
    "loss",
    "grad_norm",
    "weight_norm",
    "update_norm",
    "lr_scale",
    "held_loss",
    "accuracy",
)
_NO_PICKS = np.empty((0, 0, 0), np.int64)
_NO_INPUTS, _NO_TARGETS = np.empty((0, 0, 0), np.float32), np.empty((0, 0), np.float32)


class CompiledRule(NamedTuple):
    """An update rule that the kernels have, too.

    Args:
        name: Of its function in `update_rules`.
        constants: The rate first; float64, shape (member, constant).
        state: Names of its state's tensors, in the function's order.
        factors: What a schedule multiplies the rate by, at every step of the horizon;
            empty for 1.
    """

    name: str
    constants: Tensor
    state: tuple[str, ...] = ()
    factors: tuple[float, ...] = ()


class Span(NamedTuple):
    """Some consecutive steps of a training.

    Args:
        first: Number of the first one.
        steps: How many, at each of which loss and gradient are evaluated.
        updates: After how many of them the weights move: all, or all but the last.
        finite: Whether what is not finite of an update is left out.
        measured: Whether the metrics on the held-out rows are wanted.
    """

    first: int
    steps: int
    updates: int
    finite: bool = False
    measured: bool = True


class TrainedSpan(NamedTuple):
    """What some steps of a training give.

    Args:
        weights: After the last update; shape (member, weight).
        state: Of the rule, likewise.
        traces: By metric; shape (member, step).
    """

    weights: Tensor
    state: dict[str, Tensor]
    traces: dict[str, Tensor]


class TrainingData(NamedTuple):
    """What members are trained on.

    Args:
        x: Inputs; shape (member, feature, example).
        y: Classes (int64) or regression targets; shape (member, example).
        picks: Examples of each step's minibatch, shape (member, step, pick); None for
            all examples.
        held: Held-out inputs and targets; None if they are not measured.
        decay: Weight decay.
        limit: The largest norm of a gradient; 0 never clips.
        horizon: Steps in all.
    """

    x: Tensor
    y: Tensor
    picks: Tensor | None
    held: tuple[Tensor, Tensor] | None
    decay: float
    limit: float
    horizon: int


@cache
def load_trainer(rule: str) -> tuple[ModuleType, Any] | None:
    """Import and compile trainings and one update rule, once per process.

    Args:
        rule: Its name.

    Returns:
        The trainer's module, and the rule; None if they cannot be compiled.
    """
    try:
        # Only where it is used: few-shot learners need no whole trainings.
        from engine.kernels import dense_trainer
        from engine.kernels.update_rules import find_rule

        return dense_trainer, find_rule(rule)
    except Exception:  # a compiler fails in many ways; none ends a run
        return None


def train_members(
    kernel: DenseKernel,
    weights: Tensor,
    data: TrainingData,
    rule: CompiledRule,
    state: dict[str, Tensor],
    span: Span,
) -> TrainedSpan | None:
    """Train every member for some steps; None if that cannot be compiled here.

    Args:
        kernel: The compiled code of the net.
        weights: Before the first step; float32, shape (member, weight).
        data: What they are trained on.
        rule: The update rule.
        state: Its state before the first step, by name.
        span: The steps.
    """
    code = load_trainer(rule.name)
    if code is None:
        return None
    trainer, step = code
    after = weights.detach().numpy().copy()
    flat = [state[name].detach().flatten(1).numpy() for name in rule.state]
    inner = np.concatenate(flat, 1) if flat else np.empty((len(after), 0), np.float32)
    traces = np.empty((len(RECORDED), len(after), span.steps), np.float32)
    held = data.held if span.measured else None
    problem = trainer.Problem(
        kernel.net_for(data.y),
        data.x.contiguous().numpy(),
        data.y.float().contiguous().numpy(),
        _NO_PICKS if data.picks is None else data.picks.contiguous().numpy(),
        held[0].contiguous().numpy() if held else _NO_INPUTS,
        held[1].float().contiguous().numpy() if held else _NO_TARGETS,
        data.decay,
        data.limit,
        data.horizon,
    )
    factors = rule.factors[span.first : span.first + span.updates]
    trainer.train(
        problem,
        step,
        np.ascontiguousarray(rule.constants.detach().numpy()),
        np.array(factors or [1.0] * span.updates),
        after,
        inner,
        span.first,
        span.updates,
        span.finite,
        _make_memory(kernel, data, span),
        traces,
    )
    ends = np.cumsum([part.shape[1] for part in flat])[:-1]
    parts = np.split(inner, ends, 1) if flat else []
    later = {
        name: torch.from_numpy(part).view(state[name].shape)
        for name, part in zip(rule.state, parts, strict=True)
    }
    found = _select_traces(traces, data, span)
    return TrainedSpan(torch.from_numpy(after), later, found)


def _make_memory(
    kernel: DenseKernel, data: TrainingData, span: Span
) -> tuple[np.ndarray, ...]:
    """Return rows for minibatches, for all examples, and for the held-out ones."""
    examples, measured = data.x.shape[2], span.measured
    if data.picks is None:
        sizes = examples, 0
    else:
        sizes = data.picks.shape[2], examples if measured else 0
    held = data.held[0].shape[2] if data.held and measured else 0
    return tuple(kernel.make_rows(size) for size in (*sizes, held))


def _select_traces(
    traces: np.ndarray, data: TrainingData, span: Span
) -> dict[str, Tensor]:
    """Return what was recorded of the traces, by metric."""
    found = {n: torch.from_numpy(traces[i]) for i, n in enumerate(RECORDED)}
    for name in ("update_norm", "lr_scale"):
        found[name] = found[name][:, : span.updates]
    if not (data.held and span.measured):
        del found["held_loss"], found["accuracy"]
    elif data.y.is_floating_point():
        del found["accuracy"]
    return found
