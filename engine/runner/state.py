"""What a run carries from stage to stage, and through a kill.

Labels are typed by people, so nothing is filed under a label that was joined with
something else: keys are tuples here, and JSON lists in a checkpoint.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch

from engine.contract.errors import Refused
from engine.contract.events import Checkpoint, Condition
from engine.protocol import Weights

FORMAT = 2  # 0.3.0 wrote 1, without saying so


class StageKey(NamedTuple):
    """Which piece of a run: its sort, and the learner or condition that it is of."""

    sort: str
    learner: str = ""
    condition: Condition = Condition()

    @property
    def title(self) -> str:
        """Name the stage in words; two stages may have the same title."""
        of = self.condition.title if self.sort == "test" else self.learner
        return f"{self.sort} {of}".strip()


@dataclass
class LearnerState:
    """What is known of one learner, beside its weights; JSON values.

    Args:
        step: Meta-steps taken, while it is meta-trained.
        at: Meta-step whose weights were kept, mean over replicates.
        compiled: Whether its lessons are compiled, once that is settled.
        shared: Whether all that it learned was taken from the shelf.
        digests: Of its frozen weights, one each time that it was frozen.
    """

    step: int | None = None
    at: float = 0.0
    compiled: bool | None = None
    shared: bool = False
    digests: list[str] = field(default_factory=list)


@dataclass
class RunState:
    """The state of a run between two events.

    Args:
        done: Stages that were played to their end.
        metas: Each learner's meta-weights, by label.
        training: Tensors of a meta-training under way.
        learners: The rest that is known of each learner, by label.
        threshold: Level that counts as solved, once it is fixed.
        diverged: Whether a chosen learner lost every member in distribution.
        shown: Test tasks to be pictured, by what they are, under each condition.
    """

    done: list[StageKey] = field(default_factory=list)
    metas: dict[str, Weights] = field(default_factory=dict)
    training: dict[str, Weights] = field(default_factory=dict)
    learners: dict[str, LearnerState] = field(default_factory=dict)
    threshold: float | None = None
    diverged: bool = False
    shown: dict[Condition, dict[str, int]] = field(default_factory=dict)

    def learner(self, label: str) -> LearnerState:
        """Return what is known of a learner, to be read and changed."""
        return self.learners.setdefault(label, LearnerState())

    def checkpoint(self) -> Checkpoint:
        """Return everything as arrays and JSON."""
        arrays = {}
        for part, trees in (("metas", self.metas), ("training", self.training)):
            for label, tree in trees.items():
                for name, tensor in tree.items():
                    key = json.dumps([part, label, name])
                    arrays[key] = tensor.detach().cpu().numpy().copy()
        shown = [
            [_condition_as_list(where), tasks] for where, tasks in self.shown.items()
        ]
        state = {
            "format": FORMAT,
            "done": [
                [k.sort, k.learner, _condition_as_list(k.condition)] for k in self.done
            ],
            "learners": {label: asdict(one) for label, one in self.learners.items()},
            "threshold": self.threshold,
            "diverged": self.diverged,
            "shown": json.loads(json.dumps(shown)),
            # A file has an order of its own, but a sum over weights must keep ours.
            "order": list(arrays),
            # A learner without any meta-weights is there all the same.
            "metas": list(self.metas),
        }
        return Checkpoint(arrays, state)

    @classmethod
    def from_checkpoint(cls, point: Checkpoint, device: torch.device) -> "RunState":
        """Return the carry of a checkpoint.

        Raises:
            Refused: If a newer Metascope wrote it.
        """
        state = point.state
        if (written := state["format"]) != FORMAT:
            raise Refused(
                f"the checkpoint of this run has format {written}, and this Metascope "
                f"reads up to {FORMAT}: update it, or delete the run and start it again"
            )
        known = state["learners"].items()
        carry = cls(
            done=[StageKey(a, b, Condition(*at)) for a, b, at in state["done"]],
            metas={label: {} for label in state["metas"]},
            learners={label: LearnerState(**one) for label, one in known},
            threshold=state["threshold"],
            diverged=state["diverged"],
            shown={Condition(*at): dict(tasks) for at, tasks in state["shown"]},
        )
        for key in state["order"]:
            part, label, name = json.loads(key)
            carry.put_array(part, label, name, point.arrays[key], device)
        return carry

    def put_array(
        self, part: str, label: str, name: str, array: Any, device: torch.device
    ) -> None:
        """Put an array of a checkpoint in its place: `metas` or `training`."""
        trees = self.metas if part == "metas" else self.training
        trees.setdefault(label, {})[name] = torch.from_numpy(np.array(array)).to(device)


def _condition_as_list(where: Condition) -> list[str | float]:
    return [where.family, where.shift, where.severity]


def as_numpy(weights: Weights) -> dict[str, np.ndarray]:
    """Return weights as numpy arrays."""
    return {name: tensor.detach().cpu().numpy() for name, tensor in weights.items()}


def digest_arrays(arrays: Mapping[str, np.ndarray]) -> str:
    """Return the sha256 of named arrays: names, shapes, types and bytes."""
    state = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        state.update(f"{name}{array.shape}{array.dtype.str}".encode())
        state.update(array.tobytes())
    return state.hexdigest()
