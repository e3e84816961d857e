"""Growing nets: each net becomes wider and deeper during its training.

Source: Chen, Goodfellow and Shlens (2016), arXiv:1511.05641, Net2Net.
Differs: the growth schedule is searched, with five moments per training; growth beyond
32 units or four layers is skipped; Adam's state is reset at each of the five moments,
whether or not the net grows, so that schedules are compared fairly.
Helps: shows what starting from a tiny net saves: a training costs the multiply-adds it
took. Schedules that only stay are fixed nets; with 3 open decisions only these are
searched.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float, Int

from engine.contract.registry import register
from engine.protocol import Evaluator, Space, generator
from engine.tasks.search._live_data import ROOT
from engine.tasks.search._live_family import LiveFamily
from engine.tasks.search._live_training import (
    BATCH,
    LAYERS,
    PASSES,
    WIDTH,
    LiveEvaluator,
    TrainingJob,
    draw_minibatches,
    initial_nets,
    input_and_class_counts,
    net_costs,
    stack_rows,
)
from engine.tasks.search._net_growth import deepen, extract_net, pad_net, widen
from engine.tasks.search._padded_mlp import (
    OptimizerRates,
    PaddedNets,
    make_gates,
    train_nets,
)

MOMENTS = 5
FIRST = {
    "rate": ("0.003", "0.03", "0.01"),
    "start width": ("32", "16", "8", "4"),
    "start depth": ("3", "2", "1"),
}
STEPS = ("deepen", "widen", "stay")
OPTIONS = FIRST | {f"moment {i + 1}": STEPS for i in range(MOMENTS)}
SPACE = Space("growing nets", tuple(OPTIONS), tuple(OPTIONS.values()))


@register("family")
class Growing(LiveFamily):
    """a* = argmax over 8,748 schedules of test accuracy; growth preserves f."""

    version: ClassVar[int] = 1

    def evaluator(self) -> Evaluator:
        """Return the evaluator, created once per process."""
        return _evaluator()


@cache
def _evaluator() -> "GrowingNetEvaluator":
    return GrowingNetEvaluator(SPACE)


class GrowingNetEvaluator(LiveEvaluator):
    """Trains each net by its growth schedule, with evenly spaced moments."""

    def train(self, jobs: Sequence[TrainingJob]) -> PaddedNets:
        """Train nets and grow them at the moments of their schedules."""
        codes = np.array([job.codes for job in jobs])
        rate = torch.tensor([[float(FIRST["rate"][c])] for c in codes[:, 0]]).double()
        rates = OptimizerRates(rate, rate[:0])
        sizes = size_schedule(codes)
        nets = initial_nets(jobs, sizes[0], [False] * len(jobs), ["relu"] * len(jobs))
        rows, picks = stack_rows(jobs, "train"), draw_minibatches(jobs, jobs[0].steps)
        for moment, some in enumerate(picks.tensor_split(MOMENTS + 1)):
            if moment:
                nets = _grow(nets, jobs, sizes[moment - 1 : moment + 1], moment)
            nets = train_nets(nets, *rows, some, rates)
        return nets

    def widths(
        self, codes: Int[np.ndarray, "item position"]
    ) -> Int[np.ndarray, "item layer"]:
        """Return the units of the final nets, 0 for an absent layer."""
        return _width_table(size_schedule(codes)[-1])

    def training_cost(
        self,
        which: Int[np.ndarray, " item"],
        codes: Int[np.ndarray, "item position"],
        steps: Int[np.ndarray, " item"],
    ) -> Float[np.ndarray, " item"]:
        """Return the multiply-adds of all steps, each at its size then."""
        total = np.zeros(len(codes))
        for sizes in size_schedule(codes):
            _, each = net_costs(*input_and_class_counts(which), _width_table(sizes))
            total += each * float(PASSES * BATCH) * steps / (MOMENTS + 1)
        return total


NetSizes = list[tuple[int, ...]]


def size_schedule(codes: Int[np.ndarray, "item position"]) -> list[NetSizes]:
    """Return the hidden units of each net at the start and after each moment.

    Args:
        codes: Shape (item, position).

    >>> [s[0] for s in size_schedule(np.array([[0, 3, 2, 1, 0, 2, 2, 2]]))][:4]
    [(4,), (8,), (8, 8), (8, 8)]
    """
    now = [
        (int(FIRST["start width"][code[1]]),) * int(FIRST["start depth"][code[2]])
        for code in codes
    ]
    found = [now]
    for moment in range(MOMENTS):
        chosen = [STEPS[code] for code in codes[:, len(FIRST) + moment]]
        now = [_size_after(size, step) for size, step in zip(now, chosen, strict=True)]
        found.append(now)
    return found


def _size_after(size: tuple[int, ...], step: str) -> tuple[int, ...]:
    """Return the size after a growth step: twice as wide, or one layer deeper."""
    if step == "widen" and max(size) < WIDTH:
        return tuple(2 * units for units in size)
    if step == "deepen" and len(size) < LAYERS:
        return (*size, size[-1])
    return size


def _width_table(sizes: NetSizes) -> Int[np.ndarray, "item layer"]:
    return np.array([(*size, *[0] * (LAYERS - len(size))) for size in sizes])


def _grow(
    nets: PaddedNets,
    jobs: Sequence[TrainingJob],
    sizes: Sequence[NetSizes],
    moment: int,
) -> PaddedNets:
    """Return the nets grown at a moment; their outputs do not change."""
    flat = nets.flat.clone()
    for i, (job, before, after) in enumerate(zip(jobs, *sizes, strict=True)):
        if before == after:
            continue
        net = extract_net(nets.flat[i], nets.frame, before)
        if len(after) > len(before):
            net = deepen(net)
        else:
            rng = ROOT.child("growth", job.data.name, job.seed, moment)
            for layer, units in enumerate(before):
                uniform = generator(rng.child(layer)).random((units, 2))
                net = widen(net, layer, uniform)
        flat[i] = pad_net(net, nets.frame)
    gates, past = make_gates(nets.frame, sizes[1], [False] * len(jobs))
    return replace(nets, flat=flat, gates=gates, bypass=past)
