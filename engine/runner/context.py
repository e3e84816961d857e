"""The run context: a spec with its parts built, random streams and conditions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

import torch

from engine.contract.errors import Refused
from engine.contract.events import Condition
from engine.contract.kinds import KINDS, Kind
from engine.contract.parts import Part
from engine.contract.registry import part
from engine.contract.rng import Rng
from engine.contract.run_spec import (
    Choice,
    LearnerChoice,
    RunSpec,
    group_equal_learners,
)
from engine.judges import JUDGES, Judge
from engine.protocol import (
    BatchSpec,
    Estimator,
    Family,
    Learner,
    Net,
    OuterRule,
    Setting,
    Shift,
    TaskBatch,
)
from engine.runner.compatibility import (
    check_family,
    explain_family_mismatch,
    explain_foreign_shift,
)
from engine.stats.family_names import name_test_families

P = TypeVar("P", bound=Part)


def build_part(slot: str, choice: Choice, kind: type[P]) -> P:
    """Build the part that a choice names.

    Args:
        slot: Where it belongs: learner, net, family, …
        choice: Its name and knobs.
        kind: The class that it must have.

    Raises:
        Refused: If there is no such part.
    """
    found = part(slot, choice.name)(**choice.knobs)
    if not isinstance(found, kind):
        raise Refused(f"{choice.name} is not a {slot}", slot)
    return found


@dataclass(frozen=True)
class LearnerEntry:
    """One learner of a run, computed once for all labels that stand for the same.

    Args:
        choice: As in the spec.
        learner: The part, with its knobs.
        equal_labels: Labels of the other learners in the spec that equal this one.
    """

    choice: LearnerChoice
    learner: Learner
    equal_labels: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        return self.choice.label

    @property
    def labels(self) -> tuple[str, ...]:
        """Return its labels, its own first."""
        return (self.label, *self.equal_labels)

    @property
    def is_tuned(self) -> bool:
        """Return whether its learning rate is tuned."""
        return self.choice.knobs.get("tuning", "given") != "given"


@dataclass(frozen=True)
class MetaTestCondition:
    """One condition of the meta-test, and the setting that realizes it."""

    condition: Condition
    setting: Setting

    @property
    def is_in_distribution(self) -> bool:
        """Return whether this is the family that was trained on, unshifted."""
        return not (self.condition.family or self.condition.shift)

    @property
    def title(self) -> str:
        """Return the condition's name in words."""
        return self.condition.title


@dataclass(frozen=True)
class RunContext:
    """The parts, streams and conditions of a run.

    Args:
        spec: Completed by `complete_spec`.
    """

    spec: RunSpec

    @cached_property
    def setting(self) -> Setting:
        family = build_part("family", self.spec.family, Family)
        net = build_part("net", self.spec.net, Net)
        return Setting(family, net, self.spec.budget.horizon, trained_family=family)

    @cached_property
    def entries(self) -> tuple[LearnerEntry, ...]:
        """Return the learners to compute: one for each set of equal ones."""
        return tuple(
            LearnerEntry(
                first,
                build_part("learner", first, Learner),
                tuple(c.label for c in rest),
            )
            for first, *rest in group_equal_learners(self.spec)
        )

    @property
    def kind(self) -> Kind:
        """Return the kind of task."""
        return KINDS[self.setting.family.kind]

    @property
    def judge(self) -> Judge:
        """Return what computes this kind's metrics."""
        return JUDGES[self.kind.name]

    @cached_property
    def estimator(self) -> Estimator:
        return build_part("estimator", self.spec.estimator, Estimator)

    @cached_property
    def outer(self) -> OuterRule:
        return build_part("outer", self.spec.outer, OuterRule)

    @cached_property
    def batch_spec(self) -> BatchSpec:
        return BatchSpec(self.spec.replicates, torch.device(self.spec.device))

    @property
    def rng(self) -> Rng:
        return Rng(self.spec.seed)

    def streams(self, *path: str | int) -> tuple[Rng, ...]:
        """Return one random stream per replicate.

        Args:
            path: Words and numbers; the replicate's number follows the first one.
        """
        word, *rest = path
        first = self.spec.first_replicate
        numbers = range(first, first + self.spec.replicates)
        return tuple(self.rng.child(word, r, *rest) for r in numbers)

    def draw(
        self, setting: Setting, pool: str, path: Sequence[str | int], tasks: int
    ) -> TaskBatch:
        """Draw tasks for every replicate; see `draw_tasks`."""
        streams = self.streams(*path)
        return draw_tasks(setting, pool, streams, tasks, self.batch_spec)

    def tunes_first(self, entry: LearnerEntry) -> bool:
        """Return whether its rate is tuned before anything else, in a sub-run."""
        return entry.is_tuned and not self.kind.tuned_last

    def tunes_last(self, entry: LearnerEntry) -> bool:
        """Return whether its rate is tuned once it is trained."""
        return entry.is_tuned and self.kind.tuned_last

    def test_conditions(self) -> tuple[list[MetaTestCondition], dict[str, str]]:
        """Return the conditions of the meta-test, in distribution first.

        Returns:
            The conditions; and why some shifts or families cannot be tested, by
            `shift:name` or `family:name`.
        """
        conditions = [MetaTestCondition(Condition(), self.setting)]
        remarks: dict[str, str] = {}
        for choice in self.spec.shifts:
            shift = build_part("shift", choice, Shift)
            if reason := explain_foreign_shift(shift, self.setting) or shift.why_not(
                self.setting
            ):
                remarks[f"shift:{shift.name}"] = reason
                continue
            for severity in choice.severities:
                # Severity 0 is the identity, bit for bit: the very same setting.
                shifted = (
                    _apply_shift(shift, self.setting, severity)
                    if severity
                    else self.setting
                )
                try:
                    check_family(shifted.family)
                except Refused as refusal:
                    named = f"shift:{shift.name} {severity:g}"
                    remarks[named] = refusal.message
                    continue
                where = Condition(shift=shift.name, severity=severity)
                conditions.append(MetaTestCondition(where, shifted))
        names = name_test_families(self.spec)
        for name, of in zip(names, self.spec.test_families, strict=True):
            family, where = build_part("family", of, Family), Condition(family=name)
            if reason := explain_family_mismatch(self.setting.family, family):
                remarks[f"family:{where.family}"] = reason
                continue
            conditions.append(
                MetaTestCondition(where, replace(self.setting, family=family))
            )
        return conditions, remarks


def _apply_shift(shift: Shift, setting: Setting, severity: float) -> Setting:
    """Return the shifted setting.

    Raises:
        Refused: If the shift returns none, which would test the same tasks again.
    """
    shifted = shift.apply(setting, severity)
    if isinstance(shifted, Setting):
        return shifted
    raise Refused(
        f"the shift {shift.name} must return the changed setting from apply(), such as "
        f"setting.with_warp(…), not {type(shifted).__name__}",
        "shifts",
    )


def draw_tasks(
    setting: Setting,
    pool: str,
    streams: Sequence[Rng],
    tasks: int,
    batch_spec: BatchSpec,
) -> TaskBatch:
    """Draw tasks, replicate by replicate.

    Args:
        setting: The family, the net and the horizon.
        pool: train, validation or test.
        streams: One per replicate; a task's own stream is a child by its number, so
            more tasks leave the earlier ones unchanged.
        tasks: How many per replicate.
        batch_spec: Replicates, device and dtype.
    """
    rngs = [stream.child(t) for stream in streams for t in range(tasks)]
    return setting.family.draw(setting, rngs, pool, batch_spec)


def labels_of(context: RunContext, label: str) -> tuple[str, ...]:
    """Return the labels that share the results of one label, itself first."""
    named = {entry.label: entry.labels for entry in context.entries}
    return named.get(label, (label,))
