"""Train every recipe of one net design on one group of tasks, as one batch.

A member is optimizer × rate × task × seed. All nets of a task and seed start from the
same draws and see the same minibatches, whatever their design and recipe.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from engine.algorithms.optimization.update_rules import (
    Direction,
    adam_step,
    momentum_step,
    zeros,
)
from engine.contract.rng import Rng
from engine.data.sources.mosaic_space import FAILED, RECIPES, NetDesign
from engine.mosaic.nets import forward, gradient, views
from engine.mosaic.tasks import PARTS, MosaicTask
from engine.nets.backpropagation import GAINS, shorten_gradients
from engine.protocol import Weights, chosen_class, generator

_LONGEST = 4.0  # gradient norm above which a net's gradient is shortened
# Names of each optimizer's state.
_STATES = {"sgd": (), "momentum": ("velocity",), "adam": ("m", "v")}


@dataclass(frozen=True)
class Regime:
    """Length and number of the trainings.

    Args:
        fidelities: Steps after which nets are evaluated, ascending.
        seeds: Trainings of each net and recipe.
        batch: Examples per minibatch.
        root: Root seed of all random streams.
    """

    fidelities: tuple[int, ...] = (10, 30, 100, 300)
    seeds: int = 3
    batch: int = 32
    root: int = 0


class MemberLayout(NamedTuple):
    """How often a task's data are repeated for the members."""

    recipes: int
    seeds: int

    def repeat_for_members(self, each: Tensor) -> Tensor:
        """Repeat (task, …) to recipe × task × seed."""
        some = each.repeat_interleave(self.seeds, 0)
        return some.repeat(self.recipes, *[1] * (each.dim() - 1))


class RightCounts(NamedTuple):
    """Number of correct answers; uint16.

    Args:
        validation: Shape (recipe, task, fidelity, seed).
        test: At the last fidelity; shape (recipe, task, seed).
    """

    validation: np.ndarray
    test: np.ndarray


@dataclass(frozen=True, eq=False)
class GroupData:
    """The rows of a group: x (task, row, feature) and y (task, row) of each part."""

    x: dict[str, Tensor]
    y: dict[str, Tensor]

    @classmethod
    def of(cls, tasks: Sequence[MosaicTask], dtype: torch.dtype) -> "GroupData":
        """Stack the rows of tasks."""
        x = {p: torch.from_numpy(np.stack([t.x[p] for t in tasks])) for p in PARTS}
        y = {p: torch.from_numpy(np.stack([t.y[p] for t in tasks])) for p in PARTS}
        return cls({part: each.to(dtype) for part, each in x.items()}, y)


def train_form(
    form: NetDesign,
    tasks: Sequence[MosaicTask],
    regime: Regime,
    recipes: Sequence[tuple[str, ...]] = RECIPES,
    dtype: torch.dtype = torch.float32,
) -> RightCounts:
    """Train every recipe of a net design on tasks of one shape, from every seed.

    Args:
        form: The net design.
        tasks: Tasks with data of equal shape.
        regime: Length and number of the trainings.
        recipes: Optimizer and learning rate of each; equal optimizers adjacent.
        dtype: Precision of the trainings.
    """
    data, sizes = GroupData.of(tasks, dtype), (tasks[0].features, tasks[0].classes)
    begun = torch.from_numpy(draw_initial_weights(form, tasks, regime)).to(dtype)
    flat, copies = (
        begun.repeat(len(recipes), 1),
        MemberLayout(len(recipes), regime.seeds),
    )
    picks = torch.from_numpy(draw_minibatches(tasks, regime))
    rules, weights = (
        _recipe_optimizers(flat, recipes, len(begun)),
        views(flat, form, *sizes),
    )
    curves = []
    with torch.no_grad():
        for step in range(regime.fidelities[-1]):
            x, y = _gather_minibatch(data, picks[:, :, step], len(recipes))
            grad = shorten_gradients(gradient(weights, x, y, form), _LONGEST)
            for rule in rules:
                rule.step(flat[rule.rows], grad[rule.rows], step)
            if step + 1 in regime.fidelities:
                curves.append(_count_right(weights, data, form, "validation", copies))
        test = _count_right(weights, data, form, "test", copies)
    shape = (len(recipes), len(tasks), regime.seeds)
    each = [curve.reshape(shape) for curve in curves]
    return RightCounts(np.stack(each, 2), test.reshape(shape))


@dataclass
class RecipeOptimizer:
    """The optimizer of a range of members, with its state."""

    kind: str
    rows: slice
    rate: Tensor
    state: Weights

    def step(self, flat: Tensor, grad: Tensor, step: int) -> None:
        """Update the weights in place."""
        move = self._direction(grad, step)
        self.state = move.state
        flat -= self.rate * move.step

    def _direction(self, grad: Tensor, step: int) -> Direction:
        if self.kind == "sgd":
            return Direction(grad, {})
        if self.kind == "momentum":
            return momentum_step(grad, self.state, 0.9)
        return adam_step(grad, self.state, step, (0.9, 0.999), 1e-8)


def _recipe_optimizers(
    flat: Tensor, recipes: Sequence[tuple[str, ...]], members: int
) -> list[RecipeOptimizer]:
    """Return one optimizer for each run of recipes that share it."""
    rules, first = [], 0
    for kind, some in itertools.groupby(recipes, lambda recipe: recipe[0]):
        rates = [float(rate) for _, rate in some]
        rows = slice(first, first + len(rates) * members)
        each = flat.new_tensor(rates).repeat_interleave(members)[:, None]
        state = zeros(flat[rows], *_STATES[kind])
        rules.append(RecipeOptimizer(kind, rows, each, state))
        first = rows.stop
    return rules


def draw_initial_weights(
    form: NetDesign, tasks: Sequence[MosaicTask], regime: Regime
) -> np.ndarray:
    """Draw initial weights, biases 0; shape (task × seed, weight)."""
    shapes = form.weight_shapes(tasks[0].features, tasks[0].classes)
    drawn = [
        [
            _gain(form, name) * _draw_matrix(name, shape, task.name, seed, regime.root)
            for name, shape in shapes.items()
        ]
        for task in tasks
        for seed in range(regime.seeds)
    ]
    return np.stack([np.concatenate(each) for each in drawn])


def _gain(form: NetDesign, name: str) -> float:
    """Return the initial scale of a weight.

    The head starts at 0: otherwise the accuracy of a net after a few steps would be
    mostly due to its random head.
    """
    if name == f"w{form.depth}":
        return 0.0
    return 1.0 if name == "past" else math.sqrt(GAINS[form.activation])


@lru_cache(maxsize=8192)
def _draw_matrix(
    name: str, shape: tuple[int, ...], task: str, seed: int, root: int
) -> np.ndarray:
    """Draw one weight matrix of variance 1 / inputs, flat; zeros for a bias."""
    if len(shape) == 1:
        return np.zeros(shape)
    draw = generator(Rng(root).child("mosaic", task, "weights", seed, name))
    return draw.standard_normal(shape).ravel() / math.sqrt(shape[1])


def draw_minibatches(tasks: Sequence[MosaicTask], regime: Regime) -> np.ndarray:
    """Draw the rows of every minibatch; shape (task, seed, step, example)."""
    rows = len(tasks[0].y["train"])
    shape = (regime.fidelities[-1], regime.batch)
    return np.stack(
        [
            [
                generator(
                    Rng(regime.root).child("mosaic", task.name, "batches", seed)
                ).integers(0, rows, shape)
                for seed in range(regime.seeds)
            ]
            for task in tasks
        ]
    )


def _gather_minibatch(
    data: GroupData, rows: Tensor, recipes: int
) -> tuple[Tensor, Tensor]:
    """Gather rows (task, seed, example) once, and repeat them for every member."""
    task = torch.arange(len(rows))[:, None, None]
    x = data.x["train"][task, rows].flatten(0, 1).mT.contiguous()
    y = data.y["train"][task, rows].flatten(0, 1)
    return x.repeat(recipes, 1, 1), y.repeat(recipes, 1)


def _count_right(
    weights: Weights, data: GroupData, form: NetDesign, part: str, copies: MemberLayout
) -> np.ndarray:
    """Count the correct answers of each member; uint16.

    Batch normalization uses the statistics of the training rows, put in front.
    """
    x = data.x[part]
    front = data.x["train"] if form.normalization == "batch" else x[:, :0]
    known = front.shape[1]
    rows = copies.repeat_for_members(torch.cat([front, x], 1).mT)
    out = forward(weights, rows, form, known or None)[0][:, :, known:]
    right = (chosen_class(out) == copies.repeat_for_members(data.y[part])).sum(1)
    right[~out.isfinite().flatten(1).all(1)] = FAILED
    return right.numpy().astype(np.uint16)
