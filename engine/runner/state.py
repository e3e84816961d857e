"""The state of a batch between its stages, as saved in checkpoints.

Users type labels, so a label may hold any character and is never joined with other
words to a key: keys are tuples here, and JSON lists in a checkpoint.
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

# 3 had the fields of a whole run among those of its batch; 2 had one batch; 0.3.0
# wrote 1, without saying so.
FORMAT = 4
READABLE = (2, 3, FORMAT)


class StageKey(NamedTuple):
    """Identifies a stage of a run.

    Args:
        sort: begin, threshold, train, tune, test, probe, remarks or film.
        learner: Label of its learner; empty if it is about none.
        condition: The condition that is tested, of sort `test`.
    """

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
    """The state of one learner besides its weights; JSON values.

    Args:
        step: Meta-steps taken so far; None unless it is being meta-trained.
        at: Meta-step of the best checkpoint, mean over replicates.
        compiled: Whether its outer steps are compiled; None until that is decided.
        shared: Whether its training was taken from the baseline cache.
        digests: sha256 of its frozen weights, one for each time it was frozen.
        residual_variance: Mean squared residual of each replicate on validation
            episodes; None if it is not fixed yet, or the learner has a density.
    """

    step: int | None = None
    at: float = 0.0
    compiled: bool | None = None
    shared: bool = False
    digests: list[str] = field(default_factory=list)
    residual_variance: list[float] | None = None


@dataclass
class RunState:
    """The state of one batch of replicates between two events.

    Args:
        done: Stages that are finished.
        metas: Each learner's meta-weights, by label.
        training: Tensors of the meta-training in progress.
        learners: The rest of each learner's state, by label.
        threshold: Loss that counts as solved, nats; None until it is fixed.
        shown: Test tasks to be filmed under each condition, by rank (worst, …).
    """

    done: list[StageKey] = field(default_factory=list)
    metas: dict[str, Weights] = field(default_factory=dict)
    training: dict[str, Weights] = field(default_factory=dict)
    learners: dict[str, LearnerState] = field(default_factory=dict)
    threshold: float | None = None
    shown: dict[Condition, dict[str, int]] = field(default_factory=dict)

    def learner(self, label: str) -> LearnerState:
        """Return a learner's state, to be read and changed."""
        return self.learners.setdefault(label, LearnerState())

    def _trees(self) -> dict[str, dict[str, Weights]]:
        """Return the trees of tensors by their part of a checkpoint."""
        return {"metas": self.metas, "training": self.training}

    def checkpoint(self) -> Checkpoint:
        """Return everything as arrays and JSON."""
        arrays = {}
        for part, trees in self._trees().items():
            for label, tree in trees.items():
                for name, tensor in tree.items():
                    key = json.dumps([part, label, name])
                    arrays[key] = tensor.detach().cpu().numpy().copy()
        order = list(arrays)
        shown = [
            [condition_as_list(where), tasks] for where, tasks in self.shown.items()
        ]
        state = {
            "format": FORMAT,
            "done": [
                [k.sort, k.learner, condition_as_list(k.condition)] for k in self.done
            ],
            "learners": {label: asdict(one) for label, one in self.learners.items()},
            "threshold": self.threshold,
            "shown": json.loads(json.dumps(shown)),  # a copy: it still changes
            # A file sorts its arrays, but sums over weights must run in this order.
            "order": order,
            # A learner without meta-weights has no array to be found by.
            "metas": list(self.metas),
        }
        return Checkpoint(arrays, state)

    @classmethod
    def from_checkpoint(cls, point: Checkpoint, device: torch.device) -> "RunState":
        """Return the state that a checkpoint holds.

        Args:
            point: Written by `checkpoint`.
            device: Where the tensors go.

        Raises:
            Refused: If a newer Metascope wrote it.
        """
        state = point.state
        check_format(point)
        known = state["learners"].items()
        restored = cls(
            done=[StageKey(a, b, Condition(*at)) for a, b, at in state["done"]],
            metas={label: {} for label in state["metas"]},
            learners={label: LearnerState(**one) for label, one in known},
            threshold=state["threshold"],
            shown={Condition(*at): dict(tasks) for at, tasks in state["shown"]},
        )
        for key in state["order"]:
            part, label, name = json.loads(key)
            if part == "frozen":  # format 3 has those of earlier batches among them
                continue
            restored.put_array(part, label, name, point.arrays[key], device)
        return restored

    def put_array(
        self, part: str, label: str, name: str, array: Any, device: torch.device
    ) -> None:
        """Put an array of a checkpoint into a tree.

        Args:
            part: metas or training.
            label: The tree: a learner's label, or a name in `training`.
            name: The tensor's name in that tree.
            array: Its values.
            device: Where the tensor goes.
        """
        self._trees()[part].setdefault(label, {})[name] = torch.from_numpy(
            np.array(array)
        ).to(device)


def check_format(point: Checkpoint) -> None:
    """Check that this Metascope can read a checkpoint.

    Raises:
        Refused: If a newer Metascope wrote it.
    """
    if (written := point.state["format"]) not in READABLE:
        raise Refused(
            f"the checkpoint of this run has format {written}, and this Metascope "
            f"reads up to {FORMAT}: update it, or delete the run and start it again"
        )


def condition_as_list(where: Condition) -> list[str | float]:
    """Return a condition as JSON."""
    return [where.family, where.shift, where.severity]


def as_numpy(weights: Weights) -> dict[str, np.ndarray]:
    """Return weights as numpy arrays of the same shapes."""
    return {name: tensor.detach().cpu().numpy() for name, tensor in weights.items()}


def digest_arrays(arrays: Mapping[str, np.ndarray]) -> str:
    """Return the sha256 of named arrays: their names, shapes, dtypes and bytes.

    Args:
        arrays: By name; their order does not matter.
    """
    state = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        state.update(f"{name}{array.shape}{array.dtype.str}".encode())
        state.update(array.tobytes())
    return state.hexdigest()
