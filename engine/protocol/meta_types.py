"""Values that pass between learner, estimator and loop: weights, outer steps, plans."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.random.bit_generator import ISeedSequence
from torch import Tensor

from engine.contract.rng import Rng

Weights = dict[str, Tensor]
# Meta-weights and the episodes of some members → each member's loss, and gradients.
ValueAndGrad = Callable[[Weights, Any], tuple[Tensor, Weights]]
# Compiles a function that returns loss and gradients; results stay the same.
Compile = Callable[[ValueAndGrad], ValueAndGrad]
_WORD = (1 << 64) - 1


class AllDiverged(RuntimeError):
    """Every member of the chosen learner diverged; the rows so far are kept."""


def generator(rng: Rng) -> np.random.Generator:
    """Return the counter-based generator of one stream.

    >>> keyed = np.random.Generator(np.random.Philox(key=Rng(1).key()))
    >>> bool((generator(Rng(1)).random(9) == keyed.random(9)).all())
    True
    """
    return np.random.Generator(np.random.Philox(_Key(rng.key())))  # type: ignore[arg-type]


class _Key(ISeedSequence):
    """A seed sequence that returns the key unchanged.

    `Philox(key=…)` first reads entropy from the system that it then does not use;
    that takes longer than sampling a small task.
    """

    def __init__(self, key: int) -> None:
        self.words = np.array([key & _WORD, key >> 64], np.uint64)

    def generate_state(self, n_words: int, dtype: object = np.uint32) -> np.ndarray:
        """Return both halves of the key."""
        # Philox's key is 128 bits; it asks for nothing else.
        assert (n_words, dtype) == (2, np.uint64)
        return self.words


def square_root(x: Tensor) -> Tensor:
    """Return √x, correctly rounded on every processor.

    `torch.sqrt` of float32 is not: MKL starts from the processor's own estimate of
    1/√x, so an Intel and an AMD differ in the last bit of one number in six. Rounded
    to float32, a square root in float64 is the nearest float32 even where its own
    last bits are wrong: √x lies at least 2⁻⁵⁰ (relative) from the midpoint of two
    float32 numbers, which is four units in the last place of float64.

    Args:
        x: Any shape and dtype.

    Returns:
        The same shape and dtype.

    >>> square_root(torch.tensor([0.0, 2.0, 9.0])).tolist()
    [0.0, 1.4142135381698608, 3.0]
    """
    # float64 has no wider type to round from here, and a GPU does not use MKL.
    if x.dtype != torch.float32 or x.device.type != "cpu":
        return x.sqrt()
    return x.double().sqrt().float()


class Meta(NamedTuple):
    """A meta-learner: its weights, and the memory of its gradient estimator.

    Every tensor has shape (replicate, …).
    """

    weights: Weights
    memory: Weights


class Outer(NamedTuple):
    """The result of one outer step: either `grads` or new `weights`.

    Args:
        memory: The estimator's memory, for the next step.
        info: One number per replicate for each metric of the training curve.
        grads: Outer gradients, which the outer rule applies; shape (replicate, …).
        weights: New meta-weights, used as they are; shape (replicate, …).
        statistics: Weights with an update rule of their own, such as running
            statistics; they overwrite the outer rule's result.
    """

    memory: Weights
    info: Weights
    grads: Weights | None = None
    weights: Weights | None = None
    statistics: Weights | None = None


def run_eagerly(value_and_grad: ValueAndGrad) -> ValueAndGrad:
    """Return the function unchanged: no compilation."""
    return value_and_grad


class OuterStepContext(NamedTuple):
    """The position of one outer step within meta-training.

    Args:
        step: Number of the outer step, from 0.
        segment: Number of the segment within the tasks' unroll, from 0.
        segments: Outer steps in a row on the same tasks: a truncated unroll
            continues where the last one stopped.
        rngs: One stream per replicate.
        share_done: Share of meta-training that is over, from 0 to 1.
        compile_gradient: Wraps what a learner that `compiles` differentiates.
    """

    step: int
    segment: int
    segments: int
    rngs: tuple[Rng, ...]
    share_done: float = 0.0
    compile_gradient: Compile = run_eagerly


class Plan(NamedTuple):
    """How a learner spends its meta-training budget.

    `cost` is in task evaluations per sampled task and outer step, `gradients` in
    gradient evaluations of the base learner.
    """

    steps: int
    tasks_per_step: int
    segments: int
    cost: float
    gradients: float
