"""What the artefacts of a run can be: the shapes that a page reads, by kind."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from engine.contract.errors import Refused
from engine.contract.events import Artefact, Block
from engine.contract.runs import Choice, RunSpec
from engine.contract.text_input import clean
from engine.export.block_checks import tuned_labels
from engine.store import arrays


class _Info(BaseModel):
    """JSON of which some fields are read; others may stand beside them."""

    model_config = ConfigDict(
        frozen=True, extra="allow", strict=True, allow_inf_nan=False
    )


class _ConditionInfo(BaseModel):
    """A condition, as JSON."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    family: str = ""
    shift: str = ""
    severity: float = 0.0


class _FrozenInfo(_Info):
    learner: str
    knobs: dict[str, Any] = {}
    family: Choice | None = None
    digest: str = ""
    meta_step: float = Field(0.0, ge=0)


class _SnapshotInfo(_Info):
    learner: str
    meta_step: int = Field(ge=0)


class _FilmInfo(_Info):
    form: str = ""
    tasks: int = Field(1, ge=1, le=1000)
    which: list[str] = Field(["only"], min_length=1)
    condition: _ConditionInfo = _ConditionInfo()
    judged: _ConditionInfo = _ConditionInfo()
    judge: str = ""
    answers: dict[str, int] = {}


class _SpaceInfo(_Info):
    space: str = ""
    positions: list[str] = Field(min_length=1, max_length=1000)
    options: list[list[str]] = Field(max_length=1000)
    edges: list[list[int]] = []
    tasks: list[str] = []


class _SearchInfo(_SpaceInfo):
    properties: dict[str, str] = {}
    cost_unit: str = ""
    goal: float = 0.0
    condition: _ConditionInfo = _ConditionInfo()
    geometry: dict[str, Any] = {}
    evaluator: _SpaceInfo | None = None


class _FingerprintInfo(_Info):
    versions: dict[str, str] = {}


_SHAPES: dict[str, type[_Info]] = {
    "frozen": _FrozenInfo,
    "film": _FilmInfo,
    "search": _SearchInfo,
    "snapshot": _SnapshotInfo,
}
_LEARNING = ("tune", "train")
KINDS = (*_SHAPES, "remarks")
# By what a search's arrays are named: how many numbers each architecture has.
_EACH = {"scores": (), "landscape/basin": (), "sphere/xyz": (3,), "map/xy": (2,)}


def read_artefact(data: bytes) -> Artefact:
    """Read an artefact and check what a page will read of it.

    Raises:
        Refused: If it is of no kind, or not of its kind's shape.
        ValidationError: If a field is not what it must be.
    """
    held, about = arrays.unpack(data)
    info, kind = about["info"], about["kind"]
    if not isinstance(info, dict) or not isinstance(about["name"], str):
        raise Refused("its name must be text and its info a JSON object")
    if kind not in KINDS:
        raise Refused(f"kind: {repr(kind)[:40]} is none of {', '.join(KINDS)}")
    if odd := [name for name, each in held.items() if each.dtype.kind not in "fiub"]:
        raise Refused(f"{clean(odd[0])[:40]!r} holds no numbers")
    if kind == "remarks":
        _check_texts(info)
    else:
        _SHAPES[kind].model_validate(info)
    if kind == "search":
        _check_search(held, info)
    if kind == "snapshot":
        _check_snapshot(held)
    return Artefact(clean(about["name"]), kind, held, info)


def missing_frozen_weights(
    spec: RunSpec, blocks: Iterable[Block], artefacts: Iterable[Artefact]
) -> list[str]:
    """Return the learners whose frozen weights an ended run has, and these lack.

    Frozen is what was trained, tuned or brought from another run.
    """
    worked = (b for b in blocks if b.phase in _LEARNING or b.metric == "thawed")
    learned = {block.learner for block in worked}
    frozen = {a.name for a in artefacts if a.kind == "frozen"}
    return sorted((learned | tuned_labels(spec) | {*spec.inputs}) - {"", *frozen})


def check_fingerprint(told: Mapping[str, Any] | None) -> None:
    """Check what a page reads of a fingerprint.

    Raises:
        ValidationError: If a field is not what it must be.
    """
    _FingerprintInfo.model_validate(told or {})


def _check_texts(info: Mapping[str, Any]) -> None:
    for name, word in info.items():
        if not isinstance(word, str):
            raise Refused(f"{clean(name)[:40]!r} must be text, not {repr(word)[:40]}")


def _check_search(held: Mapping[str, np.ndarray], info: Mapping[str, Any]) -> None:
    """Check that every architecture has its numbers, and no other is named."""
    options = info["options"]
    if len(options) != len(info["positions"]) or not all(options):
        raise Refused("options: each position must have some")
    size = math.prod(map(len, options))
    each = _EACH | {name: () for name in held if name.startswith("property/")}
    for name in each.keys() & held.keys():
        if held[name].shape != (size, *each[name]):
            raise Refused(f"{name}: shape {held[name].shape} for {size:,} of the space")
    for name, rows in held.items():
        if name.endswith("/architecture"):
            known = rows[np.isfinite(rows)]
            if rows.ndim != 2 or ((known < 0) | (known >= size)).any():
                raise Refused(f"{clean(name)[:40]!r} names what is not in the space")


def _check_snapshot(held: Mapping[str, np.ndarray]) -> None:
    for part in ("support", "query"):
        points, answers = held[part], held[f"{part}_y"]
        if points.ndim != 2 or answers.shape != points.shape[:1]:
            raise Refused(f"{part}: shape {points.shape}, answers {answers.shape}")
