"""Checks of an imported run's artefacts: each kind has the fields that pages read."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from engine.contract.errors import Refused
from engine.contract.events import Artefact, Block
from engine.contract.run_spec import Choice, RunSpec
from engine.contract.text_decoding import clean
from engine.export.spec_contents import tuned_labels
from engine.store import array_codec


class _Info(BaseModel):
    """A JSON object of which these fields are read; further ones are allowed."""

    model_config = ConfigDict(
        frozen=True, extra="allow", strict=True, allow_inf_nan=False
    )


class _ConditionInfo(BaseModel):
    """A test condition as JSON."""

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


class _TrialsInfo(_Info):
    family: str = ""
    picture: str = ""
    trials: int = Field(ge=1, le=1000)
    condition: _ConditionInfo = _ConditionInfo()


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
    "trials": _TrialsInfo,
}
_LEARNING = ("tune", "train")
KINDS = (*_SHAPES, "remarks")
# By the name of a search's array: its shape per architecture.
_EACH = {"scores": (), "landscape/basin": (), "sphere/xyz": (3,), "map/xy": (2,)}


def read_artefact(data: bytes) -> Artefact:
    """Read an artefact and check the fields and arrays that pages read.

    Args:
        data: The safetensors bytes of an archive's member.

    Raises:
        Refused: If its kind is unknown, or an array does not fit its kind.
        ValidationError: If a field of its info does not fit its kind.
    """
    held, about = array_codec.unpack(data)
    info, kind = about["info"], about["kind"]
    if not isinstance(info, dict) or not isinstance(about["name"], str):
        raise Refused("its name must be text and its info a JSON object")
    if kind not in KINDS:
        raise Refused(f"kind: must be one of {', '.join(KINDS)}, not {repr(kind)[:40]}")
    if odd := [name for name, each in held.items() if each.dtype.kind not in "fiub"]:
        raise Refused(f"{clean(odd[0])[:40]!r} must be an array of numbers")
    if kind == "remarks":
        _check_texts(info)
    else:
        _SHAPES[kind].model_validate(info)
    if kind == "search":
        _check_search(held, info)
    if kind == "snapshot":
        _check_snapshot(held)
    if kind == "trials":
        _check_trials(held, info)
    return Artefact(clean(about["name"]), kind, held, info)


def missing_frozen_weights(
    spec: RunSpec, blocks: Iterable[Block], artefacts: Iterable[Artefact]
) -> list[str]:
    """Return the labels of learners whose frozen weights an ended run lacks.

    An ended run has the weights of each learner that was trained, tuned or taken from
    another run.

    Args:
        spec: The run's completed spec.
        blocks: All of its blocks.
        artefacts: All of its artefacts.
    """
    worked = (b for b in blocks if b.phase in _LEARNING or b.metric == "thawed")
    learned = {block.learner for block in worked}
    frozen = {a.name for a in artefacts if a.kind == "frozen"}
    return sorted((learned | tuned_labels(spec) | {*spec.inputs}) - {"", *frozen})


def check_fingerprint(fingerprint: Mapping[str, Any] | None) -> None:
    """Check the fields of a fingerprint that pages read.

    Args:
        fingerprint: A JSON object; None where a run has none.

    Raises:
        ValidationError: If a field has a wrong type.
    """
    _FingerprintInfo.model_validate(fingerprint or {})


def _check_texts(info: Mapping[str, Any]) -> None:
    for name, word in info.items():
        if not isinstance(word, str):
            raise Refused(f"{clean(name)[:40]!r} must be text, not {repr(word)[:40]}")


def _check_trials(held: Mapping[str, np.ndarray], info: Mapping[str, Any]) -> None:
    """Check that each array has a row for each trial."""
    for name, rows in held.items():
        if rows.ndim < 1 or len(rows) != info["trials"]:
            raise Refused(
                f"{clean(name)[:40]}: must have {info['trials']} rows, one for each "
                f"trial, not the shape {rows.shape}"
            )


def _check_search(held: Mapping[str, np.ndarray], info: Mapping[str, Any]) -> None:
    """Check that arrays cover the space, and that indices are within it."""
    options = info["options"]
    if len(options) != len(info["positions"]) or not all(options):
        raise Refused("options: each position must have at least one")
    size = math.prod(map(len, options))
    each = _EACH | {name: () for name in held if name.startswith("property/")}
    for name in each.keys() & held.keys():
        if held[name].shape != (size, *each[name]):
            raise Refused(
                f"{name}: must have shape {(size, *each[name])}, one entry for each "
                f"architecture, not {held[name].shape}"
            )
    for name, rows in held.items():
        if name.endswith("/architecture"):
            known = rows[np.isfinite(rows)]  # NaN where nothing was trained
            if rows.ndim != 2 or ((known < 0) | (known >= size)).any():
                bounds = f"indices from 0 to {size - 1:,}"
                raise Refused(f"{clean(name)[:40]!r} must hold rows of {bounds}")


def _check_snapshot(held: Mapping[str, np.ndarray]) -> None:
    for part in ("support", "query"):
        points, answers = held[part], held[f"{part}_y"]
        if points.ndim != 2 or answers.shape != points.shape[:1]:
            raise Refused(
                f"{part}: {points.shape} points and {answers.shape} answers do not fit"
            )
