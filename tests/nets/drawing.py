"""Tiny nets of every kind and normalization, and episodes for them in float64."""

import math

import torch
from torch import Tensor

from engine.algorithms.few_shot.inner_loop import adapt_weights
from engine.algorithms.few_shot.inner_rules import sgd
from engine.algorithms.initial_weights import draw_weights
from engine.contract.rng import Rng
from engine.nets.conv4 import Conv4
from engine.nets.mlp import Mlp
from engine.nets.resnet12 import Resnet12
from engine.nets.tower import Tower
from engine.nets.transformer import Transformer
from engine.protocol import EpisodeBatch, ExampleBatch, Net, Weights
from engine.protocol.member_chunks import broadcast_to_members

UNITS = ("none", "batch", "support_batch", "layer", "group", "meta_batch")
PIXELS = (*UNITS, "instance")
SHAPES = {"conv4": (1, 16, 16), "resnet12": (2, 8, 8)}

NETS: dict[str, Net] = {"transformer": Transformer(width=8, heads=2)}
NETS |= {f"conv4 {k}": Conv4(filters=8, normalization=k) for k in PIXELS}
NETS |= {
    "conv4 stride": Conv4(filters=8, downsample="stride"),
    "conv4 squeeze": Conv4(filters=8, squeeze=True, normalization="layer"),
    "resnet12 squeeze": Resnet12(size="tiny", squeeze=True),
}
NETS |= {f"resnet12 {k}": Resnet12(size="tiny", normalization=k) for k in PIXELS}
NETS |= {
    f"tower {k}": Tower(widest=64, narrowest=32, depth=3, normalization=k)
    for k in UNITS
}
NETS |= {f"mlp {k}": Mlp(width=32, depth=2, normalization=k) for k in UNITS}


def episodes(
    net: Net,
    *,
    shape: tuple[int, ...] = (),
    tasks: int = 2,
    shots: int = 1,
    replicates: int = 1,
    dtype: torch.dtype = torch.float64,
) -> EpisodeBatch:
    """Draw 3-way episodes of noise with two queries a class."""
    one_pixel = "instance" not in net.model_dump().values()
    usual = SHAPES.get(net.name, (5,)) if one_pixel else (1, 16, 16)
    shape = shape or usual
    draw = torch.Generator().manual_seed(1)
    members = tasks * replicates

    def some(each: int) -> ExampleBatch:
        size = (members, math.prod(shape), 3 * each)
        y = torch.arange(3).repeat_interleave(each).repeat(members, 1)
        return ExampleBatch(torch.randn(size, generator=draw, dtype=dtype), y)

    return EpisodeBatch(
        net, shape, 3, True, 3, replicates, 3, support=some(shots), query=some(2)
    )


def started(tasks: EpisodeBatch) -> Weights:
    """Draw the start, and move scales and shifts off their 1 and 0; by replicate."""
    rngs = [Rng(3).child("replicate", r) for r in range(tasks.replicates)]
    weights = draw_weights(tasks.net, tasks.layout, rngs, tasks.support.x)
    draw = torch.Generator().manual_seed(2)
    return {
        name: value
        + (0.0 if name.startswith("w") else 0.2)
        * torch.rand(value.shape, generator=draw, dtype=value.dtype)
        for name, value in weights.items()
    }


def lost(theta: Weights, tasks: EpisodeBatch) -> Tensor:
    """Return MAML's loss after two inner steps; shape (member,)."""
    weights = adapt_weights(tasks, theta, sgd(0.02), 2, order=2)
    return tasks.loss(weights, tasks.query, 2)


def members_of(theta: Weights, tasks: EpisodeBatch) -> Weights:
    """Give each member its replicate's weights."""
    return broadcast_to_members(theta, tasks.members)
