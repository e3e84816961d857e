"""Run specs: their fields, and their completion from defaults."""

import itertools
import json
from collections.abc import Callable
from typing import Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from engine.contract.cards import Card, card_for_family, complete_knobs
from engine.contract.errors import PartRefused, Refused, json_path
from engine.contract.text_decoding import clean

FORMAT = 1
# Slots whose parts have defaults that suit the family.
FOLLOWS_FAMILY = frozenset({"learner", "net", "outer"})
# Left out of a recorded spec, and of its key, where they are empty or 0.
NEWER_FIELDS = frozenset({"kind", "first_replicate", "looks", "rival"})
MOST_REPLICATES, MOST_LOOKS = 512, 64


class StrictModel(BaseModel):
    """A frozen model that refuses unknown fields, converted types and NaN."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False
    )


class Choice(StrictModel):
    """A part by name, with its knobs; a completed spec gives them all."""

    name: str = Field(max_length=60)
    knobs: dict[str, Any] = {}


class LearnerChoice(Choice):
    """A learner and its role in the comparison; `label` names it in results."""

    role: Literal["chosen", "baseline"] = "chosen"
    label: str = Field("", max_length=60)


class ShiftChoice(Choice):
    """A shift and its severities, in the shift's own unit; 0 is the identity.

    Without severities, those that the shift declares are tested.
    """

    severities: tuple[float, ...] = Field((), max_length=12, strict=False)


class Budget(StrictModel):
    """How much a run may compute; all counts are per replicate.

    A task evaluation is one full run of the base learner: `horizon` gradients. For
    few-shot tasks it is one episode, and the horizon is how many inner steps the tests
    show. Without test tasks a run only tunes and trains. A threshold of 0 means that it
    is fixed on validation tasks, before any test.
    """

    task_evaluations: int = Field(2080, ge=0, le=10_000_000)
    tasks_per_step: int = Field(4, ge=1, le=4096)
    validation_tasks: int = Field(8, ge=1, le=512)
    validate_every: int = Field(10, ge=1, le=10_000)
    patience: int = Field(0, ge=0, le=10_000)
    test_tasks: int = Field(8, ge=0, le=10_000)
    horizon: int = Field(50, ge=1, le=5_000)
    # Of the fine grid; an optimizer's coarse grid takes a quarter of them. The limit is
    # that of task_evaluations divided by 10, the cost of a search.
    tuning_tasks: int = Field(64, ge=1, le=1_000_000)
    threshold: float = Field(0.0, ge=0.0, le=1e9)


class Input(StrictModel):
    """A frozen artefact of another run that this run starts from.

    `spec` is the other run's spec, so that another installation can recompute it.
    """

    run: str = Field(pattern="^[0-9a-f]{64}$")
    artefact: str = Field(max_length=60)
    spec: "RunSpec | None" = None


class RunSpec(StrictModel):
    """Everything that a run's numbers depend on.

    `kind` is the family's kind of task, filled in by `complete_spec`. Specs of 0.3.0
    and earlier lack it, and as it follows from the family it is not part of the run's
    key.

    Replicates are numbered from `first_replicate`, and each one's numbers depend on its
    own number alone. With `looks`, replicates are added in batches up to each look, and
    the run ends at the first look that decides its primary question; `looks` holds
    numbers of replicates, ascending, and ends with `replicates`. `rival` is the label
    that the primary question compares with; empty for the strongest tuned baseline.
    """

    format: int = FORMAT
    kind: str = Field("", max_length=60)
    family: Choice
    test_families: tuple[Choice, ...] = Field((), max_length=16, strict=False)
    shifts: tuple[ShiftChoice, ...] = Field((), max_length=16, strict=False)
    learners: tuple[LearnerChoice, ...] = Field(
        min_length=1, max_length=8, strict=False
    )
    net: Choice = Choice(name="mlp")
    estimator: Choice = Choice(name="pes")
    outer: Choice = Choice(name="adam")
    budget: Budget = Budget()
    replicates: int = Field(8, ge=1, le=MOST_REPLICATES)
    first_replicate: int = Field(0, ge=0, le=MOST_REPLICATES)
    looks: tuple[int, ...] = Field((), max_length=MOST_LOOKS, strict=False)
    rival: str = Field("", max_length=60)
    seed: int = Field(7, ge=0, lt=2**63)
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    compile: bool = False
    inputs: dict[str, Input] = {}

    @model_serializer(mode="wrap")
    def _as_recorded(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out newer fields at their defaults, so that old specs keep their bytes.

        Without them a spec also keeps the key that it had before they existed.
        """
        body: dict[str, Any] = dump(self)
        return {k: v for k, v in body.items() if v or k not in NEWER_FIELDS}

    @model_validator(mode="after")
    def _check_looks(self) -> Self:
        rising = all(a < b for a, b in itertools.pairwise((0, *self.looks)))
        if self.looks and not (rising and self.looks[-1] == self.replicates):
            raise ValueError(
                "looks must be numbers of replicates that rise from at least 1 to "
                f"replicates ({self.replicates})"
            )
        return self


CardLookup = Callable[[str, str], Card]


def complete_spec(spec: RunSpec, cards: CardLookup, device: str) -> RunSpec:
    """Return a spec with all knobs, labels and severities filled in and checked.

    Args:
        spec: The spec as submitted.
        cards: Gives the card of (slot, name), or raises Refused.
        device: What `auto` means here: cpu, cuda or mps.

    Returns:
        The completed spec; completing it again changes nothing. A learning rate or a
        start of the net that was not given is the default that suits the family.

    Raises:
        Refused: With the dotted path of the first invalid field.
    """
    if spec.format > FORMAT:
        raise Refused(
            f"this spec has format {spec.format}; this Metascope reads up to {FORMAT}",
            "format",
        )

    def complete_choice(choice: Any, slot: str, path: str) -> Any:
        card = None
        try:
            card = cards(slot, choice.name)
            if slot in FOLLOWS_FAMILY:
                card = card_for_family(card, cards("family", spec.family.name))
            knobs = complete_knobs(card, choice.knobs)
        except PartRefused:  # a part's file is wrong, not this field of the spec
            raise
        except Refused as refusal:
            below = f"knobs.{refusal.field}" if card else "name"
            place = f"{path}.{below}"
            raise Refused(f"{json_path(place)}: {refusal.message}", place) from None
        return choice.model_copy(update={"knobs": knobs})

    def complete_choices(choices: Any, slot: str, path: str) -> tuple[Any, ...]:
        return tuple(
            complete_choice(c, slot, f"{path}.{i}") for i, c in enumerate(choices)
        )

    shifts = tuple(
        _with_severities(choice, cards, f"shifts.{i}.severities")
        for i, choice in enumerate(spec.shifts)
    )
    return spec.model_copy(
        update={
            "format": FORMAT,
            "family": complete_choice(spec.family, "family", "family"),
            "test_families": complete_choices(
                spec.test_families, "family", "test_families"
            ),
            "shifts": complete_choices(shifts, "shift", "shifts"),
            "learners": _with_labels(
                complete_choices(spec.learners, "learner", "learners")
            ),
            "net": complete_choice(spec.net, "net", "net"),
            "estimator": complete_choice(spec.estimator, "estimator", "estimator"),
            "outer": complete_choice(spec.outer, "outer", "outer"),
            "device": device if spec.device == "auto" else spec.device,
            # last, so that an unknown family is refused with its path above
            "kind": kind_of_family(spec, cards),
        }
    )


def kind_of_family(spec: RunSpec, cards: CardLookup) -> str:
    """Return the name of the kind of task that a spec's family draws.

    Raises:
        Refused: If the family is unknown, or the spec gives another kind.
    """
    kind = str(cards("family", spec.family.name).traits.get("kind", ""))
    if spec.kind and spec.kind != kind:
        raise Refused(
            f"{spec.family.name} draws tasks of the kind {kind!r}, not "
            f"{clean(spec.kind)!r}; leave the kind out",
            "kind",
        )
    return kind


def _with_severities(choice: ShiftChoice, cards: CardLookup, path: str) -> ShiftChoice:
    """Return a shift with its severities checked, or with the declared ones."""
    try:
        card = cards("shift", choice.name)
    except PartRefused:  # a part's file is wrong, not this field of the spec
        raise
    except Refused as refusal:
        place = f"{path.removesuffix('severities')}name"
        raise Refused(f"{json_path(place)}: {refusal.message}", place) from None
    top = card.traits.get("top", float("inf"))
    for severity in choice.severities:
        if not 0.0 <= severity <= top:
            raise Refused(
                f"a severity of {card.title} must be a number from 0 to {top:g}, "
                f"not {severity:g}",
                path,
            )
    if choice.severities:
        return choice
    declared = tuple(float(s) for s in card.traits.get("severities", ()))
    return choice.model_copy(update={"severities": declared})


def _with_labels(learners: tuple[LearnerChoice, ...]) -> tuple[LearnerChoice, ...]:
    taken: set[str] = set()
    named = []
    for learner in learners:
        wish = clean(learner.label) or learner.name
        label, n = wish, 2
        while label in taken:
            label, n = f"{wish}_{n}", n + 1
        taken.add(label)
        named.append(learner.model_copy(update={"label": label}))
    return tuple(named)


def group_equal_learners(spec: RunSpec) -> list[tuple[LearnerChoice, ...]]:
    """Return a completed spec's learners, grouped where they are equal.

    Learners are equal if they have the same part, knobs and input: their results differ
    in nothing but the label, so only one of a group has to be computed.
    """
    groups: dict[bytes, list[LearnerChoice]] = {}
    for choice in spec.learners:
        given = spec.inputs.get(choice.label)
        source = [given.run, given.artefact] if given else []
        same = canonical_json([choice.name, choice.knobs, source])
        groups.setdefault(same, []).append(choice)
    return [tuple(group) for group in groups.values()]


def canonical_json(value: Any) -> bytes:
    """Return canonical JSON: sorted keys, no spaces, ASCII.

    Raises:
        ValueError: If a number is NaN or infinite.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode()
