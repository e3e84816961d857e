"""What is fitted to a support: a whole net, or a new linear or cosine head."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from engine.algorithms.few_shot.embedding_distances import (
    class_means,
    cosines,
    embed_examples,
)
from engine.protocol import EpisodeBatch, Weights


class FitProblem(NamedTuple):
    """What is fitted to a support.

    Args:
        start: Initial values of the fitted weights; shape (member, …).
        loss: These weights → loss on the support; shape (member,).
        answer: These weights → outputs for the queries; (member, output, query).
        layers: Their names, layer by layer.
    """

    start: Weights
    loss: Callable[[Weights], Tensor]
    answer: Callable[[Weights], Tensor]
    layers: tuple[tuple[str, ...], ...]


def whole_net_problem(start: Weights, tasks: EpisodeBatch) -> FitProblem:
    """Fit all weights of a net.

    Args:
        start: Weights of the net with its head; shape (member, …).
        tasks: The episodes.
    """
    layout = tasks.layout
    moving = {name: start[name] for name in layout.names if name not in layout.buffers}
    rest = {name: start[name] for name in layout.buffers}
    return FitProblem(
        moving,
        lambda weights: tasks.loss(rest | weights, tasks.support),
        lambda weights: tasks.answer(rest | weights, tasks.query),
        layout.layers,
    )


def with_zero_head(theta: Weights, tasks: EpisodeBatch) -> Weights:
    """Return a trained net with a new head of zeros.

    A regression net keeps its head: its output means the same in every task.

    Args:
        theta: Weights of each member; shape (member, …).
        tasks: The episodes, for the number of ways.
    """
    layout, members = tasks.layout, tasks.members
    head = layout.layers[-1] if tasks.has_classes else ()
    return {
        name: theta[name].new_zeros(members, *shape) if name in head else theta[name]
        for name, shape in zip(layout.names, layout.shapes, strict=True)
    }


def linear_head_problem(theta: Weights, tasks: EpisodeBatch) -> FitProblem:
    """Fit a new linear head, initialized to zero, to frozen features.

    Args:
        theta: Weights of each member, the body's among them; shape (member, …).
        tasks: The episodes.
    """
    support, query = embed_examples(theta, tasks)
    shape = (tasks.members, tasks.outputs)
    start = {
        "head.w": support.new_zeros(*shape, support.shape[1]),
        "head.b": support.new_zeros(shape),
    }

    def head_outputs(weights: Weights, features: Tensor) -> Tensor:
        return torch.baddbmm(weights["head.b"][..., None], weights["head.w"], features)

    return _head_problem(start, head_outputs, (support, query), tasks)


def cosine_head_problem(
    theta: Weights, tasks: EpisodeBatch, scale: float
) -> FitProblem:
    """Fit a new cosine head, initialized to the class means, to frozen features.

    Args:
        theta: Weights of each member, the body's among them; shape (member, …).
        tasks: The episodes.
        scale: What the cosines are multiplied by.
    """
    support, query = embed_examples(theta, tasks)
    means = class_means(support, tasks.support.y, tasks.outputs)

    def head_outputs(weights: Weights, features: Tensor) -> Tensor:
        return scale * cosines(weights["head.w"].mT, features)

    return _head_problem({"head.w": means.mT}, head_outputs, (support, query), tasks)


def _head_problem(
    start: Weights,
    answer: Callable[[Weights, Tensor], Tensor],
    features: tuple[Tensor, Tensor],
    tasks: EpisodeBatch,
) -> FitProblem:
    support, query = features

    def support_loss(weights: Weights) -> Tensor:
        return tasks.each_loss(answer(weights, support), tasks.support.y).mean(1)

    layers = (tuple(start),)
    return FitProblem(
        start, support_loss, lambda weights: answer(weights, query), layers
    )
