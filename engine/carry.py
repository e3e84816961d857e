"""What a run carries from stage to stage, and through a kill."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch

from engine.contract.blocks import Checkpoint
from engine.protocol import Weights

SEPARATOR = "|"


@dataclass
class Carry:
    """The state of a run between two events.

    `metas` holds each learner's frozen meta-weights by label; `training` the
    tensors of a meta-training under way; `facts` small JSON values.
    """

    done: list[str] = field(default_factory=list)
    metas: dict[str, Weights] = field(default_factory=dict)
    training: dict[str, Weights] = field(default_factory=dict)
    facts: dict[str, float] = field(default_factory=dict)

    def checkpoint(self) -> Checkpoint:
        """Return everything as arrays and JSON."""
        arrays = {}
        for part, trees in (("metas", self.metas), ("training", self.training)):
            for label, tree in trees.items():
                for name, tensor in tree.items():
                    key = SEPARATOR.join((part, label, name))
                    arrays[key] = tensor.detach().cpu().numpy().copy()
        state = {"done": list(self.done), "facts": dict(self.facts)}
        # A file has an order of its own, but a sum over weights must keep ours.
        order = {"order": list(arrays), "metas": list(self.metas)}
        return Checkpoint(arrays, state | order)

    @classmethod
    def resumed(cls, point: Checkpoint | None, device: torch.device) -> "Carry":
        """Return the carry of a checkpoint, or a fresh one."""
        carry = cls()
        if point is None:
            return carry
        carry.done = list(point.state["done"])
        carry.facts = dict(point.state["facts"])
        # A learner without any meta-weights is there all the same.
        carry.metas = {label: {} for label in point.state.get("metas", ())}
        for key in point.state["order"]:
            part, label, name = key.split(SEPARATOR, 2)
            trees = carry.metas if part == "metas" else carry.training
            tensor = torch.from_numpy(np.array(point.arrays[key])).to(device)
            trees.setdefault(label, {})[name] = tensor
        return carry


def plain(weights: Weights) -> dict[str, np.ndarray]:
    """Return weights as numpy arrays."""
    return {name: tensor.detach().cpu().numpy() for name, tensor in weights.items()}


def digest(arrays: Mapping[str, np.ndarray]) -> str:
    """Return the sha256 of named arrays: names, shapes, types and bytes."""
    state = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        state.update(f"{name}{array.shape}{array.dtype.str}".encode())
        state.update(array.tobytes())
    return state.hexdigest()
