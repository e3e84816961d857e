"""What a run keeps of its batches: enough to ask its question, and to resume.

Everything is numpy and JSON: whoever joins the batches need not have computed them.
"""

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.contract.events import Artefact, Block, Checkpoint, Condition
from engine.runner.old_checkpoints import is_old_checkpoint
from engine.runner.state import (
    FORMAT,
    check_format,
    condition_as_list,
    digest_arrays,
)

RUN = "run"  # where a checkpoint of a batch holds the history of its run
Arrays = dict[str, np.ndarray]


@dataclass
class RunHistory:
    """The batches of a run so far.

    Args:
        batch: Number of the batch that is being computed, from 0.
        threshold: Loss that counts as solved, nats; None until it is fixed.
        diverged: Whether every member so far diverged in distribution, by the label of
            a chosen learner.
        frozen: Each learner's meta-weights in all earlier batches, by label.
        variances: Each learner's residual variances in all earlier batches, by label.
        latest: Each learner's frozen meta-weights in this batch, by label.
        blocks: Those that decide the primary question, of all batches, by address.
        point: The newest checkpoint of this batch; None at its beginning.
    """

    batch: int = 0
    threshold: float | None = None
    diverged: dict[str, bool] = field(default_factory=dict)
    frozen: dict[str, Arrays] = field(default_factory=dict)
    variances: dict[str, list[float]] = field(default_factory=dict)
    latest: dict[str, Artefact] = field(default_factory=dict)
    blocks: dict[tuple[object, ...], Block] = field(default_factory=dict)
    point: Checkpoint | None = None

    def begin_batch(self) -> None:
        """Begin the next batch: keep what was frozen, and forget the rest."""
        for label, artefact in self.latest.items():
            self.frozen[label] = dict(self.with_earlier_weights(artefact).arrays)
            earlier = self.variances.get(label, [])
            found = artefact.info.get("residual_variance") or []
            self.variances[label] = [*earlier, *found]
        self.batch += 1
        self.latest, self.point = {}, None

    def with_earlier_weights(self, artefact: Artefact) -> Artefact:
        """Return weights frozen in this batch behind those of all earlier ones."""
        earlier = self.frozen.get(artefact.name)
        if earlier is None:
            return artefact
        arrays = {
            name: np.concatenate([earlier[name], array])
            for name, array in artefact.arrays.items()
        }
        info = artefact.info | {"digest": digest_arrays(arrays)}
        if "residual_variance" in info:
            before = self.variances.get(artefact.name, [])
            info["residual_variance"] = [*before, *info["residual_variance"]]
        return Artefact(artefact.name, artefact.kind, arrays, info)

    def checkpoint(self) -> Checkpoint:
        """Return the checkpoint of this batch, with the history of its run."""
        batch = self.point or Checkpoint({}, {"format": FORMAT})
        arrays = dict(batch.arrays)
        for part, trees in self._trees().items():
            for label, tree in trees.items():
                for name, array in tree.items():
                    arrays[json.dumps([part, label, name])] = array
        for i, block in enumerate(self.blocks.values()):
            arrays[json.dumps(["block", i])] = np.asarray(block.array)
        history = {
            "batch": self.batch,
            "begun": self.point is not None,
            "threshold": self.threshold,
            "diverged": dict(self.diverged),
            "variances": dict(self.variances),
            "latest": {label: one.info for label, one in self.latest.items()},
            "blocks": [_block_as_json(block) for block in self.blocks.values()],
        }
        return Checkpoint(arrays, batch.state | {RUN: history})

    def _trees(self) -> dict[str, dict[str, Arrays]]:
        """Return the named arrays by their part of a checkpoint."""
        latest = {label: one.arrays for label, one in self.latest.items()}
        return {"frozen": self.frozen, "latest": latest}

    @classmethod
    def from_checkpoint(cls, point: Checkpoint | None) -> "RunHistory":
        """Return the history that a checkpoint holds; an empty one for None.

        Raises:
            Refused: If a newer Metascope wrote it.
        """
        if point is None:
            return cls()
        if is_old_checkpoint(point):
            return cls(point=point)
        check_format(point)
        # Up to format 3, these fields stood among those of the batch.
        history = point.state.get(RUN, point.state)
        restored = cls(
            batch=history.get("batch", 0),
            threshold=history["threshold"],
            diverged=_read_diverged(history["diverged"]),
            variances=dict(history.get("variances", {})),
        )
        if history.get("begun", True):
            state = {name: v for name, v in point.state.items() if name != RUN}
            restored.point = Checkpoint(point.arrays, state)
        restored._read_arrays(point, history)
        return restored

    def _read_arrays(self, point: Checkpoint, history: dict[str, Any]) -> None:
        for i, fields in enumerate(history.get("blocks", ())):
            array = np.array(point.arrays[json.dumps(["block", i])])
            block = _block_from_json(fields, array)
            self.blocks[block.address()] = block
        known = history.get("latest")
        if known is None:  # up to format 3, they were found in the batch's own state
            learners = point.state["learners"].items()
            known = {
                label: _variance_of(one) for label, one in learners if one["digests"]
            }
        latest: dict[str, Arrays] = {label: {} for label in known}
        part_of = "latest" if "latest" in history else "metas"
        trees = {"frozen": self.frozen, part_of: latest}
        for key, array in point.arrays.items():
            part, label, *name = json.loads(key)
            if label in trees.get(part, ()) or part == "frozen":
                trees[part].setdefault(label, {})[name[0]] = np.array(array)
        self.latest = {
            label: Artefact(label, "frozen", arrays, known[label])
            for label, arrays in latest.items()
        }


def _variance_of(learner: dict[str, Any]) -> dict[str, Any]:
    """Return what was frozen with a learner's weights, as format 3 kept it."""
    variance = learner.get("residual_variance")
    return {} if variance is None else {"residual_variance": variance}


def _read_diverged(value: bool | dict[str, bool]) -> dict[str, bool]:
    """Read `diverged`, which format 2 wrote as one flag for all chosen learners."""
    return {"": value} if isinstance(value, bool) else dict(value)


def _block_as_json(block: Block) -> list[Any]:
    names = [block.learner, block.phase, block.metric]
    at = {axis: list(places) for axis, places in block.coords.items()}
    return [names, list(block.axes), condition_as_list(block.condition), at]


def _block_from_json(fields: list[Any], array: np.ndarray) -> Block:
    names, axes, condition, at = fields
    coords = {axis: tuple(places) for axis, places in at.items()}
    return Block(*names, tuple(axes), array, Condition(*condition), coords)
