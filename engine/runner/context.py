"""A spec with its parts resolved: who competes, on what, with which streams."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

import torch

from engine.contract.errors import Refused, json_path
from engine.contract.events import Condition
from engine.contract.kinds import KINDS, Kind, mismatch
from engine.contract.parts import Part
from engine.contract.registry import part
from engine.contract.rng import Rng
from engine.contract.runs import Choice, LearnerChoice, RunSpec, group_equal_learners
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
    describe_example,
    explain_family_mismatch,
    explain_foreign_shift,
)
from engine.stats.family_names import name_test_families

P = TypeVar("P", bound=Part)


def build_part(slot: str, choice: Choice, kind: type[P]) -> P:
    """Build the part that a choice names.

    Raises:
        Refused: If there is none of that name.
    """
    found = part(slot, choice.name)(**choice.knobs)
    if not isinstance(found, kind):
        raise Refused(f"{choice.name} is not a {slot}", slot)
    return found


@dataclass(frozen=True)
class LearnerEntry:
    """One learner of a run; `equal_labels` are the labels of those that equal it."""

    choice: LearnerChoice
    learner: Learner
    equal_labels: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        return self.choice.label

    @property
    def labels(self) -> tuple[str, ...]:
        """Return every label that it is shown under, its own first."""
        return (self.label, *self.equal_labels)

    @property
    def is_tuned(self) -> bool:
        """Return whether its rate is to be chosen."""
        return self.choice.knobs.get("tuning", "given") != "given"


@dataclass(frozen=True)
class MetaTestCondition:
    """One condition of the meta-test and the setting that makes it."""

    condition: Condition
    setting: Setting

    @property
    def is_in_distribution(self) -> bool:
        """Return whether this is the family that was trained on, unshifted."""
        return not (self.condition.family or self.condition.shift)

    @property
    def title(self) -> str:
        """Name the condition in words."""
        return self.condition.title


@dataclass(frozen=True)
class RunContext:
    """All that a run needs, resolved from a completed spec."""

    spec: RunSpec

    @cached_property
    def setting(self) -> Setting:
        family = build_part("family", self.spec.family, Family)
        net = build_part("net", self.spec.net, Net)
        return Setting(family, net, self.spec.budget.horizon, trained_family=family)

    @cached_property
    def entries(self) -> tuple[LearnerEntry, ...]:
        """Return the learners that are computed: one of each set of equal ones."""
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
        """Return which kind of task this is about."""
        return KINDS[self.setting.family.kind]

    @property
    def judge(self) -> Judge:
        """Return how this kind of tasks is judged."""
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
        """Return one stream per replicate; the replicate follows the first word."""
        first, *rest = path
        return tuple(
            self.rng.child(first, r, *rest) for r in range(self.spec.replicates)
        )

    def draw(
        self, setting: Setting, pool: str, path: Sequence[str | int], tasks: int
    ) -> TaskBatch:
        """Draw tasks for every replicate; see `draw_tasks`."""
        streams = self.streams(*path)
        return draw_tasks(setting, pool, streams, tasks, self.batch_spec)

    def tunes_first(self, entry: LearnerEntry) -> bool:
        """Return whether a rate is chosen before all else, in a sub-run."""
        return entry.is_tuned and not self.kind.tuned_last

    def tunes_last(self, entry: LearnerEntry) -> bool:
        """Return whether a rate is chosen once the learner is trained."""
        return entry.is_tuned and self.kind.tuned_last

    def check(self) -> None:
        """Refuse what cannot be run together.

        Raises:
            Refused: If a family's data is absent or too small, a learner does not
                solve its kind or cannot be trained by the chosen estimator.
        """
        self._check_families()
        kind, answers = self.kind.name, self.setting.family.answer_kind()
        tasks, fixed = self.kind.words.tasks, self.kind.fixed_examples
        if self.setting.family.uses_net and kind not in self.setting.net.solves:
            raise Refused(f"{self.setting.net.name} does not solve {tasks}", "net")
        for entry in self.entries:
            learner, where = entry.learner, self._spec_path(entry)
            if kind not in learner.solves:
                family = self.setting.family.name
                told = mismatch(learner.name, learner.solves, family, kind)
                raise Refused(f"{json_path(where)}.name: {told}", where)
            if fixed and answers not in learner.answers:
                given = " or ".join(learner.answers)
                raise Refused(
                    f"{entry.label} answers with {given}, and "
                    f"{self.setting.family.name} asks for {answers}",
                    where,
                )
            if not learner.needs_estimator or entry.label in self.spec.inputs:
                continue
            if self.estimator.name not in learner.estimators:
                can = ", ".join(learner.estimators)
                raise Refused(
                    f"{entry.label} cannot be trained by {self.estimator.name}; "
                    f"choose one of {can}",
                    "estimator",
                )
        for label in self.spec.inputs:
            if label not in {choice.label for choice in self.spec.learners}:
                raise Refused(f"no learner is labelled {label!r}", f"inputs.{label}")
        self._check_ways()
        self._check_knowledge_bases()

    def _check_families(self) -> None:
        tested = enumerate(self.spec.test_families)
        places = [("family", self.spec.family)]
        for path, choice in (*places, *((f"test_families.{i}", c) for i, c in tested)):
            try:
                family = build_part("family", choice, Family)
                family.check()
                if path == "family" and KINDS[family.kind].fixed_examples:
                    describe_example(family, "train")
            except Refused as refusal:
                raise refusal.with_prefix(path) from None

    def _check_ways(self) -> None:
        """Refuse a learner whose head is trained for other ways than the tests have."""
        family = self.setting.family
        if getattr(family, "train_ways", 0) in (0, getattr(family, "ways", 0)):
            return
        step_context = self.draw(self.setting, "train", ("check",), 1)
        exam = self.draw(self.setting, "validation", ("check",), 1)
        for entry in self.entries:
            learner = entry.learner
            if not learner.trains or entry.label in self.spec.inputs:
                continue
            meta = learner.init(self.streams("init"), step_context)
            if reason := learner.why_not(meta, exam):
                raise Refused(
                    f"{entry.label} cannot be trained so: {reason}; set the ways in "
                    "training to 0",
                    "family.train_ways",
                )

    def _check_knowledge_bases(self) -> None:
        """Refuse an imported knowledge base that is absent, or does not fit."""
        for entry in self.entries:
            if entry.learner.knowledge and entry.label not in self.spec.inputs:
                step_context = self.draw(self.setting, "train", ("check",), 1)
                try:
                    entry.learner.init(self.streams("init"), step_context)
                except Refused as refusal:
                    raise refusal.with_prefix(
                        f"{self._spec_path(entry)}.knobs"
                    ) from None

    def _spec_path(self, entry: LearnerEntry) -> str:
        """Return where a learner stands in the spec."""
        return f"learners.{self.spec.learners.index(entry.choice)}"

    def test_conditions(self) -> tuple[list[MetaTestCondition], dict[str, str]]:
        """Return every test condition, and why some shifts cannot be applied."""
        trials = [MetaTestCondition(Condition(), self.setting)]
        remarks: dict[str, str] = {}
        for choice in self.spec.shifts:
            shift = build_part("shift", choice, Shift)
            if reason := explain_foreign_shift(shift, self.setting) or shift.why_not(
                self.setting
            ):
                remarks[f"shift:{shift.name}"] = reason
                continue
            for severity in choice.severities:
                shifted = shift.apply(self.setting, severity) if severity else None
                try:
                    check_family((shifted or self.setting).family)
                except Refused as refusal:
                    named = f"shift:{shift.name} {severity:g}"
                    remarks[named] = refusal.message
                    continue
                where = Condition(shift=shift.name, severity=severity)
                trials.append(MetaTestCondition(where, shifted or self.setting))
        names = name_test_families(self.spec)
        for name, of in zip(names, self.spec.test_families, strict=True):
            family, where = build_part("family", of, Family), Condition(family=name)
            if reason := explain_family_mismatch(self.setting.family, family):
                remarks[f"family:{where.family}"] = reason
                continue
            trials.append(
                MetaTestCondition(where, replace(self.setting, family=family))
            )
        return trials, remarks


def draw_tasks(
    setting: Setting,
    pool: str,
    streams: Sequence[Rng],
    tasks: int,
    batch_spec: BatchSpec,
) -> TaskBatch:
    """Draw tasks, replicate by replicate; a task's stream ends in its number."""
    rngs = [stream.child(t) for stream in streams for t in range(tasks)]
    return setting.family.draw(setting, rngs, pool, batch_spec)


def labels_of(context: RunContext, label: str) -> tuple[str, ...]:
    """Return every label that is shown what was computed under one, itself first."""
    named = {entry.label: entry.labels for entry in context.entries}
    return named.get(label, (label,))
