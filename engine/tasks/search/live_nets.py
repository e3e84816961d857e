"""Live nets: small dense nets, each trained when a search proposes it.

Source: ours; the decisions are a small version of Auto-PyTorch's dense nets (Zimmer,
Lindauer and Hutter 2021, arXiv:2006.13799).
Differs: nothing is looked up. The optimum is unknown, so regret is relative to an
accuracy of 1; several codes describe the same net (an absent layer may be at any
position).
Helps: search under real conditions, without a table: every evaluation is a training
and costs its multiply-adds.
"""

from collections.abc import Sequence
from functools import cache
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float, Int

from engine.contract.registry import register
from engine.protocol import Evaluator, Space
from engine.tasks.search._live_family import LiveFamily
from engine.tasks.search._live_training import (
    BATCH,
    LAYERS,
    PASSES,
    LiveEvaluator,
    TrainingJob,
    draw_minibatches,
    initial_nets,
    input_and_class_counts,
    net_costs,
    stack_rows,
)
from engine.tasks.search._padded_mlp import OptimizerRates, PaddedNets, train_nets

WIDTHS = (0, 4, 8, 16, 32)
OPTIONS = {
    "layer 1": ("4", "8", "16", "32"),
    "layer 2": ("none", "4", "8", "16", "32"),
    "layer 3": ("none", "4", "8", "16", "32"),
    "layer 4": ("none", "4", "8", "16", "32"),
    "activation": ("sigmoid", "sine", "tanh", "relu"),
    "skip": ("none", "residual"),
    "optimizer": ("sgd", "momentum", "adam"),
    "rate": ("0.3", "0.1", "0.03", "0.01"),
}
DECAY = {"sgd": 0.0, "momentum": 0.9}
SPACE = Space("live nets", tuple(OPTIONS), tuple(OPTIONS.values()))


@register("family")
class LiveNets(LiveFamily):
    """a* = argmax over 48,000 nets of test accuracy after k steps; scores unknown."""

    version: ClassVar[int] = 1

    def evaluator(self) -> Evaluator:
        """Return the evaluator, created once per process."""
        return _evaluator()


@cache
def _evaluator() -> "DenseNetEvaluator":
    return DenseNetEvaluator(SPACE)


class DenseNetEvaluator(LiveEvaluator):
    """Trains dense nets of up to four hidden layers."""

    def sort_key(self, job: TrainingJob) -> tuple[int, ...]:
        """Return whether it uses Adam, and its activation: equal ones are adjacent."""
        return (job.codes[6] == len(DECAY), job.codes[4])

    def train(self, jobs: Sequence[TrainingJob]) -> PaddedNets:
        """Train nets, each with its own optimizer and learning rate."""
        named = [name_options(job.codes) for job in jobs]
        found = self.widths(np.array([job.codes for job in jobs]))
        widths = [[int(w) for w in row if w] for row in found]
        skips = [each["skip"] == "residual" for each in named]
        nets = initial_nets(jobs, widths, skips, [each["activation"] for each in named])
        rate = torch.tensor([[float(each["rate"])] for each in named]).double()
        slow = [DECAY[o] for each in named if (o := each["optimizer"]) in DECAY]
        rates = OptimizerRates(rate, torch.tensor(slow).double()[:, None])
        return train_nets(
            nets,
            *stack_rows(jobs, "train"),
            draw_minibatches(jobs, jobs[0].steps),
            rates,
        )

    def widths(
        self, codes: Int[np.ndarray, "item position"]
    ) -> Int[np.ndarray, "item layer"]:
        """Return the units of each hidden layer, 0 for an absent layer."""
        chosen = codes[:, :LAYERS].copy()
        chosen[:, 0] += 1  # the first layer is never absent
        return np.array(WIDTHS)[chosen]

    def training_cost(
        self,
        which: Int[np.ndarray, " item"],
        codes: Int[np.ndarray, "item position"],
        steps: Int[np.ndarray, " item"],
    ) -> Float[np.ndarray, " item"]:
        """Return the multiply-adds of all steps."""
        _, each = net_costs(*input_and_class_counts(which), self.widths(codes))
        return each * float(PASSES * BATCH) * steps


def name_options(codes: Sequence[int]) -> dict[str, str]:
    """Return the name of the option of each decision."""
    pairs = zip(OPTIONS.items(), codes, strict=True)
    return {name: options[code] for (name, options), code in pairs}
