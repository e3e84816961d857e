"""Checks that the parts of a run fit together, made before it starts."""

from engine.contract.errors import Refused, json_path
from engine.contract.kinds import KINDS, mismatch
from engine.contract.run_spec import RunSpec
from engine.contract.text_decoding import clean
from engine.protocol import Family
from engine.runner.compatibility import describe_example
from engine.runner.context import LearnerEntry, RunContext, build_part


def check_run(context: RunContext) -> None:
    """Check that the parts of a run fit together.

    Args:
        context: The run.

    Raises:
        Refused: If a family's data is missing or too small, or a learner does not
            solve its kind or cannot be trained with the chosen estimator.
    """
    spec, setting, kind = context.spec, context.setting, context.kind
    _check_families(context)
    if setting.family.uses_net and kind.name not in setting.net.solves:
        raise Refused(f"{setting.net.name} does not solve {kind.words.tasks}", "net")
    for entry in context.entries:
        _check_learner(context, entry)
    for label in spec.inputs:
        if label not in {choice.label for choice in spec.learners}:
            raise Refused(f"no learner has the label {label!r}", f"inputs.{label}")
    _check_rival(spec)
    _check_ways(context)
    _check_knowledge_bases(context)


def _check_rival(spec: RunSpec) -> None:
    """Refuse a rival that the first chosen learner cannot be compared with."""
    labels = [choice.label for choice in spec.learners]
    chosen = [choice.label for choice in spec.learners if choice.role == "chosen"]
    others = [label for label in labels if label not in chosen[:1]]
    if not spec.rival or (chosen and spec.rival in others):
        return
    allowed = " or ".join(map(repr, others)) if chosen and others else "empty"
    raise Refused(
        f"{clean(spec.rival)!r} cannot be the rival of the primary question; it must be"
        f" the label of another learner than the first chosen one: {allowed}",
        "rival",
    )


def _check_families(context: RunContext) -> None:
    tested = enumerate(context.spec.test_families)
    places = [("family", context.spec.family)]
    for path, choice in (*places, *((f"test_families.{i}", c) for i, c in tested)):
        try:
            family = build_part("family", choice, Family)
            family.check()
            if path == "family" and KINDS[family.kind].fixed_examples:
                describe_example(family, "train")
        except Refused as refusal:
            raise refusal.with_prefix(path) from None
        _check_test_tasks(family, context.spec.budget.test_tasks)


def _check_test_tasks(family: Family, wanted: int) -> None:
    """Refuse more test tasks than there are, which would count some of them twice."""
    limit = family.test_task_limit()
    if limit is not None and wanted > limit:
        raise Refused(
            f"{family.name} has {limit} test tasks with these settings, and each "
            f"counts once; set test_tasks to at most {limit}, not {wanted}",
            "budget.test_tasks",
        )


def _check_learner(context: RunContext, entry: LearnerEntry) -> None:
    """Refuse a learner for another kind of task, output or estimator."""
    learner, where = entry.learner, _spec_path(context, entry)
    family, kind = context.setting.family, context.kind
    if kind.name not in learner.solves:
        reason = mismatch(learner.name, learner.solves, family.name, kind.name)
        raise Refused(f"{json_path(where)}.name: {reason}", where)
    if kind.fixed_examples and family.answer_kind() not in learner.answers:
        given = " or ".join(learner.answers)
        raise Refused(
            f"{entry.label} predicts {given}, but {family.name} needs "
            f"{family.answer_kind()}",
            where,
        )
    if not learner.needs_estimator or entry.label in context.spec.inputs:
        return
    if (estimator := context.estimator.name) not in learner.estimators:
        raise Refused(
            f"{entry.label} cannot be trained with the estimator {estimator}; "
            f"choose one of {', '.join(learner.estimators)}",
            "estimator",
        )


def _check_ways(context: RunContext) -> None:
    """Refuse a learner whose head would have another number of classes in tests."""
    family = context.setting.family
    if getattr(family, "train_ways", 0) in (0, getattr(family, "ways", 0)):
        return
    training_tasks = context.draw(context.setting, "train", ("check",), 1)
    validation_tasks = context.draw(context.setting, "validation", ("check",), 1)
    for entry in context.entries:
        learner = entry.learner
        if not learner.trains or entry.label in context.spec.inputs:
            continue
        meta = learner.init(context.streams("init"), training_tasks)
        if reason := learner.why_not(meta, validation_tasks):
            raise Refused(
                f"{entry.label} cannot be trained with other ways than it is "
                f"tested with: {reason}; set the ways in training to 0",
                "family.train_ways",
            )


def _check_knowledge_bases(context: RunContext) -> None:
    """Refuse an imported knowledge base that is missing or does not fit."""
    for entry in context.entries:
        if entry.learner.knowledge and entry.label not in context.spec.inputs:
            training_tasks = context.draw(context.setting, "train", ("check",), 1)
            try:
                # A learner reads its knowledge base when it is initialized.
                entry.learner.init(context.streams("init"), training_tasks)
            except Refused as refusal:
                path = f"{_spec_path(context, entry)}.knobs"
                raise refusal.with_prefix(path) from None


def _spec_path(context: RunContext, entry: LearnerEntry) -> str:
    """Return a learner's path in the spec."""
    return f"learners.{context.spec.learners.index(entry.choice)}"
