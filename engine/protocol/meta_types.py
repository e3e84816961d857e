"""Plain values that pass between the verbs; tensors by name, streams as numbers."""

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
# Slopes → what gives the same.
Compile = Callable[[ValueAndGrad], ValueAndGrad]
_WORD = (1 << 64) - 1


class AllDiverged(RuntimeError):
    """No member of the chosen learner stayed finite; its rows are kept."""


def generator(rng: Rng) -> np.random.Generator:
    """Return the counter-based generator of one stream.

    >>> keyed = np.random.Generator(np.random.Philox(key=Rng(1).key()))
    >>> bool((generator(Rng(1)).random(9) == keyed.random(9)).all())
    True
    """
    return np.random.Generator(np.random.Philox(_Key(rng.key())))  # type: ignore[arg-type]


class _Key(ISeedSequence):
    """A key, handed over as it is.

    `Philox(key=…)` first asks the system for entropy that it does not use, which
    takes longer than to draw a small task.
    """

    def __init__(self, key: int) -> None:
        self.words = np.array([key & _WORD, key >> 64], np.uint64)

    def generate_state(self, n_words: int, dtype: object = np.uint32) -> np.ndarray:
        """Return both halves of the key."""
        assert (n_words, dtype) == (2, np.uint64)
        return self.words


def square_root(x: Tensor) -> Tensor:
    """Return √x, rounded right on every processor.

    `torch.sqrt` of float32 does not: MKL starts from the processor's own estimate of
    1/√x, so an Intel and an AMD differ in the last bit of one number in six. Rounded
    to float32, a square root in float64 is the nearest float32 even where its own
    last bits are wrong: √x lies at least 2⁻⁵⁰ (relative) from the middle between two
    float32 numbers, four units of float64.

    >>> square_root(torch.tensor([0.0, 2.0, 9.0])).tolist()
    [0.0, 1.4142135381698608, 3.0]
    """
    if x.dtype != torch.float32 or x.device.type != "cpu":
        return x.sqrt()
    return x.double().sqrt().float()


class Meta(NamedTuple):
    """A meta-learner: its weights, and what its estimator must remember.

    Every tensor has shape (replicate, …).
    """

    weights: Weights
    memory: Weights


class Outer(NamedTuple):
    """How the meta-learner should move.

    Either `grads` (for the outer rule to apply) or new `weights`; `info` holds
    one number per replicate for each metric of the training curve. `settled` are
    weights that move by a rule of their own, such as running statistics: they
    replace what the outer rule made of them.
    """

    memory: Weights
    info: Weights
    grads: Weights | None = None
    weights: Weights | None = None
    statistics: Weights | None = None


def run_eagerly(value_and_grad: ValueAndGrad) -> ValueAndGrad:
    """Take gradients as they are written."""
    return value_and_grad


class OuterStepContext(NamedTuple):
    """The place of one outer step within meta-training.

    Several `segments` in a row see the same tasks: a truncated unroll goes on
    where the last one stopped. `done` is the share of the training behind. What a
    learner that `compiles` differentiates goes through `compile_gradient`.
    """

    step: int
    segment: int
    segments: int
    rngs: tuple[Rng, ...]
    share_done: float = 0.0
    compile_gradient: Compile = run_eagerly


class Plan(NamedTuple):
    """How a learner spends its meta-training budget.

    `cost` is in task evaluations per drawn task and outer step, `gradients` in
    gradient evaluations of the base learner.
    """

    steps: int
    tasks_per_step: int
    segments: int
    cost: float
    gradients: float
